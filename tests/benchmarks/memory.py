"""How much memory the process of the interface takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import uvloop

from tests.benchmarks.bulk import RECIPIENTS
from tests.benchmarks.extent import Extent
from tests.benchmarks.hub import a_hub
from tests.benchmarks.load import joined, post_for, post_times
from tests.benchmarks.place import BOTH, Place
from tests.benchmarks.posts import bulk_texts, single_texts
from tests.benchmarks.report import Section, Table, Verdict, failures_told, judged, number

MOST_RESIDENT_MB = 150


@dataclass(frozen=True, kw_only=True)
class _Resident:
    """In megabytes, one after the other in the life of one process."""

    idle: float
    after_singles: float
    after_bulk: float
    most: float
    failures: Mapping[str, int]


def measure(place: Place, extent: Extent) -> Section:
    resident = {kind: _measured(place, kind, extent) for kind in BOTH}
    return Section(
        title="memory: RSS of the API process",
        conditions=(
            f"One `smshub api` at rest, then after {extent.total_s:g} s of single texts on {extent.connections} "
            f"connections, then after {extent.rounds} requests with {RECIPIENTS:,} numbers each. The last column is "
            "the most that it ever took. In MB of 1,048,576 bytes."
        ),
        table=Table(
            headings=("", "idle", "after single texts", "after bulk", "most", "failed"),
            rows=[_row(f"hub on {kind}", each) for kind, each in resident.items()],
        ),
        verdicts=[_verdict(kind, each) for kind, each in resident.items()],
    )


def _measured(place: Place, kind: str, extent: Extent) -> _Resident:
    with a_hub("api", place.new_database(kind), place.folder) as hub:
        process = hub.process
        idle = process.resident_mb
        singles = uvloop.run(
            post_for(extent.total_s, process.port, single_texts(hub.tokens), connections=extent.connections)
        )
        after_singles = process.resident_mb
        bulk = uvloop.run(post_times(extent.rounds, process.port, bulk_texts(hub.tokens, recipients=RECIPIENTS)))
        return _Resident(
            idle=idle,
            after_singles=after_singles,
            after_bulk=process.resident_mb,
            most=process.most_resident_mb,
            failures=joined([singles, bulk]).failures,
        )


def _verdict(kind: str, resident: _Resident) -> Verdict:
    most = max(resident.idle, resident.after_singles, resident.after_bulk)
    return judged(
        f"On {kind} below {MOST_RESIDENT_MB} MB",
        met=most < MOST_RESIDENT_MB,
        reached=f"It takes {number(most)} MB at the most of the three times, and took {number(resident.most)} MB "
        "at its peak.",
        failed=[resident.failures],
    )


def _row(name: str, resident: _Resident) -> Sequence[str]:
    megabytes = (resident.idle, resident.after_singles, resident.after_bulk, resident.most)
    return (name, *map(number, megabytes), failures_told(resident.failures))

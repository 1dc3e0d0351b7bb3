"""How long one request with many numbers takes, and how long others wait meanwhile."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import uvloop

from tests.benchmarks.extent import Extent
from tests.benchmarks.hub import Hub, a_hub
from tests.benchmarks.load import Load, joined, post_times, post_times_beside, post_with_pauses
from tests.benchmarks.place import BOTH, POSTGRESQL, Place
from tests.benchmarks.posts import Post, bulk_texts, single_texts
from tests.benchmarks.report import Section, Table, Verdict, failures_told, judged, number
from tests.benchmarks.statistic import percentile

RECIPIENTS = 10_000

_MOST_S = 1.0
_SINGLES_CONNECTIONS = 8
_SINGLES_PAUSE_S = 0.02


@dataclass(frozen=True, kw_only=True)
class _Subject:
    hub: Hub
    post: Post

    def once(self) -> Load:
        return uvloop.run(post_times(1, self.hub.process.port, self.post))


@dataclass(frozen=True, kw_only=True)
class _Singles:
    """Single texts on their own, and while bulk requests were under way, with those."""

    alone: Load
    meanwhile: Load
    bulk: Load


def measure(place: Place, extent: Extent) -> Section:
    with ExitStack() as stack:
        hubs = {kind: stack.enter_context(a_hub("api", place.new_database(kind), place.folder)) for kind in BOTH}
        subjects = {
            kind: _Subject(hub=hub, post=bulk_texts(hub.tokens, recipients=RECIPIENTS)) for kind, hub in hubs.items()
        }
        loads = _by_turns(subjects, extent.rounds)
        singles = _single_texts(subjects[POSTGRESQL], extent)
    return Section(
        title="bulk: one text to many numbers",
        conditions=(
            f"`POST /api/TextMessages` with {RECIPIENTS:,} distinct numbers to one `smshub api`, {extent.rounds} times "
            "on each database by turns, after one to warm up. Then the same on PostgreSQL without a break, while "
            f"{_SINGLES_CONNECTIONS} other connections post single texts with {_SINGLES_PAUSE_S * 1_000:.0f} ms "
            "between an answer and the next."
        ),
        table=Table(
            headings=("", "requests", "p50 ms", "p99 ms", "slowest ms", "failed"),
            rows=[
                *(_row(f"bulk on {kind}", load) for kind, load in loads.items()),
                _row(f"bulk beside single texts on {POSTGRESQL}", singles.bulk),
                _row(f"single texts alone on {POSTGRESQL}", singles.alone),
                _row(f"single texts beside bulk on {POSTGRESQL}", singles.meanwhile),
            ],
        ),
        verdicts=[_verdict(kind, load) for kind, load in loads.items()],
    )


def _by_turns(subjects: Mapping[str, _Subject], rounds: int) -> Mapping[str, Load]:
    for subject in subjects.values():
        subject.once()
    turns = [{kind: subject.once() for kind, subject in subjects.items()} for _ in range(rounds)]
    return {kind: joined([turn[kind] for turn in turns]) for kind in subjects}


def _single_texts(subject: _Subject, extent: Extent) -> _Singles:
    port, post = subject.hub.process.port, single_texts(subject.hub.tokens)
    alone = uvloop.run(
        post_with_pauses(extent.seconds, port, post, connections=_SINGLES_CONNECTIONS, pause_s=_SINGLES_PAUSE_S)
    )
    bulk, meanwhile = uvloop.run(
        post_times_beside(
            extent.rounds,
            port,
            subject.post,
            post,
            connections=_SINGLES_CONNECTIONS,
            pause_s=_SINGLES_PAUSE_S,
        )
    )
    return _Singles(alone=alone, meanwhile=meanwhile, bulk=bulk)


def _verdict(kind: str, load: Load) -> Verdict:
    median, slowest = percentile(load.took_s, 0.5), max(load.took_s, default=0.0)
    return judged(
        f"On {kind} below {_MOST_S:g} s",
        met=0 < median < _MOST_S,
        reached=f"The median is {number(median, 2)} s, the slowest {number(slowest, 2)} s.",
        failed=[load.failures],
    )


def _row(name: str, load: Load) -> Sequence[str]:
    return (
        name,
        number(load.answered + load.failed),
        *(number(percentile(load.took_s, share) * 1_000, 1) for share in (0.5, 0.99, 1.0)),
        failures_told(load.failures),
    )

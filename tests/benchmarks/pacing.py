"""How exactly a sender's pace is kept, and how much of it is used."""

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import uvloop

from tests.benchmarks.extent import Extent
from tests.benchmarks.hub import a_hub
from tests.benchmarks.load import post_times
from tests.benchmarks.place import BOTH, Place
from tests.benchmarks.posts import bulk_texts
from tests.benchmarks.report import Outcome, Section, Table, Verdict, number

_PER_SECOND = 50
_INTERVAL_US = 1_000_000 // _PER_SECOND
# What two readings of a clock and two turns of an event loop may differ by.
_TOLERANCE_US = 1_000
_LEAST_USED = 0.99
_MORE_THAN_ENOUGH = 500


@dataclass(frozen=True, kw_only=True)
class _Pacing:
    """`sent_us` are the moments of the calls to the provider, in their order."""

    sent_us: Sequence[int]

    @property
    def gaps_us(self) -> Sequence[int]:
        return [later - earlier for earlier, later in pairwise(self.sent_us)]

    @property
    def early(self) -> int:
        return sum(gap < _INTERVAL_US - _TOLERANCE_US for gap in self.gaps_us)

    @property
    def used(self) -> float:
        """The share of the pace, from the first call to the last."""
        return len(self.gaps_us) * _INTERVAL_US / (self.sent_us[-1] - self.sent_us[0])


def measure(place: Place, extent: Extent) -> Section:
    pacings = {kind: _measured(place, kind, extent.total_s) for kind in BOTH}
    return Section(
        title="pacing: a sender with a standing backlog",
        conditions=(
            f"One `smshub serve` with one sender at {_PER_SECOND} texts per second that always has more to send, for "
            f"{extent.total_s:g} s. A call to the provider is early when it follows the one before by more than "
            f"{_TOLERANCE_US / 1_000:g} ms less than the pace's {_INTERVAL_US / 1_000:g} ms."
        ),
        table=Table(
            headings=("", "sent", "early", "shortest gap ms", "median gap ms", "longest gap ms", "pace used"),
            rows=[_row(f"hub on {kind}", pacing) for kind, pacing in pacings.items()],
        ),
        verdicts=[_verdict(kind, pacing) for kind, pacing in pacings.items()],
    )


def _measured(place: Place, kind: str, seconds: float) -> _Pacing:
    recipients = int(seconds * _PER_SECOND) + _MORE_THAN_ENOUGH
    with a_hub("serve", place.new_database(kind), place.folder, programs=1, rate=str(_PER_SECOND)) as hub:
        load = uvloop.run(post_times(1, hub.process.port, bulk_texts(hub.tokens, recipients=recipients)))
        if load.failed:
            raise RuntimeError(f"The hub does not take the backlog: {dict(load.failures)}")
        time.sleep(seconds)
    events = [json.loads(line) for line in hub.log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    attempts = [event for event in events if event["event"] == "delivery_attempted"]
    return _Pacing(sent_us=sorted(event["slot_us"] + event["late_us"] for event in attempts))


def _verdict(kind: str, pacing: _Pacing) -> Verdict:
    met = pacing.early == 0 and pacing.used >= _LEAST_USED
    return Verdict(
        target=f"On {kind} none early and at least {_LEAST_USED:.0%} of the pace used",
        outcome=Outcome.MET if met else Outcome.MISSED,
        reached=f"{pacing.early} of {len(pacing.sent_us):,} are early, and {pacing.used:.1%} of the pace is used.",
    )


def _row(name: str, pacing: _Pacing) -> Sequence[str]:
    gaps = pacing.gaps_us
    return (
        name,
        number(len(pacing.sent_us)),
        number(pacing.early),
        *(number(each / 1_000, 1) for each in (min(gaps), statistics.median(gaps), max(gaps))),
        f"{pacing.used:.1%}",
    )

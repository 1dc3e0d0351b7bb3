"""Whether any text is lost or sent twice where dispatchers are killed again and again."""

import asyncio
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from tests.benchmarks.attempts import logged
from tests.benchmarks.backlog import Line, put_texts
from tests.benchmarks.extent import Extent
from tests.benchmarks.offices import create, offices
from tests.benchmarks.place import POSTGRESQL, Place
from tests.benchmarks.report import Outcome, Section, Table, Verdict, number
from tests.benchmarks.server_process import NeverReady
from tests.benchmarks.smshub import an_smshub
from tests.benchmarks.store import a_store, waited_for
from tests.benchmarks.twilio import Twilio, a_twilio

_DISPATCHERS = 3
_RATE = 50
_EACH = 500
_PROVIDER_MS = 50
_LIVES_S = (0.3, 3.0)  # Coming back takes a second or two: one of three dies every 0.5 to 2 s.
_SETTLED_S = 2.5
_ENQUIRIES = {"SMSHUB_ENQUIRY_DELAYS": "PT2S,PT2S"}
# The backlog takes ten seconds where nobody dies.
_KILLING_AT_MOST_S = 60.0
_SETTLING_AT_MOST_S = 90.0
_QUEUED = "SELECT count(*) FROM deliveries WHERE state = 'queued'"
_UNSETTLED = "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'scheduled', 'sending', 'unknown')"
_ENDED = text("SELECT number FROM deliveries WHERE state NOT IN ('queued', 'scheduled', 'sending', 'unknown')")
_STATES = text("SELECT state, count(*) FROM deliveries GROUP BY state ORDER BY state")


@dataclass(frozen=True, kw_only=True)
class _Aftermath:
    """`taken` counts what the provider took by its number; `once_unknown` what it was asked about after all.

    In the end deliveries have `states`; `ended` are the numbers of those that nothing more becomes of.
    """

    deliveries: int
    taken: Counter[str]
    ended: Sequence[str]
    refused: int
    killed: int
    once_unknown: int
    states: dict[str, int]
    took_s: float
    settling_s: float

    @property
    def lost(self) -> int:
        return sum(number not in self.taken for number in self.ended)

    @property
    def unsettled(self) -> int:
        return self.deliveries - len(self.ended)

    @property
    def doubled(self) -> int:
        return sum(times > 1 for times in self.taken.values())


def measure(place: Place, extent: Extent) -> Section:
    senders = max(2, round(extent.total_s))
    after = _killed_again_and_again(place, senders)
    return Section(
        title="crash: dispatchers are killed",
        conditions=(
            f"{senders * _EACH:,} texts of {senders} senders at {_RATE}/s, and {_DISPATCHERS} `smshub dispatcher` on "
            f"{POSTGRESQL}. As long as texts wait, each is killed (SIGKILL) {_LIVES_S[0]:g} to {_LIVES_S[1]:g} s after "
            "it was ready, and started again at once. The provider is a process of "
            f"its own that answers after {_PROVIDER_MS} ms and can be asked; the hub asks after 2 s, and again after 2 "
            "s. Lost is what the provider never took, doubled what it took more than once."
        ),
        table=Table(
            headings=("", "count"),
            rows=[
                ("texts", number(after.deliveries)),
                ("lost", number(after.lost)),
                ("doubled", number(after.doubled)),
                ("dispatchers killed", number(after.killed)),
                ("of unknown outcome for a while", number(after.once_unknown)),
                ("refused by the provider", number(after.refused)),
                *((f"in the end {state}", number(count)) for state, count in after.states.items()),
                ("seconds until nothing waited", number(after.took_s, 1)),
                ("seconds from then until all outcomes were known", number(after.settling_s, 1)),
            ],
        ),
        verdicts=[
            Verdict(
                target="None lost, none doubled and all settled",
                outcome=Outcome.MISSED if after.lost or after.doubled or after.unsettled else Outcome.MET,
                reached=f"{after.lost} lost, {after.doubled} doubled and {after.unsettled} unsettled of "
                f"{after.deliveries:,}, with {after.killed} dispatchers killed; the outcome of {after.once_unknown:,} "
                "was unknown for a while.",
            )
        ],
    )


def _killed_again_and_again(place: Place, senders: int) -> _Aftermath:
    url = place.new_database(POSTGRESQL)
    programs = asyncio.run(create(url, offices(senders, rate=str(_RATE), provider="twilio")))
    lines = [Line(program_id=each.program_id, sender_id=each.sender_id) for each in programs]
    with a_twilio(place.folder, delay_ms=_PROVIDER_MS) as twilio:
        with _mortal_dispatchers(url, place.folder, twilio) as mortals:
            time.sleep(_SETTLED_S)
            asyncio.run(put_texts(url, lines, each=_EACH))
            started_s = time.monotonic()
            mortals.killing.set()
            asyncio.run(waited_for(url, _QUEUED, at_most_s=_KILLING_AT_MOST_S, every_s=0.5))
            mortals.killing.clear()
            through_s = time.monotonic()
            asyncio.run(waited_for(url, _UNSETTLED, at_most_s=_SETTLING_AT_MOST_S, every_s=0.5))
            settled_s = time.monotonic()
        arrivals = twilio.arrivals()
    enquired = [each for event in ("delivery_enquired", "delivery_settled") for each in logged(event, mortals.logs)]
    states, ended = asyncio.run(_outcomes(url))
    return _Aftermath(
        deliveries=senders * _EACH,
        taken=Counter(each.to for each in arrivals if each.taken),
        ended=ended,
        refused=sum(not each.taken for each in arrivals),
        killed=mortals.killed,
        once_unknown=len({each["delivery"] for each in enquired}),
        states=states,
        took_s=through_s - started_s,
        settling_s=settled_s - through_s,
    )


async def _outcomes(url: str) -> tuple[dict[str, int], Sequence[str]]:
    async with a_store(url) as container, container.database().reading() as connection:
        states = {state: int(count) for state, count in await connection.execute(_STATES)}
        return states, (await connection.execute(_ENDED)).scalars().all()


@dataclass(kw_only=True)
class _Mortals:
    """Dispatchers that die while `killing` is set, each after a while of its own, and come back at once."""

    database_url: str
    folder: Path
    twilio: Twilio
    killing: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    ready: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    logs: list[Path] = field(default_factory=list)
    killed: int = 0
    faults: list[NeverReady] = field(default_factory=list)

    def live(self, chance: random.Random) -> None:
        try:
            while not self.stopping.is_set():
                self._live_once(chance)
        except NeverReady as fault:
            self.faults.append(fault)
            self.ready.release()

    def _live_once(self, chance: random.Random) -> None:
        environment = {**self.twilio.environment, **_ENQUIRIES}
        with an_smshub("dispatcher", self.database_url, self.folder, environment=environment) as process:
            self.logs.append(process.log)
            self.ready.release()
            while not self.stopping.wait(chance.uniform(*_LIVES_S)):
                if self.killing.is_set():
                    os.kill(process.pid, signal.SIGKILL)
                    self.killed += 1
                    return


@contextmanager
def _mortal_dispatchers(database_url: str, folder: Path, twilio: Twilio) -> Iterator[_Mortals]:
    mortals = _Mortals(database_url=database_url, folder=folder, twilio=twilio)
    threads = [threading.Thread(target=mortals.live, args=[random.Random(each)]) for each in range(_DISPATCHERS)]
    for thread in threads:
        thread.start()
    try:
        for _ in threads:
            mortals.ready.acquire()
        yield mortals
    finally:
        mortals.stopping.set()
        for thread in threads:
            thread.join()
    _raise_first(mortals.faults)


def _raise_first(faults: Sequence[NeverReady]) -> None:
    if faults:
        raise faults[0]

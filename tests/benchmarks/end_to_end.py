"""How many texts a second one dispatcher brings to Twilio."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests.benchmarks.attempts import logged
from tests.benchmarks.backlog import Line, put_texts
from tests.benchmarks.extent import Extent
from tests.benchmarks.offices import create, offices
from tests.benchmarks.place import POSTGRESQL, Place
from tests.benchmarks.report import Section, Table, failures_told, judged, number
from tests.benchmarks.server_process import ServerProcess
from tests.benchmarks.smshub import an_smshub
from tests.benchmarks.statistic import Spread
from tests.benchmarks.store import waited_for
from tests.benchmarks.twilio import Arrived, Twilio, a_twilio

_SENDERS = 10
_RATE = 100_000
_PER_SECOND = 1_000
_LEAST_PER_SECOND = 800
_LEAST_RATIO = 0.8
_PATIENCE_S = 20.0
_WAITING = "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending')"
_FIRST_NUMBER = 2_000_000


@dataclass(frozen=True, kw_only=True)
class _Turn:
    per_second: float
    cpu_us: float
    failures: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """All that a turn needs."""

    twilio: Twilio
    database_url: str
    dispatcher: ServerProcess
    lines: Sequence[Line]
    count: int
    concurrency: int


def measure(place: Place, extent: Extent) -> Section:
    count = max(_SENDERS, int(extent.seconds * _PER_SECOND) // _SENDERS * _SENDERS)
    url = place.new_database(POSTGRESQL)
    programs = asyncio.run(create(url, offices(_SENDERS, rate=str(_RATE), provider="twilio")))
    with ExitStack() as stack:
        twilio = stack.enter_context(a_twilio(place.folder))
        dispatcher = stack.enter_context(
            an_smshub(
                "dispatcher",
                url,
                place.folder,
                environment={**twilio.environment, "SMSHUB_MOST_IN_FLIGHT": str(extent.connections)},
            )
        )
        subject = _Subject(
            twilio=twilio,
            database_url=url,
            dispatcher=dispatcher,
            lines=[Line(program_id=each.program_id, sender_id=each.sender_id) for each in programs],
            count=count,
            concurrency=extent.connections,
        )
        _hub_turn(subject, 0)
        bare, hub = [], []
        for turn in range(1, extent.rounds + 1):
            bare.append(_bare_turn(subject, 2 * turn))
            hub.append(_hub_turn(subject, 2 * turn + 1))
        released = len(logged("delivery_released", [dispatcher.log]))
    return _section(extent, count, bare, hub, released)


def _section(extent: Extent, count: int, bare: Sequence[_Turn], hub: Sequence[_Turn], released: int) -> Section:
    ratio = Spread.of([its.per_second / other.per_second for its, other in zip(hub, bare, strict=True)])
    rate = Spread.of([turn.per_second for turn in hub])
    failed = [turn.failures for turn in (*hub, *bare)]
    range_told = f"{number(ratio.least, 2)} to {number(ratio.most, 2)}"
    return Section(
        title="end to end: texts to Twilio",
        conditions=(
            f"One `smshub dispatcher` on {POSTGRESQL} with Twilio's adapter; {_SENDERS} senders at {_RATE:,}/s, which "
            f"limits nothing; {extent.rounds} rounds of {count:,} texts that all wait at the start, after one to warm "
            f"up, with {extent.connections} calls at once. The bare client is `AsyncTwilioHttpClient` of Twilio's own "
            "library in a process that does nothing else, with as many calls at once. The provider is a process of its "
            "own that answers at once. The rate is that of the arrivals, from the first of a round to the last. "
            f"{released:,} texts were claimed and handed back because their slots had passed."
        ),
        table=Table(
            headings=("", "per second", "ratio to bare", "lowest to highest", "CPU µs per text", "failed"),
            rows=[
                _row("bare client", bare, "1.00", "-"),
                _row(f"hub on {POSTGRESQL}", hub, number(ratio.median, 2), range_told),
            ],
        ),
        verdicts=[
            judged(
                f"At least {_LEAST_PER_SECOND} texts a second",
                met=rate.median >= _LEAST_PER_SECOND,
                reached=f"{number(rate.median)} a second ({number(rate.least)} to {number(rate.most)}).",
                failed=failed,
            ),
            judged(
                f"At least {_LEAST_RATIO} times bare",
                met=ratio.median >= _LEAST_RATIO,
                reached=f"{number(ratio.median, 2)} times as many as the bare client ({range_told} in single rounds).",
                failed=failed,
            ),
        ],
    )


def _hub_turn(subject: _Subject, turn: int) -> _Turn:
    before = len(subject.twilio.arrivals())
    cpu_s = subject.dispatcher.cpu_s
    each = subject.count // len(subject.lines)
    asyncio.run(put_texts(subject.database_url, subject.lines, each=each, first=turn * subject.count))
    asyncio.run(waited_for(subject.database_url, _WAITING, at_most_s=_PATIENCE_S))
    return _turn(subject, before, subject.dispatcher.cpu_s - cpu_s)


def _bare_turn(subject: _Subject, turn: int) -> _Turn:
    before = len(subject.twilio.arrivals())
    first = _FIRST_NUMBER + turn * subject.count
    command = [sys.executable, "-m", "tests.benchmarks.bare_twilio", subject.twilio.url]
    command += [str(each) for each in (subject.count, subject.concurrency, first)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=_PATIENCE_S).stdout
    return _turn(subject, before, json.loads(told)["cpu_s"])


def _turn(subject: _Subject, before: int, cpu_s: float) -> _Turn:
    arrived: Sequence[Arrived] = subject.twilio.arrivals()[before:]
    taken = [each.at_ns for each in arrived if each.taken]
    failures = Counter(str(each.status) for each in arrived if not each.taken)
    if len(taken) < subject.count:
        failures["never came"] = subject.count - len(taken)
    return _Turn(
        per_second=(len(taken) - 1) / (max(taken) - min(taken)) * 1e9 if len(taken) > 1 else 0.0,
        cpu_us=cpu_s * 1e6 / subject.count,
        failures=failures,
    )


def _row(name: str, turns: Sequence[_Turn], ratio: str, ratios: str) -> Sequence[str]:
    return (
        name,
        number(Spread.of([turn.per_second for turn in turns]).median),
        ratio,
        ratios,
        number(Spread.of([turn.cpu_us for turn in turns]).median),
        failures_told(sum((Counter(turn.failures) for turn in turns), Counter())),
    )

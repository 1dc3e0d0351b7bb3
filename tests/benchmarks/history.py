"""Whether the hub slows down as the texts of the past pile up."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import uvloop

from domain.model.slots import Reservation
from tests.benchmarks.backlog import Line, put_texts
from tests.benchmarks.comparison import Subject, compare
from tests.benchmarks.extent import Extent
from tests.benchmarks.hub import Hub, a_hub
from tests.benchmarks.offices import offices
from tests.benchmarks.place import BOTH, POSTGRESQL, SQLITE, Place
from tests.benchmarks.posts import single_texts
from tests.benchmarks.report import Section, Table, Verdict, failures_told, judged, number
from tests.benchmarks.statistic import Spread
from tests.benchmarks.store import a_store

_LEAST = 0.8
_SENDERS = 20
# No pace is wider open.
_RATE = "1000000"
_RECIPIENTS = 100
# In the table by the second of all rounds together.
_FINISHED_PER_S = {POSTGRESQL: 50_000, SQLITE: 10_000}
_CLAIMED_PER_S = 2_500
_AT_ONCE = Reservation(most=25)
_MOST_ROUNDS = 2


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """A rate with an empty past and with a long one, round by round."""

    name: str
    without: Sequence[float]
    beside: Sequence[float]
    failures: Sequence[Mapping[str, int]] = ()

    @property
    def ratio(self) -> Spread:
        return Spread.of([more / less if less else 0.0 for less, more in zip(self.without, self.beside, strict=True)])


@dataclass(frozen=True, kw_only=True)
class _Subject:
    url: str
    hub: Hub

    @property
    def lines(self) -> Sequence[Line]:
        return [Line(program_id=each.program_id, sender_id=each.sender_id) for each in self.hub.programs]


def measure(place: Place, extent: Extent) -> Section:
    shorter = replace(extent, rounds=min(extent.rounds, _MOST_ROUNDS), seconds=extent.seconds / 2)
    finished = {kind: _finished(kind, extent) for kind in BOTH}
    claimed = _claimed(extent)
    pairs = [pair for kind in BOTH for pair in _measured(place, kind, finished[kind], claimed, shorter)]
    return Section(
        title="history: beside many finished texts",
        conditions=(
            f"Two databases of each kind, one empty and one with finished deliveries: {finished[POSTGRESQL]:,} on "
            f"{POSTGRESQL}, {finished[SQLITE]:,} on {SQLITE}, {_RECIPIENTS} of each text. Claims are made and recorded "
            f"through the queue itself, in one process and without any provider, of {_SENDERS} senders whose pace "
            f"limits nothing; {claimed:,} texts that wait at the start, in {shorter.rounds} rounds after one to warm "
            f"up. Then single texts are accepted by one `smshub api`, {shorter.in_words}."
        ),
        table=Table(
            headings=("", "per second, empty", "per second, with history", "ratio", "lowest to highest", "failed"),
            rows=[_row(pair) for pair in pairs],
        ),
        verdicts=[_verdict(pair) for pair in pairs],
    )


def _finished(kind: str, extent: Extent) -> int:
    return max(_RECIPIENTS, int(_FINISHED_PER_S[kind] * extent.total_s) // _RECIPIENTS * _RECIPIENTS)


def _claimed(extent: Extent) -> int:
    return max(_SENDERS, int(_CLAIMED_PER_S * extent.seconds) // _SENDERS * _SENDERS)


def _measured(place: Place, kind: str, finished: int, claimed: int, extent: Extent) -> Sequence[_Pair]:
    with ExitStack() as stack:
        without, beside = (_a_subject(stack, place, kind) for _ in range(2))
        lines = beside.lines
        messages = [lines[each % len(lines)] for each in range(finished // _RECIPIENTS)]
        asyncio.run(put_texts(beside.url, messages, each=_RECIPIENTS, state="delivered", due=False))
        for each in (without, beside):
            uvloop.run(_claim_all(each, claimed, 0))
            if kind == POSTGRESQL:
                place.postgresql.vacuum(each.url)
        return [_claims(kind, without, beside, claimed, extent.rounds), _accepted(kind, without, beside, extent)]


def _a_subject(stack: ExitStack, place: Place, kind: str) -> _Subject:
    url = place.new_database(kind)
    return _Subject(
        url=url, hub=stack.enter_context(a_hub("api", url, place.folder, programs=offices(_SENDERS, rate=_RATE)))
    )


def _claims(kind: str, without: _Subject, beside: _Subject, count: int, rounds: int) -> _Pair:
    rates: dict[str, list[float]] = {without.url: [], beside.url: []}
    for turn in range(1, rounds + 1):
        for each in (without, beside) if turn % 2 else (beside, without):
            rates[each.url].append(uvloop.run(_claim_all(each, count, turn)))
    return _Pair(name=f"claims on {kind}", without=rates[without.url], beside=rates[beside.url])


async def _claim_all(subject: _Subject, count: int, turn: int) -> float:
    """Claims and records a second."""
    await put_texts(subject.url, subject.lines, each=count // _SENDERS, first=turn * count)
    async with a_store(subject.url) as container:
        clock, queue = container.clock(), container.queue()
        await clock.synchronise()
        dispatcher_id = await container.dispatchers().join(now_us=clock.now_us())
        left, started_s = count, time.perf_counter()
        while left:
            claims = await queue.claim(dispatcher_id, now_us=clock.now_us(), reservation=_AT_ONCE)
            now_us = clock.now_us()
            await queue.record([each.delivery.sent(f"SM{each.delivery.id:032x}", now_us=now_us) for each in claims])
            left -= len(claims)
        took_s = time.perf_counter() - started_s
        await container.dispatchers().leave(dispatcher_id)
        return count / took_s


def _accepted(kind: str, without: _Subject, beside: _Subject, extent: Extent) -> _Pair:
    less, more = compare(
        [
            Subject(name=name, process=each.hub.process, post=single_texts(each.hub.tokens))
            for name, each in (("without", without), ("beside", beside))
        ],
        extent,
    )
    return _Pair(
        name=f"accepted on {kind}",
        without=[each.load.per_second for each in less.rounds],
        beside=[each.load.per_second for each in more.rounds],
        failures=[less.failures, more.failures],
    )


def _verdict(pair: _Pair) -> Verdict:
    return judged(
        f"At least {_LEAST} times as many {pair.name}",
        met=pair.ratio.median >= _LEAST,
        reached=f"With a history it is {number(pair.ratio.median, 2)} times as many ({_range(pair)} in single rounds).",
        failed=pair.failures,
    )


def _row(pair: _Pair) -> Sequence[str]:
    return (
        pair.name,
        *(number(Spread.of(rates).median) for rates in (pair.without, pair.beside)),
        number(pair.ratio.median, 2),
        _range(pair),
        failures_told(sum(map(Counter, pair.failures), Counter())),
    )


def _range(pair: _Pair) -> str:
    return f"{number(pair.ratio.least, 2)} to {number(pair.ratio.most, 2)}"

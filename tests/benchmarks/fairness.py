"""How long one program waits behind another that sends to many from the same sender."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import uvloop
from sqlalchemy import text

from domain.model.pace import SECOND_US
from domain.model.priority import Priority
from tests.benchmarks.attempts import Attempt, attempts
from tests.benchmarks.extent import Extent
from tests.benchmarks.hub import Hub, a_hub
from tests.benchmarks.load import post_times
from tests.benchmarks.offices import Office
from tests.benchmarks.place import POSTGRESQL, Place
from tests.benchmarks.posts import SHORT_TEXT, bulk_texts, many_numbers, text_post
from tests.benchmarks.report import Outcome, Section, Table, Verdict, number
from tests.benchmarks.store import a_store

_SLOW, _FAST = 10, 50
_AHEAD = 10_000
_RESERVED_S = 0.75
_MOST_SLOTS_MORE = 3
_MOST_ERROR = 0.1
_MOST_ERROR_S = 0.2  # Where the wait is short.
# A text that is accepted at the moment of a claim is in it or not, which makes half a second: nobody can tell.
_LEAST_FORETOLD = 0.9
_PAUSE_S = 2.0
# Batches take twice this share of the seconds, as they have every other slot.
_BATCH_OF_PACE = 0.3
_MESSAGES = text("""
    SELECT id, program_id, priority, recipients, created_us, estimated_us FROM text_messages
    WHERE program_id IN (:first, :second) ORDER BY id
""")


@dataclass(frozen=True, kw_only=True)
class _Text:
    """A text of the program that comes second, and when its last delivery left."""

    priority: Priority
    recipients: int
    created_us: int
    estimated_us: int
    left_us: int
    slots: int

    @property
    def waited_s(self) -> float:
        return (self.left_us - self.created_us) / SECOND_US

    @property
    def error_s(self) -> float:
        """How far the estimate is off; positive where it was too late."""
        return (self.estimated_us - self.left_us) / SECOND_US

    @property
    def is_foretold(self) -> bool:
        return abs(self.error_s) <= max(_MOST_ERROR * self.waited_s, _MOST_ERROR_S)


def measure(place: Place, extent: Extent) -> Section:
    times = max(2, extent.rounds)
    batch = int(_FAST * _BATCH_OF_PACE * extent.total_s)
    texts = _measured(place, times, batch)
    urgent = [each for each in texts if each.priority is Priority.URGENT]
    normal = [each for each in texts if each.priority is Priority.NORMAL and each.recipients == 1]
    (whole_batch,) = [each for each in texts if each.recipients > 1]
    return Section(
        title="fairness: two programs at one sender",
        conditions=(
            f"`smshub serve` on {POSTGRESQL}. A program has posted {_AHEAD:,} numbers on a sender at {_SLOW}/s; then "
            f"another program of the same sender posts an urgent and a normal text, {times} times. The same on a "
            f"sender at {_FAST}/s, where the other program posts one text to {batch} numbers. Slots are the texts of "
            "the sender that left between the acceptance of the text and its own departure. The hub may have reserved "
            f"{_RESERVED_S * 1_000:.0f} ms of a sender's slots already when a text comes."
        ),
        table=Table(
            headings=("", "texts", "most slots before it", "longest wait s", "greatest error of an estimate s"),
            rows=[
                _row("urgent", urgent),
                _row("normal", normal),
                _row(f"to {batch} numbers", [whole_batch]),
            ],
        ),
        verdicts=[
            _next_verdict("An urgent text", urgent, more=1),
            _next_verdict("A normal text", normal, more=_MOST_SLOTS_MORE),
            _estimates_verdict(texts),
        ],
    )


def _measured(place: Place, times: int, batch: int) -> Sequence[_Text]:
    slow, fast = (Office(sender=f"+172055500{rate}", rate=str(rate)) for rate in (_SLOW, _FAST))
    url = place.new_database(POSTGRESQL)
    with a_hub("serve", url, place.folder, programs=[slow, slow, fast, fast]) as hub:
        ahead_slow, behind_slow, ahead_fast, behind_fast = hub.tokens
        for token in (ahead_slow, ahead_fast):
            _post(hub, bulk_texts([token], recipients=_AHEAD)())
        time.sleep(_PAUSE_S)
        _post(hub, _a_text(behind_fast, PhoneNumber=many_numbers(batch)))
        posted_s = time.monotonic()
        for _ in range(times):
            for priority in (Priority.URGENT, Priority.NORMAL):
                _post(hub, _a_text(behind_slow, PhoneNumber=many_numbers(1), Priority=priority.name.lower()))
                time.sleep(_PAUSE_S)
        # At least twice the slots, and a little more.
        time.sleep(max(0.0, 2 * batch / _FAST * 1.1 + 1 - (time.monotonic() - posted_s)))
        return asyncio.run(_texts(url, hub, attempts([hub.process.log])))


def _post(hub: Hub, content: bytes) -> None:
    load = uvloop.run(post_times(1, hub.process.port, lambda: content))
    if load.failed:
        raise RuntimeError(f"The hub does not take the text: {dict(load.failures)}")


def _a_text(token: str, **asked: str) -> bytes:
    return text_post(token, json.dumps({"Message": SHORT_TEXT, **asked}))


async def _texts(url: str, hub: Hub, left: Sequence[Attempt]) -> Sequence[_Text]:
    _, slow, _, fast = hub.programs
    async with a_store(url) as container, container.database().reading() as connection:
        messages = (await connection.execute(_MESSAGES, {"first": slow.program_id, "second": fast.program_id})).all()
    return [_followed(message, left) for message in messages]


def _followed(message: Any, left: Sequence[Attempt]) -> _Text:  # noqa: ANN401 - a row
    own = [each for each in left if each.message == str(message.id)]
    if len(own) < message.recipients:
        raise RuntimeError(f"{len(own)} of {message.recipients} have left.")
    last = own[-1]
    before = [each for each in left if each.sender == last.sender and message.created_us < each.left_us < last.left_us]
    return _Text(
        priority=Priority(message.priority),
        recipients=message.recipients,
        created_us=message.created_us,
        estimated_us=message.estimated_us,
        left_us=last.left_us,
        slots=len(before),
    )


def _next_verdict(name: str, texts: Sequence[_Text], *, more: int) -> Verdict:
    most_s = _RESERVED_S + more / _SLOW
    longest_s = max(each.waited_s for each in texts)
    slots = "slot" if more == 1 else "slots"
    return Verdict(
        target=f"{name} goes after what is reserved and {more} {slots} more, so within {most_s:g} s",
        outcome=Outcome.MET if longest_s <= most_s else Outcome.MISSED,
        reached=f"The longest wait is {number(longest_s, 2)} s, behind {max(each.slots for each in texts)} texts.",
    )


def _estimates_verdict(texts: Sequence[_Text]) -> Verdict:
    foretold = [each for each in texts if each.is_foretold]
    longest = max(texts, key=lambda each: each.waited_s)
    return Verdict(
        target=f"EstimatedCompletionAt within {_MOST_ERROR:.0%}, or {_MOST_ERROR_S:g} s where that is more, for at "
        f"least {_LEAST_FORETOLD:.0%}",
        outcome=Outcome.MET if len(foretold) >= _LEAST_FORETOLD * len(texts) else Outcome.MISSED,
        reached=f"It was for {len(foretold)} of {len(texts)}. The {longest.recipients} took "
        f"{number(longest.waited_s, 1)} s; the estimate was off by {longest.error_s / longest.waited_s:+.1%} of it.",
    )


def _row(name: str, texts: Sequence[_Text]) -> Sequence[str]:
    furthest = max(texts, key=lambda each: abs(each.error_s))
    return (
        name,
        number(len(texts)),
        number(max(each.slots for each in texts)),
        number(max(each.waited_s for each in texts), 2),
        f"{furthest.error_s:+.2f}",
    )

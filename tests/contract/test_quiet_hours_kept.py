"""Days of a hub's work, whatever comes in: nobody is texted outside the hours, and nothing is lost."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from adapters.sql.database import Database
from adapters.sql.tables import deliveries
from domain.model.access import Grant
from domain.model.delivery import DeliveryState
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.sender import SenderAddress
from domain.model.slots import Reservation
from domain.model.terms import Terms
from domain.model.texting_hours import TextingHours
from domain.ports.delivery_queue import Claim
from domain.use_cases.send_text import SendText, SendTextCommand
from tests.builders import Store
from tests.conftest import close
from tests.loops import run
from tests.unit.fakes import FakeClock, FakeWakeups

SECOND = 1_000_000
MINUTE, HOUR = 60 * SECOND, 3_600 * SECOND
DAY = 24 * HOUR

PLACES = {
    "+1970690": "America/Denver",
    "+1808555": "Pacific/Honolulu",
    "+1902555": "America/Halifax",
    "+9771401": "Asia/Kathmandu",
    "+4420794": "Europe/London",
}
SENDERS = (SenderAddress("+19705550100"), SenderAddress("MG" + 32 * "0"))
WINDOWS = (
    "09:00-20:00",
    "Mo-Fr 08:30-12:00, Mo-Fr 13:15-17:00",
    "10:00-10:15",
    "00:00-01:00, 02:30-03:00",
    "Su 23:45-24:00",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    after_us: int
    program: int
    places: Sequence[str]
    priority: Priority
    send_after_us: int | None
    expires_after_us: int | None


COMING = st.builds(
    Coming,
    after_us=st.integers(0, 3 * DAY),
    program=st.integers(0, 1),
    places=st.lists(st.sampled_from(sorted(PLACES)), min_size=3, max_size=8),
    priority=st.sampled_from(Priority),
    send_after_us=st.none() | st.integers(1, DAY),
    expires_after_us=st.none() | st.integers(DAY + 1, 3 * DAY),
)
TERMS = st.builds(Terms, texting_hours=st.sampled_from(WINDOWS).map(TextingHours.parse), urgent_any_time=st.booleans())
# About the times at which clocks change.
STARTS = st.sampled_from(["2030-03-08", "2030-03-29", "2030-07-01", "2030-10-25", "2030-11-02"])


@dataclass
class Simulation:
    store: Store
    programs: Sequence[Program]
    clock: FakeClock
    sent: list[tuple[Claim, int]] = field(default_factory=list)

    async def accept(self, text: Coming, which: int) -> None:
        now_us, program = self.clock.now_us(), self.programs[text.program]
        numbers = [f"{place}{which:02}{index:02}" for index, place in enumerate(text.places)]
        moment = datetime.fromtimestamp(now_us / 1e6, UTC)
        send = SendText(
            programs=self.store.programs,
            templates=self.store.templates,
            contacts=self.store.contacts,
            intake=self.store.intake,
            backlog=self.store.backlog,
            wakeups=FakeWakeups(self.clock),
            clock=self.clock,
            default_region="US",
        )
        command = SendTextCommand(
            text="Hello",
            recipients=",".join(numbers),
            priority=text.priority,
            send_at_us=None if text.send_after_us is None else now_us + text.send_after_us,
            expires_us=None if text.expires_after_us is None else now_us + text.expires_after_us,
        )
        grant = Grant(
            program_id=program.id,
            program_sid=program.sid,
            scopes=frozenset(),
            issued_at=moment,
            expires_at=moment,
            token_id="of-the-tests",
        )
        accepted = await send(grant, command)
        estimated_us = accepted.summary.message.estimated_us
        async with self.store.database.reading() as connection:
            its = deliveries.c.message_id == accepted.summary.message.id
            opens_us = await connection.scalar(select(func.max(deliveries.c.due_us)).where(its))
        assert estimated_us is None or opens_us is None or estimated_us >= opens_us

    async def work(self, dispatcher_id: int) -> None:
        """All that is to be done at this moment."""
        now_us = self.clock.now_us()
        await self.store.due.expire(now_us=now_us)
        await self.store.due.queue(now_us=now_us)
        for _ in range(20):
            due_us = await self.store.queue.next_due_us()
            if due_us is None or due_us > now_us:
                return
            for claim in await self.store.claim(dispatcher_id, at_us=now_us, reservation=Reservation(takes_us=1)):
                self.sent.append((claim, claim.slot.at_us))
                await self.store.queue.record([claim.delivery.sent("SM1", now_us=claim.slot.at_us)])
        raise AssertionError("It goes round in circles.")

    async def next_us(self) -> int | None:
        """When something is to be done next."""
        async with self.store.database.reading() as connection:
            due = select(func.min(deliveries.c.due_us)).where(deliveries.c.state == DeliveryState.SCHEDULED.value)
            expiring = select(func.min(deliveries.c.expires_us)).where(
                deliveries.c.state.in_([DeliveryState.SCHEDULED.value, DeliveryState.QUEUED.value])
            )
            times = [await connection.scalar(due), await connection.scalar(expiring)]
        return min((each for each in [*times, await self.store.queue.next_due_us()] if each is not None), default=None)


async def worked_off(
    url: str, start_us: int, sender: SenderAddress, pace: str, terms: Sequence[Terms], texts: Sequence[Coming]
) -> tuple[Sequence[tuple[Claim, int]], Sequence[Any]]:
    """What was sent and when, and how all deliveries stand when nothing is left to do."""
    database = Database(url)
    store = Store.on(database)
    programs: list[Program] = []
    for each in ("city-hall", "fire-brigade"):
        program = await store.add_program(each, pace=pace if not programs else None, sender=sender)
        programs.append(await store.set_terms(program.id, terms[len(programs)]))
    simulation = Simulation(store, programs, FakeClock(start_us))
    me = await store.join(at_us=start_us)
    coming = sorted(enumerate(texts), key=lambda text: text[1].after_us)
    for _ in range(5_000):
        next_us = await simulation.next_us()
        if coming and (next_us is None or start_us + coming[0][1].after_us <= next_us):
            which, text = coming.pop(0)
            simulation.clock.jump(max(start_us + text.after_us - simulation.clock.now_us(), 0))
            await simulation.accept(text, which)
        elif next_us is None:
            break
        else:
            simulation.clock.jump(max(next_us - simulation.clock.now_us(), 0))
        await simulation.work(me)
    async with database.reading() as connection:
        stand = (await connection.execute(select(deliveries))).all()
    await close(database)
    return simulation.sent, stand


def may_be_texted(written: str, number: str, at_us: int) -> bool:
    """As somebody would tell who looks at the clock on the recipient's wall."""
    clock = datetime.fromtimestamp(at_us // SECOND, ZoneInfo(PLACES[number[:8]]))
    days = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
    for rule in written.split(", "):
        named, window = rule.split() if " " in rule else ("Mo-Su", rule)
        first, last = days.index(named[:2]), days.index(named[-2:])
        start, end = window.split("-")
        if first <= clock.weekday() <= last and start <= f"{clock:%H:%M}" < end:
            return True
    return False


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=STARTS,
    sender=st.sampled_from(SENDERS),
    pace=st.sampled_from(["1/s", "1/min", "4/h"]),
    terms=st.tuples(TERMS, TERMS | st.just(Terms())),
    texts=st.lists(COMING, min_size=1, max_size=6),
)
def test_everything_is_sent_within_the_hours_or_expires(
    migrated_sqlite: Path,
    tmp_path: Path,
    start: str,
    sender: SenderAddress,
    pace: str,
    terms: Sequence[Terms],
    texts: Sequence[Coming],
) -> None:
    url = f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'hub.db')}"
    for left_over in tmp_path.glob("hub.db-*"):
        left_over.unlink()
    start_us = round(datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp()) * SECOND
    sent, stand = run(worked_off(url, start_us, sender, pace, terms, texts))

    by_program = dict(zip(("city-hall", "fire-brigade"), terms, strict=True))
    rows = {row.id: row for row in stand}
    for claim, at_us in sent:
        row, number = rows[claim.delivery.id], claim.delivery.number.e164
        hours = by_program[claim.program_id].hours_for(Priority(row.priority))
        for each in (at_us, claim.slot.not_after_us):
            assert hours is None or may_be_texted(str(hours), number, each)
        assert row.expires_us is None or at_us < row.expires_us
    assert len(stand) == sum(len(text.places) for text in texts)
    assert len({claim.delivery.id for claim, _ in sent}) == len(sent)
    for row in stand:
        lost = row.expires_us is None and row.state != DeliveryState.SENT.value
        assert not lost, row
        assert row.state in {DeliveryState.SENT.value, DeliveryState.EXPIRED.value}

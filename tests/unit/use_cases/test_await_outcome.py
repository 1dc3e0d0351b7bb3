"""How long a caller waits for what becomes of a text, and how often the hub looks."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from domain.errors import StoreUnavailable
from domain.model.delivery import DeliveryState
from domain.model.text_message import TextSummary
from domain.use_cases.await_outcome import AwaitOutcome
from tests.unit.builders import NOON, SECOND, a_grant, a_message_id, a_text
from tests.unit.fakes import FakeClock, InMemoryIntake, InMemoryStore, InMemoryTextLog
from tests.unit.use_cases.sending import a_store

S = DeliveryState
MS = 1_000


class WatchedLog(InMemoryTextLog):
    """Notes when it was looked at, after the moment of its making. `away` makes it unavailable."""

    def __init__(self, store: InMemoryStore, clock: FakeClock) -> None:
        super().__init__(store)
        self._clock = clock
        self._since_us = clock.monotonic_us()
        self.looked_at_us: list[int] = []
        self.away = False

    async def find(self, program_id: str, message_id: UUID) -> TextSummary | None:
        self.looked_at_us.append(self._clock.monotonic_us() - self._since_us)
        if self.away:
            raise StoreUnavailable
        return await super().find(program_id, message_id)


@dataclass
class Hub:
    store: InMemoryStore = field(default_factory=a_store)
    clock: FakeClock = field(default_factory=FakeClock)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.log = WatchedLog(self.store, self.clock)
        self.room = asyncio.Semaphore(2)

    async def accept(self, state: DeliveryState = S.QUEUED, *, send_at_us: int | None = None) -> TextSummary:
        accepted = await InMemoryIntake(self.store).add(a_text(state=state, send_at_us=send_at_us))
        return accepted.summary

    def settle(self) -> None:
        self.store.put(self.store.delivery(1).canceled(now_us=self.clock.now_us()))

    def waiting(self, accepted: TextSummary, *, at_most_us: int = 5 * SECOND) -> asyncio.Task[TextSummary | None]:
        wait = AwaitOutcome(texts=self.log, clock=self.clock, stopping=self.stopping, room=self.room)
        return asyncio.create_task(wait(a_grant(), accepted, at_most_us=at_most_us))

    async def outcome(self, accepted: TextSummary, *, at_most_us: int = 5 * SECOND) -> TextSummary:
        return await self.end_of(self.waiting(accepted, at_most_us=at_most_us))

    async def end_of(self, waiting: asyncio.Task[TextSummary | None]) -> TextSummary:
        summary = await self.clock.run_until_done(waiting)
        assert summary is not None
        return summary


async def test_a_text_that_has_come_to_its_end_is_not_looked_at_again() -> None:
    hub = Hub()
    accepted = await hub.accept(S.BLOCKED)
    assert await hub.outcome(accepted) is accepted
    assert (hub.log.looked_at_us, hub.clock.now_us()) == ([], NOON)


async def test_the_wait_is_over_soon_after_the_text_has_come_to_its_end() -> None:
    hub = Hub()
    waiting = hub.waiting(await hub.accept())
    await hub.clock.advance(60 * MS)
    hub.settle()
    assert (await hub.end_of(waiting)).state is S.CANCELED
    assert hub.log.looked_at_us == [50 * MS, 150 * MS]


async def test_pauses_between_looks_grow_to_a_second_and_the_last_look_is_at_the_deadline() -> None:
    hub = Hub()
    summary = await hub.outcome(await hub.accept(), at_most_us=5 * SECOND)
    assert [at_us // MS for at_us in hub.log.looked_at_us] == [50, 150, 350, 750, 1550, 2550, 3550, 4550, 5000]
    assert (summary.state, hub.clock.now_us()) == (S.QUEUED, NOON + 5 * SECOND)


async def test_what_comes_to_its_end_right_before_the_deadline_is_told() -> None:
    hub = Hub()
    waiting = hub.waiting(await hub.accept(), at_most_us=SECOND)
    await hub.clock.advance(SECOND - 1)
    hub.settle()
    assert (await hub.end_of(waiting)).state is S.CANCELED


async def test_no_time_to_wait_is_no_wait() -> None:
    hub = Hub()
    accepted = await hub.accept()
    assert await hub.outcome(accepted, at_most_us=0) is accepted
    assert hub.log.looked_at_us == []


@pytest.mark.parametrize("by_us", [3_600 * SECOND, -3_600 * SECOND])
async def test_a_clock_that_is_set_does_not_move_the_deadline(by_us: int) -> None:
    hub = Hub()
    waiting = hub.waiting(await hub.accept(), at_most_us=5 * SECOND)
    await hub.clock.advance(3 * SECOND)
    hub.clock.set_back(by_us)
    await hub.end_of(waiting)
    assert hub.log.looked_at_us[-1] == 5 * SECOND


async def test_a_stop_before_the_wait_is_no_wait() -> None:
    hub = Hub()
    hub.stopping.set()
    accepted = await hub.accept()
    assert await hub.outcome(accepted) is accepted
    assert hub.log.looked_at_us == []


async def test_a_stop_ends_the_wait_with_how_things_stand() -> None:
    hub = Hub()
    waiting = hub.waiting(await hub.accept(), at_most_us=30 * SECOND)
    await hub.clock.advance(2 * SECOND)
    hub.stopping.set()
    assert (await hub.end_of(waiting)).state is S.QUEUED
    assert hub.clock.now_us() <= NOON + 3 * SECOND


async def test_a_text_that_is_scheduled_for_after_the_wait_is_not_waited_for() -> None:
    hub = Hub()
    accepted = await hub.accept(S.SCHEDULED, send_at_us=NOON + 5 * SECOND + 1)
    assert await hub.outcome(accepted, at_most_us=5 * SECOND) is accepted
    assert (hub.log.looked_at_us, hub.clock.now_us()) == ([], NOON)


async def test_a_text_that_is_scheduled_within_the_wait_is_waited_for() -> None:
    hub = Hub()
    waiting = hub.waiting(await hub.accept(S.SCHEDULED, send_at_us=NOON + 5 * SECOND), at_most_us=5 * SECOND)
    await hub.clock.advance(SECOND)
    hub.settle()
    assert (await hub.end_of(waiting)).state is S.CANCELED


@pytest.mark.parametrize("back_after_us", [SECOND, 4 * SECOND])
async def test_a_store_that_is_away_for_a_while_does_not_end_the_wait(back_after_us: int) -> None:
    hub = Hub()
    waiting = hub.waiting(await hub.accept(), at_most_us=5 * SECOND)
    hub.log.away = True
    await hub.clock.advance(back_after_us)
    hub.settle()
    hub.log.away = False
    assert (await hub.end_of(waiting)).state is S.CANCELED


async def test_a_store_that_stays_away_leaves_what_was_known() -> None:
    hub = Hub()
    accepted = await hub.accept()
    hub.log.away = True
    assert await hub.outcome(accepted) is accepted
    assert len(hub.log.looked_at_us) == 9


async def test_a_text_that_is_not_found_is_told_as_it_was() -> None:
    hub = Hub()
    accepted = a_text(7).accepted().summary
    assert (await hub.outcome(accepted)).message.id == a_message_id(7)


async def test_where_too_many_wait_already_nobody_else_does() -> None:
    hub = Hub()
    accepted = await hub.accept()
    first, second = hub.waiting(accepted), hub.waiting(accepted)
    await hub.clock.advance(SECOND)
    assert await hub.waiting(accepted) is None
    await hub.end_of(first)
    await hub.end_of(second)
    assert (await hub.outcome(accepted)).state is S.QUEUED


async def test_who_goes_away_makes_room() -> None:
    hub = Hub()
    accepted = await hub.accept()
    first = hub.waiting(accepted)
    hub.waiting(accepted)
    await hub.clock.advance(SECOND)
    first.cancel()
    await hub.clock.advance()
    assert (await hub.outcome(accepted)).state is S.QUEUED

"""How a dispatcher stays a member, and how it notices that it is none."""

import asyncio

import pytest

from domain.errors import StoreUnavailable
from domain.model.share import Share
from domain.use_cases.hold_membership import HoldMembership, Membership, MembershipTerms
from tests.unit.builders import NOON, SECOND, a_sender
from tests.unit.fakes import FakeClock, InMemoryDispatchers, InMemoryStore, RecordingObserver

TERMS = MembershipTerms(beat_every_us=SECOND, stops_after_us=6 * SECOND, given_up_after_us=10 * SECOND)


class SlowDispatchers(InMemoryDispatchers):
    """Answers to a beat, and to joining, after so long."""

    def __init__(self, store: InMemoryStore, clock: FakeClock) -> None:
        super().__init__(store)
        self._clock = clock
        self.takes_us = 0

    async def join(self, *, now_us: int) -> int:
        await self._clock.sleep_until(self._clock.now_us() + self.takes_us)
        return await super().join(now_us=now_us)

    async def beat(self, dispatcher_id: int, *, now_us: int, heard_since_us: int) -> Share | None:
        share = await super().beat(dispatcher_id, now_us=now_us, heard_since_us=heard_since_us)
        await self._clock.sleep_until(self._clock.now_us() + self.takes_us)
        return share


class Hub:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = InMemoryStore(a_sender())
        self.dispatchers = SlowDispatchers(self.store, self.clock)
        self.observer = RecordingObserver()
        self.hold = HoldMembership(dispatchers=self.dispatchers, clock=self.clock, observer=self.observer, terms=TERMS)

    async def join(self) -> Membership:
        return await self.hold.join()

    async def held(self, membership: Membership) -> asyncio.Task[None]:
        """The membership, being held."""
        holding = asyncio.create_task(self.hold(membership))
        await self.clock.advance()
        return holding

    def last_seen_s_ago(self, membership: Membership) -> float:
        return (self.clock.now_us() - self.store.last_seen_us[membership.dispatcher_id]) / SECOND


async def test_who_joins_is_a_member_at_once() -> None:
    hub = Hub()
    membership = await hub.join()
    assert membership.held
    assert hub.store.last_seen_us == {membership.dispatcher_id: NOON}


async def test_each_start_is_a_new_member() -> None:
    hub = Hub()
    assert (await hub.join()).dispatcher_id != (await hub.join()).dispatcher_id


async def test_members_share_the_senders_from_the_first_moment_on() -> None:
    hub = Hub()
    first, second = await hub.join(), await hub.join()
    assert (first.share, second.share) == (Share(0, 1), Share(1, 2))


async def test_a_share_is_smaller_when_others_come_and_greater_when_they_fall_silent() -> None:
    hub = Hub()
    membership = await hub.join()
    await hub.held(membership)
    await hub.join()
    await hub.clock.advance(SECOND)
    assert membership.share == Share(0, 2)
    await hub.clock.advance(3 * SECOND)
    assert membership.share == Share(0, 1)


async def test_a_membership_is_held_as_long_as_it_beats() -> None:
    hub = Hub()
    membership = await hub.join()
    await hub.held(membership)
    for _ in range(100):
        await hub.clock.advance(700_000)
        assert membership.held
        assert hub.last_seen_s_ago(membership) <= 1


async def test_without_a_beat_a_membership_lapses_by_itself() -> None:
    hub = Hub()
    membership = await hub.join()
    await hub.clock.advance(6 * SECOND - 1)
    assert membership.held
    await hub.clock.advance(1)
    assert not membership.held


async def test_a_membership_lapses_by_true_time_whatever_the_wall_clock_says() -> None:
    hub = Hub()
    membership = await hub.join()
    hub.clock.set_back(3_600 * SECOND)
    assert membership.held
    await hub.clock.advance(6 * SECOND)
    assert not membership.held


async def test_a_membership_counts_from_when_it_was_asked_for_and_not_from_the_answer() -> None:
    hub = Hub()
    hub.dispatchers.takes_us = 2 * SECOND
    membership = await hub.clock.run_until_done(asyncio.create_task(hub.join()))
    await hub.clock.advance(2 * SECOND - 1)
    assert membership.held
    await hub.clock.advance(1)
    assert not membership.held


async def test_a_beat_counts_from_when_it_was_sent_and_not_from_the_answer() -> None:
    hub = Hub()
    membership = await hub.join()
    hub.dispatchers.takes_us = 5 * SECOND
    await hub.held(membership)
    await hub.clock.advance(5 * SECOND)
    assert membership.held
    await hub.clock.advance(SECOND)
    assert not membership.held


async def test_who_was_given_up_by_the_others_is_no_member_any_more() -> None:
    hub = Hub()
    membership = await hub.join()
    holding = await hub.held(membership)
    await hub.dispatchers.dismiss(silent_since_us=hub.clock.now_us() + 1)
    await hub.clock.advance(SECOND)
    assert holding.done()
    assert not membership.held


async def test_a_revoked_membership_is_lost_at_once() -> None:
    membership = await Hub().join()
    membership.revoke()
    assert not membership.held


async def test_a_store_that_is_away_for_a_moment_costs_no_membership() -> None:
    hub = Hub()
    membership = await hub.join()
    holding = await hub.held(membership)
    hub.dispatchers.away = True
    await hub.clock.advance(4 * SECOND)
    assert [type(error) for error in hub.observer.hold_ups] == [StoreUnavailable] * 4
    hub.dispatchers.away = False
    await hub.clock.advance(4 * SECOND)
    assert membership.held
    assert not holding.done()


async def test_a_store_that_stays_away_lets_the_membership_lapse_before_the_others_give_it_up() -> None:
    hub = Hub()
    membership = await hub.join()
    await hub.held(membership)
    hub.dispatchers.away = True
    await hub.clock.advance(6 * SECOND)
    assert not membership.held
    assert hub.last_seen_s_ago(membership) < TERMS.given_up_after_us / SECOND


async def test_who_leaves_is_forgotten() -> None:
    hub = Hub()
    membership = await hub.join()
    await hub.hold.leave(membership)
    assert not hub.store.last_seen_us


async def test_who_cannot_say_good_bye_leaves_all_the_same() -> None:
    hub = Hub()
    membership = await hub.join()
    hub.dispatchers.away = True
    await hub.hold.leave(membership)
    assert hub.store.last_seen_us


async def test_who_cannot_join_is_told_so() -> None:
    hub = Hub()
    hub.dispatchers.away = True
    with pytest.raises(StoreUnavailable):
        await hub.join()


async def test_holding_goes_on_until_it_is_cancelled() -> None:
    hub = Hub()
    holding = await hub.held(await hub.join())
    await hub.clock.advance(3_600 * SECOND)
    assert not holding.done()
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding


def test_a_dispatcher_stops_sending_long_before_the_others_give_it_up() -> None:
    terms = MembershipTerms()
    assert 3 * terms.beat_every_us < terms.stops_after_us
    # Between the two lies the longest time that a call under way may take to reach its provider.
    assert terms.given_up_after_us - terms.stops_after_us >= 2 * SECOND


async def test_each_heartbeat_that_was_heard_is_told() -> None:
    hub = Hub()
    membership = await hub.join()
    await hub.held(membership)
    beats = hub.observer.beats
    await hub.clock.advance(3 * SECOND)
    assert hub.observer.beats == beats + 3

    hub.store.last_seen_us.clear()
    await hub.clock.advance(3 * SECOND)
    assert hub.observer.beats == beats + 3

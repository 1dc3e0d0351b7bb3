"""What becomes of the claims of a dispatcher that is gone."""

from domain.model.delivery import DeliveryState
from domain.model.retry import RetryPolicy
from domain.use_cases.hold_membership import MembershipTerms
from domain.use_cases.rescue_deliveries import RescueDeliveries
from tests.unit.builders import NOON, SECOND, a_delivery, a_message, a_sender
from tests.unit.fakes import FakeClock, InMemoryDispatchers, InMemoryQueue, InMemoryStore, RecordingObserver

S = DeliveryState
TERMS = MembershipTerms(beat_every_us=SECOND, stops_after_us=6 * SECOND, given_up_after_us=10 * SECOND)
GONE = 1


class Hub:
    """A hub whose dispatcher 1 was last heard of at noon."""

    def __init__(self, *, silent_for_us: int = 10 * SECOND + 1) -> None:
        self.clock = FakeClock()
        self.store = InMemoryStore(a_sender())
        self.store.last_seen_us[GONE] = NOON
        self.dispatchers = InMemoryDispatchers(self.store)
        self.observer = RecordingObserver()
        self.clock.jump(silent_for_us)
        self.rescue = RescueDeliveries(
            dispatchers=self.dispatchers,
            queue=InMemoryQueue(self.store),
            clock=self.clock,
            observer=self.observer,
            retry=RetryPolicy(),
            terms=TERMS,
        )

    def add(self, *, slot_us: int = NOON, state: DeliveryState = S.SENDING, claimed_by: int = GONE) -> int:
        """Claimed for a slot; the id that it is stored under."""
        delivery_id = self.store.add(a_message(), a_delivery(state, attempt=1)).id
        self.store.rows[delivery_id].claimed_by = claimed_by
        self.store.rows[delivery_id].slot_us = slot_us
        return delivery_id


async def test_what_may_have_been_sent_is_unknown_and_its_provider_is_asked() -> None:
    hub = Hub()
    delivery_id = hub.add(slot_us=NOON + SECOND)
    assert await hub.rescue() == 1
    delivery = hub.store.delivery(delivery_id)
    assert (delivery.state, delivery.reason) == (S.UNKNOWN, "dispatcher-lost")
    assert delivery.due_us == hub.clock.now_us() + RetryPolicy().enquiry_delays_us[0]


async def test_what_cannot_have_been_sent_is_queued_again() -> None:
    hub = Hub()
    delivery_id = hub.add(slot_us=NOON + 6 * SECOND + 1)
    assert await hub.rescue() == 1
    assert hub.store.delivery(delivery_id).state is S.QUEUED
    assert hub.store.lines[1].due_us is not None


async def test_a_slot_in_the_very_moment_in_which_it_had_to_stop_may_have_been_used() -> None:
    hub = Hub()
    delivery_id = hub.add(slot_us=NOON + 6 * SECOND)
    await hub.rescue()
    assert hub.store.delivery(delivery_id).state is S.UNKNOWN


async def test_a_dispatcher_is_not_given_up_before_its_time() -> None:
    hub = Hub(silent_for_us=10 * SECOND)
    hub.add()
    assert await hub.rescue() == 0
    assert hub.store.states() == [S.SENDING]
    assert GONE in hub.store.last_seen_us


async def test_a_dispatcher_that_is_given_up_is_told_so_if_it_comes_back() -> None:
    hub = Hub()
    hub.add()
    await hub.rescue()
    assert not await hub.dispatchers.beat(GONE, now_us=hub.clock.now_us(), heard_since_us=0)


async def test_what_a_dispatcher_left_behind_that_has_said_good_bye_is_rescued_as_well() -> None:
    hub = Hub(silent_for_us=10 * SECOND + 1)
    hub.add(slot_us=NOON)
    await hub.dispatchers.leave(GONE)
    assert await hub.rescue() == 1
    assert hub.store.states() == [S.UNKNOWN]


async def test_nothing_of_a_living_dispatcher_is_touched() -> None:
    hub = Hub()
    living = GONE + 1
    hub.store.last_seen_us[living] = NOON + SECOND
    orphan, claimed = hub.add(), hub.add(claimed_by=living)
    assert await hub.rescue() == 1
    assert (hub.store.delivery(orphan).state, hub.store.delivery(claimed).state) == (S.UNKNOWN, S.SENDING)
    assert living in hub.store.last_seen_us


async def test_what_the_lost_dispatcher_had_finished_stays_as_it_is() -> None:
    hub = Hub()
    for state in (S.QUEUED, S.SENT, S.UNKNOWN, S.DELIVERED):
        hub.add(state=state)
    assert await hub.rescue() == 0
    assert hub.store.states() == [S.QUEUED, S.SENT, S.UNKNOWN, S.DELIVERED]


async def test_any_number_of_claims_is_rescued_and_told_in_batches() -> None:
    hub = Hub()
    for _ in range(1_201):
        hub.add()
    assert await hub.rescue() == 1_201
    assert [len(batch) for batch in hub.observer.rescues] == [500, 500, 201]
    assert set(hub.store.states()) == {S.UNKNOWN}


async def test_rescuing_twice_rescues_once() -> None:
    hub = Hub()
    hub.add()
    await hub.rescue()
    assert await hub.rescue() == 0


async def test_with_nobody_gone_there_is_nothing_to_do() -> None:
    hub = Hub(silent_for_us=SECOND)
    assert await hub.rescue() == 0
    assert not hub.observer.rescues

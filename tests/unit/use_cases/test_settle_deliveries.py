"""What is queued again, what providers are asked about, and what their answers lead to."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from domain.model.delivery import Delivery, DeliveryState
from domain.model.retry import RetryPolicy
from domain.model.send_outcome import CannotTell, EnquiryAnswer, Found, NotFound
from domain.model.terms import OnUnknown
from domain.use_cases.settle_deliveries import SettleDeliveries
from tests.unit.builders import NOON, SECOND, a_delivery, a_message, a_number, a_sender
from tests.unit.fakes import (
    FakeClock,
    FakeWakeups,
    InMemoryDueDeliveries,
    InMemoryQueue,
    InMemoryStore,
    RecordingObserver,
    ScriptedProvider,
    TroubledQueue,
)

S = DeliveryState


class Hub:
    """A hub with deliveries of two providers, and what those answer, by the delivery's id."""

    def __init__(self, answers: Mapping[int, EnquiryAnswer | Exception] | None = None, *, at_once: int = 50) -> None:
        self.clock = FakeClock()
        self.store = InMemoryStore(a_sender(), a_sender(sender_id=2, address="72975", provider="pigeons"))
        self.post = ScriptedProvider(self.clock, answers=answers)
        self.pigeons = ScriptedProvider(self.clock, answers=answers)
        self.observer = RecordingObserver()
        self.wakeups = FakeWakeups(self.clock)
        self.queue = TroubledQueue(InMemoryQueue(self.store), self.clock)
        self.settle = SettleDeliveries(
            due=InMemoryDueDeliveries(self.store),
            queue=self.queue,
            providers={"post": self.post, "pigeons": self.pigeons},
            clock=self.clock,
            observer=self.observer,
            retry=RetryPolicy(),
            wakeups=self.wakeups,
            at_once=at_once,
        )

    def add(self, delivery: Delivery, *, sender_id: int = 1) -> int:
        """The id that it is stored under."""
        added = self.store.add(a_message(sender_id=sender_id), delivery)
        self.store.rows[added.id].slot_us = NOON
        return added.id


def scheduled(*, due_us: int = NOON) -> Delivery:
    return a_delivery(S.SCHEDULED, attempt=1, failures=1, reason="no-connection", due_us=due_us)


def unknown(*, due_us: int | None = NOON, enquiries: int = 0) -> Delivery:
    return a_delivery(S.UNKNOWN, attempt=1, reason="no-answer", due_us=due_us, enquiries=enquiries)


def sent(*, due_us: int | None = NOON) -> Delivery:
    return a_delivery(S.SENT, attempt=1, provider_reference="SM1", due_us=due_us)


async def test_a_scheduled_delivery_is_queued_when_its_time_has_come() -> None:
    hub = Hub()
    now, later = hub.add(scheduled(due_us=NOON)), hub.add(scheduled(due_us=NOON + 1))
    await hub.settle()
    assert (hub.store.delivery(now).state, hub.store.delivery(later).state) == (S.QUEUED, S.SCHEDULED)
    assert hub.store.lines[1].due_us == NOON


async def test_what_is_queued_again_wakes_the_dispatchers() -> None:
    hub = Hub()
    notified = []
    for _ in range(2):
        await hub.settle()
        notified.append(hub.wakeups.notified)
        hub.add(scheduled())
    await hub.settle()
    assert [*notified, hub.wakeups.notified] == [0, 1, 2]


async def test_of_equal_texts_to_one_number_each_is_told_which_are_the_others() -> None:
    hub = Hub({1: Found("SM1"), 2: Found("SM2"), 3: CannotTell("no-lookup")})
    for _ in range(3):
        hub.add(unknown())
    known = hub.add(sent(due_us=None))
    hub.store.put(replace(hub.store.delivery(known), provider_reference="SM0"))
    await hub.settle()
    assert [enquiry.others for enquiry in hub.post.enquiries] == [{"SM0"}, {"SM0", "SM1"}, {"SM0", "SM1", "SM2"}]


async def test_equal_numbers_are_asked_about_one_after_the_other_and_others_meanwhile() -> None:
    hub = Hub()
    hub.post.takes_us = SECOND
    for number in (a_number(1), a_number(1), a_number(2)):
        hub.add(replace(unknown(), number=number))
    settling = asyncio.create_task(hub.settle())
    await hub.clock.advance(SECOND - 1)
    assert [enquiry.delivery.number for enquiry in hub.post.enquiries] == [a_number(1), a_number(2)]
    await hub.clock.run_until_done(settling)
    assert hub.post.most_under_way == 2


async def test_where_nobody_can_tell_a_program_that_wants_it_gets_its_text_sent_again() -> None:
    hub = Hub({1: CannotTell("no-lookup")})
    hub.store.on_unknown = OnUnknown.RESEND
    hub.add(unknown())
    await hub.settle()
    delivery = hub.store.delivery(1)
    assert (delivery.state, delivery.resends, delivery.due_us) == (S.SCHEDULED, 1, NOON)


async def test_only_what_is_due_is_asked_about() -> None:
    hub = Hub()
    due = hub.add(unknown())
    hub.add(unknown(due_us=NOON + 1))
    hub.add(unknown(due_us=None))
    hub.add(sent(due_us=None))
    hub.add(a_delivery(S.SENDING, attempt=1, due_us=NOON))
    assert await hub.settle() == 1
    assert [enquiry.delivery.id for enquiry in hub.post.enquiries] == [due]


async def test_each_provider_is_asked_about_its_own_deliveries() -> None:
    hub = Hub()
    one, other = hub.add(unknown()), hub.add(unknown(), sender_id=2)
    assert await hub.settle() == 2
    assert [enquiry.delivery.id for enquiry in hub.post.enquiries] == [one]
    assert [enquiry.delivery.id for enquiry in hub.pigeons.enquiries] == [other]


@pytest.mark.parametrize("verdict", [S.DELIVERED, S.UNDELIVERED, S.FAILED, S.EXPIRED])
async def test_a_verdict_is_recorded(verdict: DeliveryState) -> None:
    answer = Found("SM1", verdict, "said-so")
    hub = Hub({1: answer, 2: answer})
    hub.add(unknown())
    hub.add(sent())
    await hub.settle()
    assert [(d.state, d.reason, d.due_us) for d in hub.store.deliveries()] == [(verdict, "said-so", None)] * 2


async def test_a_delivery_that_the_provider_has_and_cannot_judge_yet_is_asked_about_later() -> None:
    hub = Hub({1: Found("SM1", ask_after_us=90 * SECOND)})
    hub.add(unknown())
    await hub.settle()
    delivery = hub.store.delivery(1)
    assert (delivery.state, delivery.due_us) == (S.SENT, NOON + 90 * SECOND)


async def test_a_delivery_that_was_never_sent_is_sent_again_after_the_last_enquiry() -> None:
    hub = Hub({1: NotFound()})
    hub.add(unknown())
    await hub.settle()
    assert (hub.store.delivery(1).state, hub.store.delivery(1).due_us) == (S.UNKNOWN, NOON + 300 * SECOND)
    hub.clock.jump(300 * SECOND)
    await hub.settle()
    await hub.settle()
    assert hub.store.states() == [S.QUEUED]


async def test_a_delivery_about_which_nobody_can_tell_is_not_asked_about_again() -> None:
    hub = Hub({1: CannotTell("no-lookup")})
    hub.add(unknown())
    await hub.settle()
    hub.clock.jump(3_600 * SECOND)
    assert await hub.settle() == 0
    assert hub.store.states() == [S.UNKNOWN]


async def test_all_that_is_due_is_worked_off_and_never_more_at_once_than_allowed() -> None:
    hub = Hub(at_once=4)
    hub.post.takes_us = SECOND
    for which in range(11):
        hub.add(replace(unknown(), number=a_number(which)))
    assert await hub.clock.run_until_done(asyncio.create_task(hub.settle())) == 11
    assert hub.post.most_under_way == 4


async def test_what_a_provider_said_is_told() -> None:
    answer = Found("SM1", S.DELIVERED)
    hub = Hub({1: answer})
    hub.add(unknown())
    await hub.settle()
    ((enquiry, told, after),) = hub.observer.answers
    assert (enquiry.delivery.id, told, after.state) == (1, answer, S.DELIVERED)


async def test_nothing_due_is_nothing_done() -> None:
    hub = Hub()
    assert await hub.settle() == 0
    assert not hub.observer.answers


async def test_what_was_answered_while_the_store_is_away_is_kept_and_recorded_when_it_is_back() -> None:
    hub = Hub({1: Found("SM1", S.DELIVERED)})
    hub.add(unknown())
    hub.queue.away = True
    settling = asyncio.create_task(hub.settle())
    await hub.clock.advance(3 * SECOND)
    assert hub.store.states() == [S.UNKNOWN]
    assert hub.observer.hold_ups
    hub.queue.away = False
    assert await hub.clock.run_until_done(settling) == 1
    assert hub.store.states() == [S.DELIVERED]


async def test_a_provider_adapter_that_fails_costs_no_other_delivery_its_answer() -> None:
    hub = Hub({1: RuntimeError("a bug in the adapter"), 2: Found("SM2", S.DELIVERED)})
    hub.add(unknown())
    hub.add(unknown(), sender_id=2)
    await hub.settle()
    assert hub.store.states() == [S.UNKNOWN, S.DELIVERED]


async def test_a_provider_adapter_that_failed_is_asked_again_a_minute_later() -> None:
    hub = Hub({1: RuntimeError("a bug in the adapter")})
    hub.add(unknown())
    await hub.settle()
    hub.post.answers[1] = Found("SM1", S.DELIVERED)
    hub.clock.jump(60 * SECOND - 1)
    assert await hub.settle() == 0
    hub.clock.jump(1)
    assert await hub.settle() == 1
    assert hub.store.states() == [S.DELIVERED]


async def test_a_delivery_of_a_provider_that_the_hub_no_longer_has_stops_no_other() -> None:
    hub = Hub({2: Found("SM2", S.DELIVERED)})
    hub.store.lines[2].sender = a_sender(sender_id=2, address="72975", provider="gone")
    hub.add(unknown(), sender_id=2)
    hub.add(unknown())
    await hub.settle()
    assert hub.store.states() == [S.UNKNOWN, S.DELIVERED]

"""The engine in virtual time: what it sends when, and what it never does."""

import asyncio
import random
from collections.abc import Iterable, Mapping
from itertools import accumulate, pairwise

import pytest

from domain.model.delivery import DeliveryState
from domain.model.pace import Pace
from domain.model.priority import Priority
from domain.model.retry import RetryPolicy
from domain.model.send_outcome import Accepted, Barred, NotSent, Refused, SendOutcome, Throttled, Unknown
from domain.model.sender import Sender
from domain.model.share import Share
from domain.ports.clock import Clock
from domain.ports.sms_provider import Departure, OutgoingText, SmsProvider
from domain.ports.wakeups import Wakeups
from domain.use_cases.dispatch_deliveries import DispatchDeliveries
from domain.use_cases.hold_membership import Membership
from tests.unit.builders import MINUTE, NOON, SECOND, a_number, a_sender, a_text, an_opt_out
from tests.unit.fakes import (
    Call,
    FakeClock,
    FakeWakeups,
    InMemoryIntake,
    InMemoryOptOuts,
    InMemoryQueue,
    InMemoryStore,
    RecordingObserver,
    ScriptedProvider,
    TroubledQueue,
    settled,
)

S = DeliveryState
MS = 1_000
MADE_UP_US = 500
THREE_SEGMENTS = "x" * 450
TWENTY_FOUR_SEGMENTS = "я" * 1_600

FAR_TOO_LONG_S = 30.0  # Real time, for what must never wait so long.


class Hub:
    """A store with some senders, and the engines that send from it."""

    def __init__(self, *senders: Sender, outcomes: Iterable[SendOutcome | Exception] = ()) -> None:
        self.senders = senders or (a_sender("1/s"),)
        self.clock = FakeClock()
        self.store = InMemoryStore(*self.senders)
        self.intake = InMemoryIntake(self.store)
        self.queue = TroubledQueue(InMemoryQueue(self.store), self.clock)
        self.wakeups = FakeWakeups(self.clock)
        self.observer = RecordingObserver()
        self.provider = ScriptedProvider(self.clock, outcomes)
        self.providers: Mapping[str, SmsProvider] = {"post": self.provider}
        self.stopping = asyncio.Event()

    def mails_instead(self, *outcomes: SendOutcome | Exception) -> ScriptedProvider:
        """What PHARMACY's texts go by, which is tried out."""
        mail = ScriptedProvider(self.clock, outcomes)
        self.providers = {**self.providers, "mail": mail}
        self.store.mail_to["PHARMACY"] = "office@example.org"
        return mail

    async def accept(
        self,
        count: int = 1,
        *,
        text: str = "Hello.",
        sender_id: int = 1,
        priority: Priority = Priority.NORMAL,
        program_id: str = "PHARMACY",
        expires_us: int | None = None,
    ) -> None:
        """A text to so many numbers, whose last digits are the ids of their deliveries."""
        first = len(self.store.rows) + 1
        numbers = [a_number(which) for which in range(first, first + count)]
        await self.intake.add(
            a_text(
                first,
                to=numbers,
                text=text,
                sender_id=sender_id,
                priority=priority,
                program_id=program_id,
                expires_us=expires_us,
            )
        )
        self.wakeups.notify()

    def start(
        self,
        dispatcher_id: int = 1,
        *,
        process: "StoppableProcess | None" = None,
        membership_us: int = 3_600 * SECOND,
        most_in_flight: int = 500,
        grace_s: float = FAR_TOO_LONG_S,
    ) -> asyncio.Task[bool]:
        clock = process or self.clock
        dispatch = DispatchDeliveries(
            queue=self.queue,
            providers=self.providers,
            clock=clock,
            wakeups=process or self.wakeups,
            observer=self.observer,
            retry=RetryPolicy(),
            most_in_flight=most_in_flight,
            grace_s=grace_s,
            jitter=lambda: 1.0,
        )
        self.membership = Membership(
            dispatcher_id=dispatcher_id, clock=clock, good_for_us=membership_us, renewed_us=clock.monotonic_us()
        )
        return asyncio.create_task(dispatch(self.membership, self.stopping))

    async def stop(self, run: asyncio.Task[bool]) -> bool:
        self.stopping.set()
        return await self.clock.run_until_done(run)

    @property
    def calls(self) -> list[Call]:
        return self.provider.calls

    def sent_ids(self) -> list[int]:
        return [call.text.delivery_id for call in self.calls]

    def called_after_us(self) -> list[int]:
        """When the provider was called, in microseconds after the first call."""
        return [call.at_us - self.calls[0].at_us for call in self.calls]

    def ahead_us(self, interval_us: int) -> int:
        """By how much any stretch of calls was shorter than its intervals make it, at the most."""
        over = [call.at_us - index * interval_us for index, call in enumerate(self.calls)]
        return max(latest - later for latest, later in zip(accumulate(over, max), over, strict=True))

    def states(self) -> set[DeliveryState]:
        return set(self.store.states())


async def test_a_text_is_sent_as_soon_as_it_is_accepted() -> None:
    hub = Hub()
    run = hub.start()
    await hub.clock.advance(10 * SECOND)
    await hub.accept()
    await hub.clock.advance(1 * MS)
    (call,) = hub.calls
    assert call.number == a_number(1)
    assert (call.text.delivery_id, call.text.attempt, call.text.body.text) == (1, 1, "Hello.")
    assert call.text.sender == hub.senders[0].address
    assert await hub.stop(run)
    assert hub.store.delivery(1).provider_reference == "reference-1"


async def test_a_text_whose_wake_up_was_lost_is_found_by_looking() -> None:
    hub = Hub()
    run = hub.start()
    await hub.clock.advance(10 * SECOND)
    await hub.intake.add(a_text())
    await hub.clock.advance(100 * MS)
    assert len(hub.calls) == 1
    await hub.stop(run)


@pytest.mark.parametrize(("pace", "count"), [("1/s", 20), ("50/s", 1_000), ("40/min", 20), ("300/s", 2_000)])
async def test_texts_are_sent_in_order_and_no_closer_than_the_pace_allows(pace: str, count: int) -> None:
    hub = Hub(a_sender(pace))
    await hub.accept(count)
    run = hub.start()
    interval_us = Pace.parse(pace).interval_us()
    await hub.clock.advance(int(1.01 * count * interval_us))
    assert hub.sent_ids() == list(range(1, count + 1))
    assert hub.ahead_us(interval_us) <= MADE_UP_US
    await hub.stop(run)
    assert hub.states() == {S.SENT}


@pytest.mark.parametrize("pace", ["1/s", "50/s"])
async def test_a_sender_with_a_backlog_uses_99_percent_of_its_pace(pace: str) -> None:
    hub = Hub(a_sender(pace))
    possible = int(60 * Pace.parse(pace).per_second)
    await hub.accept(2 * possible)
    hub.start()
    await hub.clock.advance(60 * SECOND - 1)
    assert 0.99 * possible <= len(hub.calls) <= possible


async def test_texts_that_come_one_by_one_keep_the_pace_as_well() -> None:
    hub = Hub(a_sender("10/s"))
    hub.start()
    for _ in range(100):
        await hub.accept()
        await hub.clock.advance(30 * MS)
    await hub.clock.advance(20 * SECOND)
    assert hub.sent_ids() == list(range(1, 101))
    assert hub.ahead_us(100 * MS) <= MADE_UP_US


async def test_the_line_stays_busy_for_three_seconds_after_a_text_of_three_segments() -> None:
    hub = Hub(a_sender("1/s"))
    await hub.accept()
    await hub.accept(text=THREE_SEGMENTS)
    await hub.accept(2)
    hub.start()
    await hub.clock.advance(10 * SECOND)
    assert hub.called_after_us() == [0, 1_005 * MS, 4_020 * MS, 5_025 * MS]


async def test_one_senders_backlog_does_not_hold_up_another_sender() -> None:
    hub = Hub(a_sender("1/s"), a_sender("50/s", sender_id=2, address="72975"))
    await hub.accept(100)
    await hub.accept(10, sender_id=2)
    hub.start()
    await hub.clock.advance(300 * MS)
    assert sorted(hub.sent_ids()) == [1, *range(101, 111)]


async def test_who_has_opted_out_since_the_text_was_accepted_is_not_texted() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(3)
    await InMemoryOptOuts(hub.store).record([an_opt_out("PHARMACY", a_number(2), at_us=NOON)])
    run = hub.start()
    await hub.clock.advance(SECOND)
    await hub.stop(run)
    assert hub.sent_ids() == [1, 3]
    assert hub.store.states() == [S.SENT, S.BLOCKED, S.SENT]


@pytest.mark.parametrize("stall_ms", [15, 25, 60, 95, 150, 700, 5_000])
@pytest.mark.parametrize("pace", ["1/s", "20/s", "50/s"])
async def test_a_process_that_was_stopped_for_a_while_makes_up_for_it_by_no_burst(pace: str, stall_ms: int) -> None:
    hub = Hub(a_sender(pace))
    await hub.accept(400)
    run = hub.start()
    for _ in range(5):
        await hub.clock.advance(1_313 * MS)
        hub.clock.jump(stall_ms * MS)
        await settled()
    await hub.clock.advance(2 * SECOND)
    assert hub.ahead_us(Pace.parse(pace).interval_us()) <= MADE_UP_US
    await hub.stop(run)
    assert len(set(hub.sent_ids())) == len(hub.sent_ids())


@pytest.mark.parametrize("seed", range(5))
async def test_a_busy_machine_that_wakes_everybody_late_makes_no_burst(seed: int) -> None:
    hub = Hub(a_sender("50/s"))
    chance = random.Random(seed)
    hub.clock.wakes_late_us = lambda: int(chance.expovariate(1) * 12 * MS)
    await hub.accept(500)
    hub.start()
    await hub.clock.advance(8 * SECOND)
    assert len(hub.calls) > 200
    assert hub.ahead_us(20 * MS) <= MADE_UP_US


async def test_what_keeps_the_process_busy_just_before_a_call_makes_no_burst() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(10)
    hub.start()
    await hub.clock.advance(5 * MS)
    second_slot_us = NOON + 20_100

    async def work_hard() -> None:
        # Lies down after the engine did, so it runs when the engine has just decided to send.
        await hub.clock.sleep_until(second_slot_us - 1)
        await hub.clock.sleep_until(second_slot_us)
        hub.clock.jump(50 * MS)

    hog = asyncio.create_task(work_hard())
    await hub.clock.advance(SECOND)
    await hog
    assert len(hub.calls) == 10
    assert hub.ahead_us(20 * MS) <= MADE_UP_US


async def test_slots_that_were_missed_within_the_guard_are_used_late() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(10)
    run = hub.start()
    await hub.clock.advance(5 * MS)
    hub.clock.jump(90 * MS)
    await hub.clock.advance(SECOND)
    await hub.stop(run)
    assert not hub.observer.released_claims
    assert [attempt.late_us for attempt in hub.observer.attempts][:3] == [0, 74_900, 74_800 - MADE_UP_US]


async def test_slots_after_those_that_are_used_late_are_planned_later_so_that_lateness_does_not_stay() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(200)
    run = hub.start()
    await hub.clock.advance(5 * MS)
    hub.clock.jump(90 * MS)
    await hub.clock.advance(2 * SECOND)
    await hub.stop(run)
    late_us = [attempt.late_us for attempt in hub.observer.attempts]
    assert late_us[1] == 74_900
    assert max(late_us[60:]) < 3 * MS


async def test_slots_that_were_missed_by_more_than_the_guard_are_given_up_and_their_texts_sent_later() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(10)
    run = hub.start()
    await hub.clock.advance(5 * MS)
    hub.clock.jump(2 * SECOND)
    await hub.clock.advance(SECOND)
    await hub.stop(run)
    assert [claim.delivery.id for claim in hub.observer.released_claims] == list(range(2, 11))
    assert [(call.text.delivery_id, call.text.attempt) for call in hub.calls] == [(1, 1)] + [
        (which, 2) for which in range(2, 11)
    ]
    assert hub.states() == {S.SENT}


@pytest.mark.parametrize("stall_ms", [90, 130, 300, 760, 900])
async def test_no_slot_is_used_after_its_last_moment(stall_ms: int) -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(300)
    run = hub.start()
    for _ in range(4):
        await hub.clock.advance(511 * MS)
        hub.clock.jump(stall_ms * MS)
    await hub.clock.advance(SECOND)
    await hub.stop(run)
    for attempt in hub.observer.attempts:
        assert attempt.claim.slot.at_us + attempt.late_us <= attempt.claim.slot.not_after_us


class StoppableProcess(Clock, Wakeups):
    """What a process that is stopped and continued sees of the time: while it is stopped nothing in it wakes."""

    heard_from_all = False

    def __init__(self, hub: Hub) -> None:
        self._clock = hub.clock
        self._wakeups = hub.wakeups
        self.running = asyncio.Event()
        self.running.set()

    def now_us(self) -> int:
        return self._clock.now_us()

    def monotonic_us(self) -> int:
        return self._clock.monotonic_us()

    async def sleep_until(self, at_us: int, *, exactly: bool = False) -> None:
        await self._clock.sleep_until(at_us, exactly=exactly)
        await self.running.wait()

    async def pause(self, for_us: int) -> None:
        await self._clock.pause(for_us)
        await self.running.wait()

    def notify(self) -> None:
        self._wakeups.notify()

    async def wait(self, *, at_most_s: float) -> bool:
        woken = await self._wakeups.wait(at_most_s=at_most_s)
        await self.running.wait()
        return woken

    async def drained(self) -> None:
        """There is nobody to tell."""

    async def listen(self) -> None:
        await self._wakeups.listen()


@pytest.mark.parametrize("stopped_for_ms", [60, 110, 250, 480, 700, 820, 900, 2_000])
async def test_two_dispatchers_that_take_a_sender_from_each_other_keep_its_pace(stopped_for_ms: int) -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(600)
    process = StoppableProcess(hub)
    runs = [hub.start(1, process=process), hub.start(2)]
    chance = random.Random(stopped_for_ms)
    for _ in range(4):
        await hub.clock.advance(int(chance.uniform(300, 900)) * MS)
        process.running.clear()
        await hub.clock.advance(stopped_for_ms * MS)
        process.running.set()
    await hub.clock.advance(SECOND)
    assert hub.ahead_us(20 * MS) <= MADE_UP_US
    assert len(hub.calls) > 100
    for run in runs:
        await hub.stop(run)
    assert len(set(hub.sent_ids())) == len(hub.sent_ids())


async def test_no_more_calls_are_under_way_than_allowed() -> None:
    hub = Hub(a_sender("50/s"), a_sender("50/s", sender_id=2, address="72975"))
    hub.provider.takes_us = 3 * SECOND
    await hub.accept(50)
    await hub.accept(50, sender_id=2)
    hub.start(most_in_flight=3)
    await hub.clock.advance(30 * SECOND)
    assert hub.provider.most_under_way == 3
    assert len(hub.calls) >= 27


async def test_a_call_that_ends_makes_room_whatever_it_came_to() -> None:
    hub = Hub(a_sender("10/s"), outcomes=[RuntimeError(), Throttled(SECOND), Refused("unroutable"), Unknown("late")])
    hub.provider.takes_us = 30 * MS
    await hub.accept(8)
    run = hub.start(most_in_flight=1)
    await hub.clock.advance(20 * SECOND)
    await hub.stop(run)
    assert sorted(hub.sent_ids()) == [1, 2, 2, 3, 4, 5, 6, 7, 8]


async def test_the_time_of_a_call_and_its_lateness_are_told() -> None:
    hub = Hub(a_sender("50/s"))
    hub.provider.takes_us = 250 * MS
    await hub.accept(2)
    hub.start()
    await hub.clock.advance(SECOND)
    assert [(attempt.late_us, attempt.took_us) for attempt in hub.observer.attempts] == [(0, 250 * MS)] * 2


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (Accepted("SM1"), S.SENT, None),
        (Refused("unroutable"), S.FAILED, "unroutable"),
        (Refused("opted-out-at-provider", opted_out=True), S.BLOCKED, "opted-out-at-provider"),
        (NotSent("no-connection"), S.SCHEDULED, "no-connection"),
        (Unknown("no-answer"), S.UNKNOWN, "no-answer"),
        (RuntimeError("a bug in the adapter"), S.UNKNOWN, "provider-adapter-failed"),
    ],
)
async def test_what_a_call_came_to_is_recorded(
    outcome: SendOutcome | Exception, state: DeliveryState, reason: str | None
) -> None:
    hub = Hub(outcomes=[outcome])
    await hub.accept()
    hub.start()
    await hub.clock.advance(50 * MS)
    delivery = hub.store.delivery(1)
    assert (delivery.state, delivery.reason) == (state, reason)
    assert hub.observer.attempts[0].after.state is state


async def test_a_provider_that_fails_once_is_called_for_the_next_text_all_the_same() -> None:
    hub = Hub(a_sender("50/s"), outcomes=[RuntimeError("a bug in the adapter")])
    await hub.accept(2)
    run = hub.start()
    await hub.clock.advance(SECOND)
    assert await hub.stop(run)
    assert hub.store.states() == [S.UNKNOWN, S.SENT]


async def test_a_text_whose_provider_the_hub_no_longer_has_stops_no_other_text() -> None:
    hub = Hub(a_sender("1/s", provider="gone"), a_sender("1/s", sender_id=2, address="72975"))
    await hub.accept()
    await hub.accept(sender_id=2)
    run = hub.start()
    await hub.clock.advance(SECOND)
    assert await hub.stop(run)
    assert hub.sent_ids() == [2]


async def test_outcomes_are_recorded_together_and_soon() -> None:
    hub = Hub(a_sender("1000/s"))
    await hub.accept(15)
    hub.start()
    await hub.clock.advance(75 * MS)
    assert hub.store.states() == [S.SENT] * 15


@pytest.mark.parametrize(("asked_us", "kept_free_us"), [(3 * SECOND, 3 * SECOND), (None, 2 * SECOND), (0, 2 * SECOND)])
async def test_a_throttled_text_is_queued_again_and_its_sender_waits(asked_us: int | None, kept_free_us: int) -> None:
    hub = Hub(a_sender("1/s"), outcomes=[Throttled(asked_us)])
    await hub.accept()
    run = hub.start()
    await hub.clock.advance(10 * MS)
    await hub.clock.advance(10 * SECOND)
    await hub.stop(run)
    assert hub.queue.delays == [(1, kept_free_us)]
    assert hub.sent_ids() == [1, 1]
    assert kept_free_us <= hub.called_after_us()[1] <= kept_free_us + 200 * MS
    assert (hub.store.delivery(1).state, hub.store.delivery(1).failures) == (S.SENT, 0)


async def test_a_throttled_sender_waits_before_anybody_can_claim_its_text_again() -> None:
    hub = Hub(a_sender("1/s"), outcomes=[Throttled(5 * SECOND)])
    hub.queue.delay_takes_us = 300 * MS
    await hub.accept()
    runs = [hub.start(1), hub.start(2)]
    await hub.clock.advance(4 * SECOND)
    assert hub.sent_ids() == [1]
    for run in runs:
        await hub.stop(run)


async def test_a_lapsed_membership_ends_the_run_and_hands_back_what_was_not_sent() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(1_000)
    run = hub.start(membership_us=6 * SECOND)
    assert await hub.clock.run_until_done(run)
    assert max(hub.called_after_us()) < 6 * SECOND
    assert len(hub.calls) > 290
    assert hub.states() == {S.SENT, S.QUEUED}
    assert hub.store.states().count(S.SENT) == len(hub.calls)


async def test_a_process_that_was_stopped_until_its_membership_had_lapsed_sends_nothing_more() -> None:
    hub = Hub(a_sender("1/s"))
    await hub.accept(10)
    # A slot far ahead, so that it is still good when the process goes on.
    await hub.queue.delay(1, 20 * SECOND, now_us=NOON)
    run = hub.start(membership_us=6 * SECOND)
    await hub.clock.advance(SECOND)
    hub.clock.jump(18_900 * MS)
    await hub.clock.run_until_done(run)
    assert hub.calls == []
    assert hub.states() == {S.QUEUED}


async def test_a_text_claimed_for_later_is_not_sent_when_the_membership_lapses_while_the_store_hangs() -> None:
    hub = Hub(a_sender("1/s"))
    await hub.accept(10)
    await hub.queue.delay(1, 8 * SECOND, now_us=NOON)
    run = hub.start(membership_us=6 * SECOND)
    await hub.clock.advance(SECOND)
    hub.queue.claim_takes_us = 20 * SECOND
    await hub.clock.run_until_done(run)
    assert hub.calls == []
    assert S.SENDING not in hub.states()


async def test_a_revoked_membership_lets_no_claimed_text_out() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(100)
    run = hub.start()
    await hub.clock.advance(105 * MS)
    sent = len(hub.calls)
    hub.membership.revoke()
    await hub.clock.run_until_done(run)
    assert len(hub.calls) == sent == 6
    assert hub.states() == {S.SENT, S.QUEUED}


async def test_a_stop_hands_back_what_was_claimed_and_not_begun() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(100)
    run = hub.start()
    await hub.clock.advance(105 * MS)
    assert S.SENDING in hub.states()
    assert await hub.stop(run)
    sent = len(hub.calls)
    # It may be a tenth of a second until it notices.
    assert max(hub.called_after_us()) <= 205 * MS
    assert hub.store.states() == [S.SENT] * sent + [S.QUEUED] * (100 - sent)
    assert [claim.delivery.id for claim in hub.observer.released_claims] == [
        claim.delivery.id for claim in hub.queue.claims[sent:]
    ]


async def test_a_stop_during_a_claim_that_takes_long_hands_back_what_it_brought() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(10)
    hub.queue.claim_takes_us = 60 * MS
    run = hub.start()
    await hub.clock.advance(20 * MS)
    # "Everything is recorded" is what lets the dispatcher leave, after which nobody would look for its claims.
    assert await hub.stop(run)
    assert S.SENDING not in hub.states()


async def test_what_was_handed_back_is_sent_by_the_next_dispatcher() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(30)
    first = hub.start(1)
    await hub.clock.advance(105 * MS)
    await hub.stop(first)
    hub.stopping.clear()
    hub.start(2)
    await hub.clock.advance(3 * SECOND)
    assert hub.sent_ids() == list(range(1, 31))
    assert hub.ahead_us(20 * MS) <= MADE_UP_US


async def test_a_stop_waits_for_calls_under_way() -> None:
    hub = Hub()
    hub.provider.takes_us = 15 * SECOND
    await hub.accept()
    run = hub.start()
    await hub.clock.advance(SECOND)
    hub.stopping.set()
    await hub.clock.advance(13 * SECOND)
    assert not run.done()
    await hub.clock.advance(SECOND)
    assert run.result()
    assert hub.store.states() == [S.SENT]


async def test_calls_that_outlast_the_grace_are_unknown_since_they_may_have_been_taken() -> None:
    hub = Hub()
    hub.provider.takes_us = None
    await hub.accept()
    run = hub.start(grace_s=0.01)
    await hub.clock.advance(SECOND)
    hub.stopping.set()
    await hub.clock.advance(SECOND)
    assert await asyncio.wait_for(run, FAR_TOO_LONG_S)
    delivery = hub.store.delivery(1)
    assert (delivery.state, delivery.reason) == (S.UNKNOWN, "stopped-while-sending")
    assert delivery.due_us is not None


async def a_stop_while_a_text_keeps_its_distance(*, grace_s: float) -> tuple[Hub, asyncio.Task[bool]]:
    """The second text is sent 95 ms late and takes half a second, so the third waits beyond its slot, until 695 ms."""
    hub = Hub(a_sender("10/s"))
    await hub.accept()
    await hub.accept(text="x" * 700)
    await hub.accept()
    run = hub.start(grace_s=grace_s)
    await hub.clock.advance(5 * MS)
    hub.clock.jump(190 * MS)
    await hub.clock.advance(415 * MS)
    hub.stopping.set()
    hub.wakeups.notify()
    await hub.clock.advance(60 * MS)
    return hub, run


async def test_a_text_that_keeps_its_distance_at_a_stop_is_not_sent_any_more() -> None:
    hub, run = await a_stop_while_a_text_keeps_its_distance(grace_s=FAR_TOO_LONG_S)
    assert await hub.clock.run_until_done(run)
    assert hub.sent_ids() == [1, 2]
    assert hub.store.states() == [S.SENT, S.SENT, S.QUEUED]


async def test_a_text_that_keeps_its_distance_when_the_grace_ends_is_handed_back_and_not_unknown() -> None:
    hub, run = await a_stop_while_a_text_keeps_its_distance(grace_s=0.01)
    assert await asyncio.wait_for(run, FAR_TOO_LONG_S)
    assert hub.sent_ids() == [1, 2]
    assert hub.store.states() == [S.SENT, S.SENT, S.QUEUED]


async def test_a_run_that_is_cancelled_waits_for_nobody_and_still_records_what_it_knows() -> None:
    hub = Hub(a_sender("10/s"), outcomes=[Accepted("SM1")])
    await hub.accept(8)
    run = hub.start()
    await hub.clock.advance(5 * MS)
    hub.provider.takes_us = None
    await hub.clock.advance(200 * MS)
    run.cancel()
    await settled()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(run, FAR_TOO_LONG_S)
    assert hub.store.states() == [S.SENT] + [S.UNKNOWN] * 2 + [S.QUEUED] * 5


async def test_a_call_that_cannot_find_room_is_handed_back_at_a_stop() -> None:
    hub = Hub(a_sender("50/s"))
    hub.provider.takes_us = 15 * SECOND
    await hub.accept(2)
    run = hub.start(most_in_flight=1)
    await hub.clock.advance(SECOND)
    assert await hub.stop(run)
    assert hub.sent_ids() == [1]
    assert hub.store.states() == [S.SENT, S.QUEUED]


async def test_while_the_store_is_away_only_what_was_claimed_is_sent_and_then_all_goes_on() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(300)
    run = hub.start()
    await hub.clock.advance(SECOND)
    hub.queue.away = True
    claimed = [(claim.delivery.id, claim.delivery.attempt) for claim in hub.queue.claims]
    await hub.clock.advance(5 * SECOND)
    assert {(call.text.delivery_id, call.text.attempt) for call in hub.calls} <= set(claimed)
    assert hub.observer.hold_ups
    hub.queue.away = False
    await hub.clock.advance(10 * SECOND)
    assert await hub.stop(run)
    assert hub.states() == {S.SENT}
    assert hub.ahead_us(20 * MS) <= MADE_UP_US
    assert hub.sent_ids() == list(range(1, 301))


async def test_a_store_that_is_away_is_asked_for_claims_once_a_second() -> None:
    hub = Hub()
    hub.queue.away = True
    hub.start()
    await hub.clock.advance(10 * SECOND - 1)
    assert len(hub.queue.tried_to_claim_at) == 10
    assert len(hub.observer.hold_ups) >= 10


async def test_results_are_kept_while_the_store_is_away_and_recorded_when_it_is_back() -> None:
    hub = Hub(a_sender("50/s"), outcomes=[Refused("unroutable")])
    hub.provider.takes_us = 200 * MS
    await hub.accept(3)
    hub.start()
    await hub.clock.advance(100 * MS)
    hub.queue.away = True
    await hub.clock.advance(10 * SECOND)
    assert hub.store.states() == [S.SENDING] * 3
    # Ten times each to record and to claim, and twice to look for strays.
    assert len(hub.observer.hold_ups) == pytest.approx(22, abs=2)
    hub.queue.away = False
    await hub.clock.advance(1_020 * MS)
    assert hub.store.states() == [S.FAILED, S.SENT, S.SENT]
    assert hub.sent_ids() == [1, 2, 3]


async def test_a_delay_is_kept_while_the_store_is_away_and_set_when_it_is_back() -> None:
    hub = Hub(outcomes=[Throttled(30 * SECOND)])
    hub.provider.takes_us = 200 * MS
    await hub.accept()
    hub.start()
    await hub.clock.advance(100 * MS)
    hub.queue.away = True
    await hub.clock.advance(5 * SECOND)
    hub.queue.away = False
    await hub.clock.advance(1_020 * MS)
    assert hub.queue.delays == [(1, 30 * SECOND)]


async def test_a_stop_while_the_store_is_away_says_that_not_everything_is_recorded() -> None:
    hub = Hub()
    hub.provider.takes_us = 200 * MS
    await hub.accept()
    run = hub.start()
    await hub.clock.advance(100 * MS)
    hub.queue.away = True
    assert await hub.stop(run) is False


async def test_a_stop_waits_for_a_store_that_comes_back() -> None:
    hub = Hub()
    hub.provider.takes_us = 200 * MS
    await hub.accept()
    run = hub.start()
    await hub.clock.advance(100 * MS)
    hub.queue.away = True
    hub.stopping.set()
    await hub.clock.advance(5 * SECOND)
    assert not run.done()
    hub.queue.away = False
    assert await hub.clock.run_until_done(run)
    assert hub.store.states() == [S.SENT]


async def test_a_stop_while_a_result_is_being_recorded_loses_none() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(3)
    run = hub.start()
    await hub.clock.advance(25 * MS)
    hub.queue.record_takes_us = 400 * MS
    await hub.clock.advance(100 * MS)
    assert await hub.stop(run)
    assert hub.states() == {S.SENT}


async def test_a_stop_while_a_delay_is_being_stored_stores_it_all_the_same() -> None:
    hub = Hub(outcomes=[Throttled(30 * SECOND)])
    hub.queue.delay_takes_us = 400 * MS
    await hub.accept()
    run = hub.start()
    await hub.clock.advance(100 * MS)
    assert await hub.stop(run)
    assert hub.store.lines[1].next_free_us > NOON + 29 * SECOND


async def test_claims_whose_answer_was_lost_are_found_and_sent_after_all() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(3)
    hub.queue.loses_answers = True
    run = hub.start()
    await hub.clock.advance(SECOND)
    hub.queue.loses_answers = False
    assert hub.states() == {S.SENDING}
    await hub.clock.advance(11 * SECOND)
    assert sorted(hub.sent_ids()) == [1, 2, 3]
    assert await hub.stop(run)
    assert hub.states() == {S.SENT}


async def test_a_stop_does_not_leave_claims_behind_whose_answer_was_lost() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(3)
    hub.queue.loses_answers = True
    run = hub.start()
    await hub.clock.advance(SECOND)
    hub.queue.loses_answers = False
    everything_is_recorded = await hub.stop(run)
    assert everything_is_recorded
    assert hub.states() == {S.QUEUED}


async def test_a_call_that_takes_long_is_no_stray() -> None:
    hub = Hub(a_sender("50/s"))
    hub.provider.takes_us = 60 * SECOND
    await hub.accept(3)
    run = hub.start()
    await hub.clock.advance(59 * SECOND)
    assert hub.states() == {S.SENDING}
    assert await hub.stop(run)
    assert sorted(hub.sent_ids()) == [1, 2, 3]


async def test_a_claim_that_waits_long_for_its_slot_is_no_stray() -> None:
    hub = Hub()
    await hub.queue.delay(1, 60 * SECOND, now_us=NOON)
    await hub.accept()
    hub.start()
    await hub.clock.advance(61 * SECOND)
    assert [(call.text.delivery_id, call.text.attempt) for call in hub.calls] == [(1, 1)]


async def test_what_a_call_came_to_while_strays_were_looked_for_stands() -> None:
    hub = Hub(outcomes=[Unknown("no-answer")])
    hub.provider.takes_us = 10 * SECOND + 50 * MS
    hub.queue.strays_answer_takes_us = 200 * MS
    await hub.accept()
    hub.start()
    await hub.clock.advance(20 * SECOND)
    # It may have been sent: it must not be sent again.
    assert hub.sent_ids() == [1]
    assert [delivery.state for delivery in hub.queue.recorded] == [S.UNKNOWN]


async def test_a_claim_whose_answer_takes_long_is_not_taken_for_a_stray_and_sent_twice() -> None:
    hub = Hub(a_sender("3/s"))
    run = hub.start()
    await hub.clock.advance(4_850 * MS)
    hub.queue.claim_answer_takes_us = 6 * SECOND
    # The second keeps the line for eight seconds, so the first may be sent late by as much.
    await hub.accept()
    await hub.accept(text=TWENTY_FOUR_SEGMENTS)
    await hub.clock.advance(SECOND)
    hub.queue.claim_answer_takes_us = 0
    await hub.clock.advance(30 * SECOND)
    assert sorted(hub.sent_ids()) == [1, 2]
    await hub.stop(run)


class Fault(Exception):
    """Such as a constraint of the database that nobody thought of."""


async def test_a_fault_while_claiming_ends_the_run_with_it() -> None:
    hub = Hub()
    run = hub.start()
    await hub.clock.advance(SECOND)
    hub.queue.claim_fault = Fault()
    with pytest.raises(Fault):
        await hub.clock.run_until_done(run)


async def test_a_fault_while_recording_ends_the_run_with_it() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(200)
    run = hub.start()
    hub.queue.record_fault = Fault()
    with pytest.raises(Fault):
        await hub.clock.run_until_done(run, within_us=SECOND)


async def test_a_fault_while_delaying_ends_the_run_with_it() -> None:
    hub = Hub(outcomes=[Throttled()])
    hub.queue.delay_fault = Fault()
    await hub.accept()
    with pytest.raises(Fault):
        await hub.clock.run_until_done(hub.start(), within_us=SECOND)


async def test_a_fault_while_claiming_costs_no_call_under_way_its_result_and_no_claim_its_return() -> None:
    hub = Hub(a_sender("50/s"))
    hub.provider.takes_us = 500 * MS
    await hub.accept(200)
    run = hub.start()
    await hub.clock.advance(105 * MS)
    hub.queue.claim_fault = Fault()
    with pytest.raises(Fault):
        await hub.clock.run_until_done(run)
    assert hub.states() == {S.SENT, S.QUEUED}


async def test_nothing_is_sent_after_a_fault() -> None:
    hub = Hub(a_sender("50/s"))
    await hub.accept(200)
    run = hub.start()
    await hub.clock.advance(105 * MS)
    hub.queue.record_fault = Fault()
    with pytest.raises(Fault):
        await hub.clock.run_until_done(run)
    sent = len(hub.calls)
    await hub.clock.advance(MINUTE)
    assert len(hub.calls) == sent < 20


async def test_a_flood_of_accepted_texts_makes_no_flood_of_claims() -> None:
    hub = Hub(a_sender("1/s"))
    hub.start()
    for _ in range(1_000):
        await hub.accept()
        await hub.clock.advance(1 * MS)
    # One in 50 ms at the most.
    assert len(hub.queue.tried_to_claim_at) <= 21


class CancellingProvider(SmsProvider):
    """Lets a cancellation of its own out, as a library's time limit may."""

    async def send(self, text: OutgoingText, departure: Departure) -> SendOutcome:
        await departure()
        raise asyncio.CancelledError(text.delivery_id)

    prepare = ScriptedProvider.prepare
    account_of = ScriptedProvider.account_of
    look_up = ScriptedProvider.look_up
    close = ScriptedProvider.close


async def test_a_call_that_cancels_itself_is_unknown() -> None:
    hub = Hub()
    hub.providers = {"post": CancellingProvider()}
    await hub.accept()
    hub.start()
    await hub.clock.advance(SECOND)
    assert hub.store.states() == [S.UNKNOWN]


async def test_the_fault_of_an_adapter_is_told_to_the_observer() -> None:
    fault = RuntimeError("a bug in the adapter")
    hub = Hub(outcomes=[fault])
    await hub.accept()
    hub.start()
    await hub.clock.advance(SECOND)
    assert hub.observer.adapter_faults == [("post", fault)]


async def test_texts_leave_in_their_order_although_the_first_connects_slowly() -> None:
    hub = Hub(a_sender("50/s"))
    hub.provider.connecting.extend([70 * MS, 0, 40 * MS])
    await hub.accept(6)
    hub.start()
    await hub.clock.advance(SECOND)
    assert hub.sent_ids() == [1, 2, 3, 4, 5, 6]
    assert hub.ahead_us(20 * MS) <= MADE_UP_US


async def test_one_sender_that_connects_slowly_holds_up_no_other() -> None:
    hub = Hub(a_sender("50/s"), a_sender("50/s", sender_id=2, address="72975"))
    hub.provider.connecting.append(80 * MS)
    await hub.accept()
    await hub.accept(3, sender_id=2)
    hub.start()
    await hub.clock.advance(50 * MS)
    assert hub.sent_ids() == [2, 3, 4]


async def test_the_gap_is_counted_from_the_departure_and_not_from_the_slot() -> None:
    hub = Hub(a_sender("20/s"))
    hub.provider.connecting.append(60 * MS)
    await hub.accept(3)
    hub.start()
    await hub.clock.advance(SECOND)
    assert hub.called_after_us() == [0, 50 * MS - MADE_UP_US, 100 * MS - MADE_UP_US]
    assert [attempt.late_us for attempt in hub.observer.attempts] == [60 * MS, 59_250, 59_000]


async def test_the_gap_after_a_long_text_is_kept_from_its_departure_on() -> None:
    hub = Hub(a_sender("20/s"))
    hub.provider.connecting.append(60 * MS)
    await hub.accept(text=THREE_SEGMENTS)
    await hub.accept()
    hub.start()
    await hub.clock.advance(SECOND)
    assert hub.called_after_us() == [0, 150 * MS - MADE_UP_US]


async def test_the_pace_is_kept_to_the_microsecond_although_timers_are_late() -> None:
    hub = Hub(a_sender("50/s"))
    hub.provider.connecting.append(90 * MS)
    hub.clock.wakes_late_us = lambda: 900
    await hub.accept(10)
    hub.start()
    await hub.clock.advance(SECOND)
    assert hub.ahead_us(20 * MS) == MADE_UP_US
    # What the first was late by is made up for once, and what the others are late by each time.
    assert hub.called_after_us() == [0, *(at * 20 * MS - MADE_UP_US for at in range(1, 10))]


async def test_a_text_whose_connection_stands_too_late_is_handed_back_and_never_left() -> None:
    hub = Hub(a_sender("10/s"))
    hub.provider.connecting.append(700 * MS)
    await hub.accept()
    run = hub.start()
    await hub.clock.advance(2 * SECOND)
    assert [claim.delivery.id for claim in hub.observer.released_claims] == [1]
    assert [(call.text.delivery_id, call.text.attempt) for call in hub.calls] == [(1, 2)]
    assert len(hub.observer.attempts) == 1
    assert await hub.stop(run)
    assert hub.store.states() == [S.SENT]


async def test_texts_behind_one_that_did_not_leave_go_on() -> None:
    hub = Hub(a_sender("10/s"))
    hub.provider.connecting.extend([RuntimeError("no socket"), 0])
    await hub.accept(2)
    run = hub.start()
    await hub.clock.advance(150 * MS)
    assert hub.sent_ids() == [2]
    await hub.stop(run)


async def test_a_fault_of_an_adapter_before_the_departure_is_not_sent_and_tried_again() -> None:
    fault = RuntimeError("no socket")
    hub = Hub(a_sender("10/s"))
    hub.provider.connecting.append(fault)
    await hub.accept()
    hub.start()
    await hub.clock.advance(100 * MS)
    delivery = hub.store.delivery(1)
    assert (delivery.state, delivery.reason, delivery.failures) == (S.SCHEDULED, "provider-adapter-failed", 1)
    assert hub.observer.adapter_faults == [("post", fault)]
    assert hub.calls == []


async def test_a_fault_of_an_adapter_after_the_departure_is_unknown() -> None:
    hub = Hub(a_sender("10/s"), outcomes=[RuntimeError("a bug in the adapter")])
    await hub.accept()
    hub.start()
    await hub.clock.advance(100 * MS)
    delivery = hub.store.delivery(1)
    assert (delivery.state, delivery.reason, delivery.failures) == (S.UNKNOWN, "provider-adapter-failed", 0)


async def test_a_stop_hands_back_what_still_connects() -> None:
    hub = Hub(a_sender("10/s"))
    hub.provider.connecting.append(80 * MS)
    await hub.accept()
    run = hub.start()
    await hub.clock.advance(10 * MS)
    hub.stopping.set()
    assert await hub.clock.run_until_done(run)
    assert hub.calls == []
    assert hub.store.states() == [S.QUEUED]


async def test_what_connects_for_longer_than_the_grace_is_handed_back_and_not_unknown() -> None:
    hub = Hub(a_sender("10/s"))
    hub.provider.connecting.append(3_600 * SECOND)
    await hub.accept(2)
    run = hub.start(grace_s=0.01)
    await hub.clock.advance(150 * MS)
    hub.stopping.set()
    await hub.clock.advance(SECOND)
    assert await asyncio.wait_for(run, FAR_TOO_LONG_S)
    assert hub.calls == []
    assert hub.store.states() == [S.QUEUED, S.QUEUED]


async def test_a_membership_that_lapses_while_a_text_connects_keeps_it_here() -> None:
    hub = Hub(a_sender("10/s"))
    hub.provider.connecting.append(90 * MS)
    await hub.accept()
    run = hub.start()
    await hub.clock.advance(10 * MS)
    hub.membership.revoke()
    await hub.clock.run_until_done(run)
    assert hub.calls == []
    assert hub.store.states() == [S.QUEUED]


async def test_the_time_of_a_call_counts_from_its_departure() -> None:
    hub = Hub(a_sender("10/s"))
    hub.provider.connecting.append(70 * MS)
    hub.provider.takes_us = 250 * MS
    await hub.accept()
    hub.start()
    await hub.clock.advance(SECOND)
    assert [(attempt.late_us, attempt.took_us) for attempt in hub.observer.attempts] == [(70 * MS, 250 * MS)]


async def test_calls_that_connect_take_room_too() -> None:
    hub = Hub(a_sender("100/s"))
    hub.provider.connecting.extend([90 * MS] * 50)
    await hub.accept(50)
    hub.start(most_in_flight=2)
    await hub.clock.advance(SECOND)
    assert hub.provider.most_under_way <= 2
    assert len(hub.calls) > 2


async def test_texts_without_room_leave_in_their_order_all_the_same() -> None:
    hub = Hub(a_sender("100/s"))
    hub.provider.takes_us = 25 * MS
    await hub.accept(60)
    run = hub.start(most_in_flight=2)
    await hub.clock.advance(30 * SECOND)
    await hub.stop(run)
    assert hub.states() == {S.SENT}
    assert hub.sent_ids() == sorted(hub.sent_ids())


async def test_a_text_knows_for_how_long_it_is_worth_delivering() -> None:
    hub = Hub(a_sender("1000/s"))
    await hub.accept(expires_us=NOON + 90 * SECOND)
    await hub.accept(expires_us=NOON + SECOND // 2)
    await hub.accept()
    hub.start()
    await hub.clock.advance(SECOND)
    assert [call.text.valid_s for call in hub.calls] == [90, 1, None]


async def test_a_text_of_a_sender_whose_provider_queues_needs_no_distance() -> None:
    hub = Hub(a_sender("10/s", backlog_us=60 * SECOND))
    await hub.accept(100)
    hub.start()
    await hub.clock.advance(100 * MS)
    assert hub.sent_ids() == list(range(1, 101))
    assert hub.called_after_us()[-1] <= 60 * MS


BARRED = Barred("no-credit")


async def test_what_is_in_line_at_a_sender_that_turns_out_barred_is_handed_back() -> None:
    hub = Hub(a_sender("50/s"), outcomes=[Accepted("SM1"), BARRED])
    await hub.accept(100)
    hub.start()
    await hub.clock.advance(2 * SECOND)
    assert hub.sent_ids() == [1, 2]
    assert hub.store.states() == [S.SENT] + [S.QUEUED] * 99
    assert hub.store.delivery(2).reason == "no-credit"
    assert hub.store.delivery(2).failures == 0


async def test_a_bar_is_stored_once_however_many_calls_it_meets() -> None:
    hub = Hub(a_sender("50/s"), outcomes=[BARRED] * 3)
    hub.provider.takes_us = 100 * MS
    await hub.accept(3)
    hub.start()
    await hub.clock.advance(10 * SECOND)
    assert hub.queue.bars == [(1, "no-credit")]
    assert hub.observer.bars == [(1, "no-credit", 1)]
    assert hub.sent_ids() == [1, 2, 3]


async def test_a_bar_of_one_sender_stops_no_other() -> None:
    hub = Hub(a_sender("50/s"), a_sender("50/s", sender_id=2, address="72975"), outcomes=[BARRED])
    await hub.accept(10)
    await hub.accept(10, sender_id=2)
    hub.start()
    await hub.clock.advance(2 * SECOND)
    assert hub.sent_ids()[0] == 1
    assert sorted(hub.sent_ids()[1:]) == list(range(11, 21))


async def test_one_text_is_tried_at_a_barred_sender_and_less_often_with_every_time() -> None:
    hub = Hub(a_sender("50/s"), outcomes=[BARRED] * 4)
    await hub.accept(10)
    hub.start()
    await hub.clock.advance(215 * SECOND)
    assert [round(at_us / SECOND) for at_us in hub.called_after_us()] == [0, 30, 90, 210]
    assert hub.sent_ids() == [1] * 4
    assert hub.observer.bars == [(1, "no-credit", times) for times in (1, 2, 3, 4)]


@pytest.mark.parametrize("outcome", [Accepted("SM1"), Refused("unroutable"), Throttled(SECOND)])
async def test_a_sender_that_takes_texts_again_is_no_longer_barred(outcome: SendOutcome) -> None:
    hub = Hub(a_sender("50/s"), outcomes=[BARRED, outcome])
    await hub.accept(20)
    run = hub.start()
    await hub.clock.advance(29 * SECOND)
    assert len(hub.calls) == 1
    await hub.clock.advance(6 * SECOND)
    assert hub.queue.unbarred == [1]
    assert hub.observer.unbarred_senders == [1]
    await hub.stop(run)
    assert S.QUEUED not in hub.states()


@pytest.mark.parametrize("outcome", [NotSent("no-connection"), Unknown("no-answer")])
async def test_a_try_that_says_nothing_of_the_sender_leaves_it_barred(outcome: SendOutcome) -> None:
    hub = Hub(a_sender("50/s"), outcomes=[BARRED, outcome])
    await hub.accept(5)
    hub.start()
    await hub.clock.advance(32 * SECOND)
    assert len(hub.calls) == 2
    assert hub.queue.unbarred == []


async def test_a_try_by_e_mail_says_nothing_of_the_sender() -> None:
    hub = Hub(a_sender("50/s"), outcomes=[BARRED])
    mail = hub.mails_instead()
    hub.store.mail_to = {}
    await hub.accept(5)
    hub.start()
    await hub.clock.advance(SECOND)
    hub.store.mail_to = {"PHARMACY": "office@example.org"}
    await hub.clock.advance(31 * SECOND)
    assert (len(hub.calls), len(mail.calls)) == (1, 1)
    assert hub.queue.unbarred == []


async def test_a_program_that_is_tried_out_by_e_mail_texts_nobody_and_keeps_its_pace() -> None:
    hub = Hub(a_sender("1/s"))
    mail = hub.mails_instead()
    await hub.accept(3)
    await hub.accept(1, program_id="BAKERY")
    run = hub.start()
    await hub.clock.advance(10 * SECOND)
    await hub.stop(run)
    assert [call.text.mail_to for call in mail.calls] == ["office@example.org"] * 3
    assert [call.text.mail_to for call in hub.calls] == [None]
    times = sorted(call.at_us for call in [*mail.calls, *hub.calls])
    assert min(later - earlier for earlier, later in pairwise(times)) >= SECOND - MADE_UP_US
    assert hub.states() == {S.SENT}


async def test_a_fault_in_sending_e_mails_is_told_of_as_theirs() -> None:
    hub = Hub()
    hub.mails_instead(OSError("a fault"))
    await hub.accept()
    run = hub.start()
    await hub.clock.advance(SECOND)
    await hub.stop(run)
    assert [provider for provider, _ in hub.observer.adapter_faults] == ["mail"]
    assert (hub.store.delivery(1).state, hub.store.delivery(1).provider("post")) == (S.UNKNOWN, "mail")


async def test_a_bar_is_kept_while_the_store_is_away_and_stored_when_it_is_back() -> None:
    hub = Hub(outcomes=[BARRED])
    hub.provider.takes_us = 200 * MS
    await hub.accept()
    hub.start()
    await hub.clock.advance(100 * MS)
    hub.queue.away = True
    await hub.clock.advance(5 * SECOND)
    assert hub.queue.bars == []
    hub.queue.away = False
    await hub.clock.advance(1_020 * MS)
    assert hub.queue.bars == [(1, "no-credit")]
    assert hub.observer.bars == [(1, "no-credit", 1)]


async def test_a_bar_is_stored_before_anybody_can_claim_its_text_again() -> None:
    hub = Hub(a_sender("50/s"), outcomes=[BARRED])
    await hub.accept(20)
    runs = [hub.start(1), hub.start(2)]
    await hub.clock.advance(20 * SECOND)
    assert hub.sent_ids() == [1]
    for run in runs:
        await hub.stop(run)


async def test_a_stop_stores_a_bar_and_hands_back_what_it_held_up() -> None:
    hub = Hub(a_sender("50/s"), outcomes=[BARRED])
    await hub.accept(20)
    run = hub.start()
    await hub.clock.advance(3 * MS)
    assert await hub.stop(run)
    assert hub.queue.bars == [(1, "no-credit")]
    assert hub.states() == {S.QUEUED}


async def test_who_hears_of_everything_looks_only_when_something_is_due() -> None:
    hub = Hub()
    hub.wakeups.heard_from_all = True
    hub.start()
    await hub.clock.advance(10 * SECOND - 1)
    assert len(hub.queue.tried_to_claim_at) <= 11
    assert set(hub.wakeups.waits_us) == {SECOND}


async def test_who_hears_only_its_own_process_looks_ten_times_a_second() -> None:
    hub = Hub()
    hub.start()
    await hub.clock.advance(10 * SECOND - 1)
    assert 95 <= len(hub.queue.tried_to_claim_at) <= 100
    assert hub.queue.asked_when_due == []


@pytest.mark.parametrize(("due_in_ms", "waits_ms"), [(400, 400), (5_000, 1_000), (10, 50)])
async def test_who_hears_of_everything_waits_until_something_is_due(due_in_ms: int, waits_ms: int) -> None:
    hub = Hub()
    hub.wakeups.heard_from_all = True
    hub.store.lines[1].due_us = NOON + due_in_ms * MS
    hub.start()
    await hub.clock.advance()
    assert hub.wakeups.waits_us == [waits_ms * MS]


async def test_a_text_leaves_at_once_where_its_wake_up_is_heard() -> None:
    hub = Hub()
    hub.wakeups.heard_from_all = True
    hub.start()
    await hub.clock.advance(10_333 * MS)
    await hub.accept()
    await hub.clock.advance(1 * MS)
    assert len(hub.calls) == 1


async def test_a_dispatcher_claims_for_its_share_as_it_is_now() -> None:
    hub = Hub()
    hub.wakeups.heard_from_all = True
    hub.start()
    await hub.clock.advance(10 * MS)
    hub.membership.share = Share(1, 3)
    await hub.clock.advance(2 * SECOND)
    assert hub.queue.claimed_for[0] == hub.queue.asked_when_due[0] == Share(0, 1)
    assert hub.queue.claimed_for[-1] == hub.queue.asked_when_due[-1] == Share(1, 3)


async def test_dispatchers_that_share_the_senders_send_everything_once() -> None:
    senders = [a_sender("20/s", sender_id=number, address=f"7297{number}") for number in range(1, 7)]
    hub = Hub(*senders)
    runs = []
    for rank in range(3):
        runs.append(hub.start(rank + 1))
        hub.membership.share = Share(rank, 3)
    for sender in senders:
        await hub.accept(40, sender_id=sender.id)
    await hub.clock.advance(4 * SECOND)
    for run in runs:
        await hub.stop(run)
    assert sorted(hub.sent_ids()) == list(range(1, 241))
    owners = {claim.sender.id: hub.store.lines[claim.sender.id].owner for claim in hub.queue.claims}
    assert owners == {number: number % 3 + 1 for number in range(1, 7)}


async def test_programs_take_turns_at_a_sender_from_claim_to_claim() -> None:
    hub = Hub(a_sender("20/s"))
    await hub.accept(200)
    await hub.clock.advance()
    await hub.accept(20, program_id="LIBRARY")
    hub.start()
    await hub.clock.advance(2 * SECOND)
    first_forty = hub.sent_ids()[:40]
    assert sum(which > 200 for which in first_forty) == 20


async def test_an_urgent_text_waits_no_longer_than_what_is_reserved() -> None:
    hub = Hub(a_sender("1/s"))
    await hub.accept(100)
    hub.start()
    await hub.clock.advance(10 * SECOND)
    await hub.accept(priority=Priority.URGENT)
    await hub.clock.advance(2_100 * MS)
    assert 101 in hub.sent_ids()


async def test_a_sender_whose_slow_pace_was_made_faster_sends_on_at_the_new_one() -> None:
    hub = Hub(a_sender("1/h"))
    await hub.accept(5)
    hub.start()
    await hub.clock.advance(SECOND)
    line = hub.store.lines[1]
    faster = line.schedule.at_pace(Pace.parse("1/s"), now_us=hub.clock.now_us(), last_slot_us=None)
    line.sender, line.next_free_us, line.due_us = a_sender("1/s"), faster.next_free_us, hub.clock.now_us()
    await hub.clock.advance(30 * SECOND)
    assert hub.sent_ids() == [1, 2, 3, 4, 5]


async def test_a_sender_that_another_has_found_to_take_texts_again_is_sent_from_here_too() -> None:
    hub = Hub(a_sender("50/s"), outcomes=[BARRED])
    await hub.accept(10)
    run = hub.start()
    await hub.clock.advance(2 * SECOND)
    await hub.queue.unbar(1, now_us=hub.clock.now_us())
    await hub.clock.advance(5 * SECOND)
    assert len(hub.calls) == 11
    await hub.stop(run)

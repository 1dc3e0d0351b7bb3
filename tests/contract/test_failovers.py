"""What waits at a sender that cannot send becomes another's: on each database, with everybody else at work."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from adapters.sql.database import Database
from adapters.wakeups import InProcessWakeups
from domain.model.delivery import DeliveryState
from domain.model.failover import FAILURES_OF_A_STANDSTILL, PROVIDER_AWAY, Failover, failovers
from domain.model.limit import Limit
from domain.model.pace import Pace
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.sender import Sender, SenderAddress
from domain.model.slots import Reservation
from domain.model.text_message import TextMessage
from domain.ports.delivery_queue import Claim
from domain.use_cases.fail_over import FailOver
from tests.builders import NOW_US, SANDBOX, SENDER, Store, a_program, a_text, numbers
from tests.conftest import close
from tests.unit.fakes import RecordingObserver

SECOND = 1_000_000
MINUTE = 60 * SECOND
OTHERS = [SenderAddress("+19705550101"), SenderAddress("+19705550102")]
S = DeliveryState


async def a_program_with(
    store: Store, *others: SenderAddress, failover: bool = True, pace: str = "1000/s", program_id: str = "city-hall"
) -> Program:
    program = await store.programs.add(a_program(program_id, failover=failover, pace=pace))
    for address in others:
        program = await store.programs.add_sender(
            program.id, provider="sandbox", sender=address, pace=Pace.parse(pace), account=SANDBOX
        )
    return program


async def bar(store: Store, sender: Sender, *, at_us: int = NOW_US) -> None:
    await store.queue.bar(sender.id, "credentials-refused", now_us=at_us)


async def fail_over(store: Store, *, at_us: int = NOW_US, limit: int = 10_000) -> int:
    """As the use case does, at a moment of the test's; how many were taken over."""
    conditions = await store.failovers.conditions(now_us=at_us)
    count = 0
    for program_id, senders in conditions.items():
        for failover in failovers(program_id, senders):
            count += len(await store.failovers.carry_out(failover, now_us=at_us, limit=limit))
    return count


async def senders_of(store: Store, program: Program, message: TextMessage) -> Counter[SenderAddress]:
    page = await store.texts.deliveries(program.id, message.id, after=0, limit=20_000)
    assert page is not None
    return Counter(each.sender for each in page.items)


async def claimed(store: Store, *, at_us: int = NOW_US, most: int = 1_000) -> Sequence[Claim]:
    return await store.claim(await store.join(), at_us=at_us, reservation=Reservation(most=most))


async def failed(store: Store, claims: Sequence[Claim], *, times: int, reason: str = "no-connection") -> None:
    """They have failed so often, and wait for another try."""
    retried = [claim.delivery.retried(reason, now_us=NOW_US, after_us=MINUTE) for claim in claims]
    await store.queue.record([replace(each, failures=times) for each in retried])


class TestWhatIsTakenOver:
    async def test_all_that_waits_at_a_barred_sender_is_the_next_ones(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        message = await store.add_text(program, *numbers(50))
        await bar(store, program.sender)

        assert await fail_over(store, at_us=NOW_US + SECOND) == 50

        assert await senders_of(store, program, message) == {OTHERS[0]: 50}
        moved = await store.deliveries(program, message)
        assert {(each.state, each.reason, each.updated_us) for each in moved} == {
            (S.QUEUED, "failed-over", NOW_US + SECOND)
        }
        claims = await claimed(store, at_us=NOW_US + SECOND)
        assert {claim.sender.address for claim in claims} == {OTHERS[0]}
        assert [claim.delivery.number for claim in claims] == numbers(50)

    async def test_without_failover_it_stays(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS, failover=False)
        message = await store.add_text(program, *numbers(5))
        await bar(store, program.sender)

        assert await store.failovers.conditions(now_us=NOW_US) == {}
        assert await fail_over(store) == 0
        assert await senders_of(store, program, message) == {SENDER: 5}

    async def test_another_program_at_the_same_sender_keeps_what_it_has(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        other = await a_program_with(store, *OTHERS, failover=False, program_id="library")
        mine, theirs = await store.add_text(program), await store.add_text(other)
        await bar(store, program.sender)

        assert await fail_over(store) == 1

        assert await senders_of(store, program, mine) == {OTHERS[0]: 1}
        assert await senders_of(store, other, theirs) == {SENDER: 1}

    async def test_a_sender_of_another_program_takes_nothing_over(self, store: Store) -> None:
        await store.programs.add(a_program("library", sender=OTHERS[0], failover=True))
        program = await a_program_with(store)
        message = await store.add_text(program)
        await bar(store, program.sender)

        assert await fail_over(store) == 0
        assert await senders_of(store, program, message) == {SENDER: 1}

    async def test_what_is_being_sent_or_of_unknown_outcome_is_not(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        message = await store.add_text(program, *numbers(3))
        unknown, sent, _sending = await claimed(store)
        await store.queue.record(
            [
                unknown.delivery.lost_sight_of("no-answer", now_us=NOW_US, ask_after_us=SECOND),
                sent.delivery.sent("SM1", now_us=NOW_US),
            ]
        )
        await bar(store, program.sender)

        assert await fail_over(store) == 0

        assert await store.states(program, message) == [S.UNKNOWN, S.SENT, S.SENDING]
        assert await senders_of(store, program, message) == {SENDER: 3}
        [enquiry] = await store.due.enquiries(now_us=NOW_US + SECOND, limit=10)
        assert enquiry.sender == SENDER

    async def test_what_was_resent_although_it_may_have_been_sent_is_not(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        message = await store.add_text(program, *numbers(2))
        claims = await claimed(store)
        unknown = [claim.delivery.lost_sight_of("no-answer", now_us=NOW_US, ask_after_us=0) for claim in claims]
        await store.queue.record(unknown)
        queued, scheduled = (each.resent("resent-after-unknown", now_us=NOW_US) for each in unknown)
        await store.queue.record([queued])
        await store.due.queue(now_us=NOW_US)
        await store.queue.record([scheduled])
        await bar(store, program.sender)

        assert await store.states(program, message) == [S.QUEUED, S.SCHEDULED]
        assert await fail_over(store) == 0

    async def test_what_once_had_an_unknown_outcome_is_not_whatever_came_after(self, store: Store) -> None:
        """Word of it may come as yet, from the provider that it was given to."""
        program = await a_program_with(store, *OTHERS)
        await store.add_text(program)
        [claim] = await claimed(store)
        unknown = claim.delivery.lost_sight_of("no-answer", now_us=NOW_US, ask_after_us=0)
        await store.queue.record([unknown])
        await store.queue.record([unknown.retried("not-at-provider", now_us=NOW_US, after_us=0)])
        await bar(store, program.sender)
        assert await fail_over(store) == 0

        await store.queue.unbar(program.sender.id, now_us=NOW_US)
        await store.due.queue(now_us=NOW_US)
        await failed(store, await claimed(store, at_us=NOW_US + SECOND), times=FAILURES_OF_A_STANDSTILL)
        assert await fail_over(store) == 0
        await store.due.queue(now_us=NOW_US + MINUTE)
        assert len(await claimed(store, at_us=NOW_US + MINUTE)) == 1

    async def test_what_names_its_sender_is_not(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        for sender in program.senders[:2]:
            await store.intake.add(a_text(program, sender=sender, sender_named=True))
            await bar(store, sender)

        assert await fail_over(store) == 0

    async def test_what_is_for_later_waits_for_its_time_first(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        text = a_text(program, send_at_us=NOW_US + SECOND)
        await store.intake.add(text)
        await bar(store, program.sender)
        assert await fail_over(store) == 0

        await store.due.queue(now_us=NOW_US + SECOND)

        assert await fail_over(store, at_us=NOW_US + SECOND) == 1

    async def test_what_waits_for_another_try_is_and_begins_anew(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        message = await store.add_text(program)
        await failed(store, await claimed(store), times=3)
        await bar(store, program.sender)

        assert await fail_over(store, at_us=NOW_US + SECOND) == 1

        [again] = await claimed(store, at_us=NOW_US + SECOND)
        assert (again.delivery.failures, again.delivery.attempt) == (0, 2)
        assert await store.deliveries(program, message) == [again.delivery]

    async def test_the_most_urgent_goes_first_and_each_only_so_much_at_once(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        texts = [a_text(program, *numbers(2), priority=each) for each in (Priority.BULK, Priority.URGENT)]
        for text in texts:
            await store.intake.add(text)
        await bar(store, program.sender)

        assert await fail_over(store, limit=3) == 3

        bulk, urgent = [await senders_of(store, program, text.message) for text in texts]
        assert (urgent, bulk) == ({OTHERS[0]: 2}, {OTHERS[0]: 1, SENDER: 1})


class TestWhen:
    @pytest.mark.parametrize("reason", sorted(PROVIDER_AWAY))
    async def test_a_text_that_has_failed_often_takes_the_whole_queue_along(self, store: Store, reason: str) -> None:
        program = await a_program_with(store, *OTHERS)
        message = await store.add_text(program, *numbers(5))
        await failed(store, (await claimed(store, most=1))[:1], times=FAILURES_OF_A_STANDSTILL, reason=reason)

        assert await fail_over(store) == 5

        assert await senders_of(store, program, message) == {OTHERS[0]: 5}
        assert await fail_over(store) == 0

    async def test_one_that_has_failed_less_often_does_not(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        await store.add_text(program, *numbers(5))
        await failed(store, await claimed(store), times=FAILURES_OF_A_STANDSTILL - 1)

        assert await fail_over(store) == 0

    async def test_nor_one_that_failed_for_its_recipients_sake(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        await store.add_text(program, *numbers(5))
        await failed(store, await claimed(store), times=FAILURES_OF_A_STANDSTILL, reason="unreachable")

        assert await fail_over(store) == 0

    async def test_nor_one_of_another_program(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        other = await a_program_with(store, *OTHERS, failover=False, program_id="library")
        await store.add_text(other)
        await failed(store, await claimed(store), times=FAILURES_OF_A_STANDSTILL)
        await store.add_text(program)

        assert await fail_over(store) == 0

    async def test_what_is_throttled_waits_for_its_own_sender(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        await store.add_text(program, *numbers(5))
        claims = await claimed(store)
        await store.queue.delay(program.sender.id, 10 * MINUTE, now_us=NOW_US)
        await store.queue.record([claim.delivery.held_back("throttled", now_us=NOW_US) for claim in claims])

        assert await fail_over(store) == 0

    async def test_what_an_operator_paused_keeps_its_queue(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        await store.add_text(program, *numbers(5))
        await store.pauses.set_sender(program.sender.id, paused=True, now_us=NOW_US)
        await bar(store, program.sender)

        assert await fail_over(store) == 0

    async def test_where_no_other_can_it_stays(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        message = await store.add_text(program, *numbers(5))
        await store.pauses.set_sender(program.other_senders[0].id, paused=True, now_us=NOW_US)
        for sender in (program.sender, program.other_senders[1]):
            await bar(store, sender)

        assert await fail_over(store) == 0
        assert await senders_of(store, program, message) == {SENDER: 5}

    async def test_nothing_goes_to_a_sender_that_has_stopped_meanwhile(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        await store.add_text(program)
        other = program.other_senders[0]
        failover = Failover(
            program_id=program.id,
            from_sender_id=program.sender.id,
            to_sender_id=other.id,
            provider="sandbox",
            reason="credentials-refused",
        )
        await bar(store, other)
        assert await store.failovers.carry_out(failover, now_us=NOW_US, limit=10) == []
        await store.queue.unbar(other.id, now_us=NOW_US)
        await store.pauses.set_sender(other.id, paused=True, now_us=NOW_US)
        assert await store.failovers.carry_out(failover, now_us=NOW_US, limit=10) == []

    async def test_from_one_to_the_next_and_never_back(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        message = await store.add_text(program, *numbers(2))
        for sender, now_at in zip(program.senders, [*OTHERS, OTHERS[1]], strict=True):
            await bar(store, sender)
            await fail_over(store)
            assert await senders_of(store, program, message) == {now_at: 2}

        await store.queue.unbar(program.sender.id, now_us=NOW_US)
        await fail_over(store)
        assert await senders_of(store, program, message) == {OTHERS[1]: 2}


class TestTryingABarredSender:
    async def test_a_text_is_kept_for_it_when_its_time_has_come(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        await store.add_text(program, *numbers(5))
        await bar(store, program.sender)
        over_us = NOW_US + store.queue._retry.barred_for_us(1)

        assert await fail_over(store, at_us=over_us) == 0
        [tried] = [each for each in await claimed(store, at_us=over_us) if each.sender.address == SENDER]
        # That one is on its way; the others need not wait for what becomes of it.
        assert await fail_over(store, at_us=over_us) == 4

        await store.queue.record([tried.delivery.held_back("credentials-refused", now_us=over_us)])
        await bar(store, program.sender, at_us=over_us)
        assert await fail_over(store, at_us=over_us) == 1

    async def test_with_nothing_to_try_it_waits_for_the_next_text(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        await store.add_text(program)
        await bar(store, program.sender)
        await fail_over(store)
        over_us = NOW_US + store.queue._retry.barred_for_us(1)
        await claimed(store, at_us=over_us)
        assert await store.queue.next_due_us() is None

        later_us = over_us + MINUTE
        await store.add_text(program, at_us=later_us)

        assert await fail_over(store, at_us=later_us) == 0
        [tried] = await claimed(store, at_us=later_us)
        assert tried.sender.address == SENDER
        await store.queue.unbar(program.sender.id, now_us=later_us)
        message = await store.add_text(program, *numbers(3), at_us=later_us)
        assert await fail_over(store, at_us=later_us) == 0
        assert await senders_of(store, program, message) == {SENDER: 3}


class TestAtTheOtherSender:
    async def test_it_waits_by_its_age_for_that_ones_pace_and_limits(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS, pace="10/s")
        other = program.other_senders[0]
        await store.limits.put(Limit(name="campaign", pace=Pace.parse("5/s")))
        await store.limits.attach_sender(other.id, "campaign")
        first = await store.add_text(program, *numbers(2))
        await store.intake.add(a_text(program, *numbers(2, first=2), sender=other))
        await bar(store, program.sender)
        await fail_over(store)

        claims = await store.claim(await store.join(), reservation=Reservation(window_us=2 * SECOND))

        assert [claim.message_id for claim in claims[:2]] == [first.id] * 2
        times = [claim.slot.at_us for claim in claims]
        assert len(times) == 4
        assert all(later - earlier >= SECOND // 5 for earlier, later in pairwise(times))

    async def test_a_late_repetition_of_handed_back_gives_none_of_its_time_away(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS, pace="1/s")
        me = await store.join()
        await store.add_text(program)
        [claim] = await store.claim(me)
        released = [claim.delivery.released(now_us=NOW_US)]
        await store.queue.record(released)
        await store.intake.add(a_text(program, sender=program.other_senders[0], sender_named=True, at_us=NOW_US))
        await bar(store, program.sender)
        [others] = await store.claim(me)
        assert others.slot.at_us == claim.slot.at_us
        await fail_over(store)

        await store.queue.record(released)

        assert await store.claim(me) == []
        [again] = await store.claim(me, at_us=NOW_US + SECOND)
        assert again.slot.at_us - others.slot.at_us >= SECOND

    async def test_what_is_lost_sight_of_there_is_asked_about_there(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        await store.add_text(program)
        await failed(store, await claimed(store), times=FAILURES_OF_A_STANDSTILL)
        await fail_over(store)
        [claim] = await claimed(store)
        await store.queue.record([claim.delivery.lost_sight_of("no-answer", now_us=NOW_US, ask_after_us=SECOND)])

        [enquiry] = await store.due.enquiries(now_us=NOW_US + SECOND, limit=10)

        assert (enquiry.sender, enquiry.attempted_us) == (OTHERS[0], claim.slot.at_us)


class TestManyAtWork:
    async def test_two_dispatchers_take_over_each_text_once_and_tell_of_it_once(
        self, store: Store, database_url: str
    ) -> None:
        await store.clock.synchronise()
        program = await a_program_with(store, *OTHERS)
        message = await store.add_text(program, *numbers(1_200))
        await bar(store, program.sender, at_us=store.clock.now_us())
        observer, another = RecordingObserver(), Database(database_url)
        both = [
            FailOver(failovers=its.failovers, clock=store.clock, observer=observer, wakeups=InProcessWakeups())
            for its in (store, Store.on(another))
        ]

        counts = await asyncio.gather(*[each() for each in both])
        await close(another)

        assert sum(counts) == 1_200
        told = Counter(each.delivery_id for _, some in observer.failovers for each in some)
        assert (len(told), set(told.values())) == (1_200, {1})
        assert await senders_of(store, program, message) == {OTHERS[0]: 1_200}

    async def test_nothing_is_claimed_twice_or_lost_while_it_changes_hands(
        self, store: Store, database_url: str
    ) -> None:
        program = await a_program_with(store, *OTHERS, pace="10000/s")
        message = await store.add_text(program, *numbers(600))
        another = Database(database_url)
        its = Store.on(another)
        me, claims, moved = await store.join(), list[Claim](), 0
        failover = Failover(
            program_id=program.id,
            from_sender_id=program.sender.id,
            to_sender_id=program.other_senders[0].id,
            provider="sandbox",
            reason="credentials-refused",
        )

        for turn in range(30):
            at_us = NOW_US + turn * SECOND // 2
            some, taken = await asyncio.gather(
                store.claim(me, at_us=at_us, reservation=Reservation(most=15)),
                its.failovers.carry_out(failover, now_us=at_us, limit=20),
            )
            claims += some
            moved += len(taken)
        await close(another)

        ids = [claim.delivery.id for claim in claims]
        assert len(ids) == len(set(ids))
        by_sender = Counter(claim.sender.address for claim in claims)
        assert by_sender[SENDER] + moved == 600
        stored = await store.texts.deliveries(program.id, message.id, after=0, limit=1_000)
        assert stored is not None
        sending = {each.delivery.id: each for each in stored.items if each.delivery.state is S.SENDING}
        assert sending.keys() == set(ids)
        assert all(sending[claim.delivery.id].sender == claim.sender.address for claim in claims)

    async def test_a_canceled_text_stays_canceled(self, store: Store) -> None:
        program = await a_program_with(store, *OTHERS)
        message = await store.add_text(program, *numbers(300))
        await bar(store, program.sender)

        canceled, _ = await asyncio.gather(
            store.texts.cancel(program.id, message.id, now_us=NOW_US), fail_over(store, limit=300)
        )

        assert canceled == 300
        assert set(await store.states(program, message)) == {S.CANCELED}

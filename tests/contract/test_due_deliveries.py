import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import text as sql
from sqlalchemy import update

from adapters.sql.tables import programs, senders
from domain.model.delivery import DeliveryState
from domain.model.program import Program
from domain.model.sender import SenderAddress
from domain.model.terms import OnUnknown
from domain.model.text_message import TextMessage
from domain.ports.delivery_queue import Claim
from tests.builders import NOW_US, Store, a_number, a_text, an_opt_out, numbers

SECOND = 1_000_000
MINUTE = 60 * SECOND


async def claimed(store: Store, count: int = 1) -> tuple[Program, TextMessage, Sequence[Claim]]:
    """So many deliveries that are being sent; their sender is idle then."""
    program = await store.add_program(pace="10000/s")
    message = await store.add_text(program, *numbers(count))
    claims = await store.claim(await store.join())
    assert len(claims) == count
    return program, message, claims


async def retried(store: Store, count: int = 1) -> tuple[Program, TextMessage]:
    """So many deliveries that are to be tried again, the first after one second, the second after two …"""
    program, message, claims = await claimed(store, count)
    await store.queue.record(
        [
            claim.delivery.retried("no-connection", now_us=NOW_US, after_us=(index + 1) * SECOND)
            for index, claim in enumerate(claims)
        ]
    )
    return program, message


async def unknown(store: Store, count: int = 1) -> tuple[Program, TextMessage, Sequence[Claim]]:
    """So many deliveries of unknown outcome, to be asked about after one second."""
    program, message, claims = await claimed(store, count)
    await store.queue.record(
        [claim.delivery.lost_sight_of("no-answer", now_us=NOW_US, ask_after_us=SECOND) for claim in claims]
    )
    return program, message, claims


class TestExpiringDeliveries:
    async def test_what_waits_beyond_its_time_expires(self, store: Store) -> None:
        program = await store.add_program()
        queued = a_text(program, *numbers(2), expires_us=NOW_US + SECOND)
        scheduled = a_text(program, expires_us=NOW_US + SECOND, send_at_us=NOW_US + SECOND // 2)
        for text in (queued, scheduled, a_text(program), a_text(program, expires_us=NOW_US + 2 * SECOND)):
            await store.intake.add(text)

        assert await store.due.expire(now_us=NOW_US + SECOND - 1) == 0
        assert await store.due.expire(now_us=NOW_US + SECOND) == 3
        assert await store.due.expire(now_us=NOW_US + SECOND) == 0

        first, _ = await store.deliveries(program, queued.message)
        assert (first.state, first.reason, first.updated_us) == (
            DeliveryState.EXPIRED,
            "not-sent-in-time",
            NOW_US + SECOND,
        )
        [one] = await store.deliveries(program, scheduled.message)
        assert (one.state, one.due_us) == (DeliveryState.EXPIRED, None)

    async def test_what_is_being_sent_or_is_sent_does_not_expire(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        text = a_text(program, *numbers(2), expires_us=NOW_US + SECOND)
        await store.intake.add(text)
        first, _ = await store.claim(await store.join())
        await store.queue.record([first.delivery.sent("a", now_us=NOW_US)])

        assert await store.due.expire(now_us=NOW_US + MINUTE) == 0

        assert await store.states(program, text.message) == [DeliveryState.SENT, DeliveryState.SENDING]

    async def test_one_whose_slot_would_come_too_late_expires_when_it_is_claimed(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        text = a_text(program, *numbers(3), expires_us=NOW_US + 1_900_000)
        await store.intake.add(text)
        me = await store.join()

        first = await store.claim(me)
        second = await store.claim(me, at_us=NOW_US + 1_000_000)
        third = await store.claim(me, at_us=NOW_US + 1_800_000)

        assert [len(each) for each in (first, second, third)] == [1, 1, 0]
        assert second[0].slot.not_after_us <= NOW_US + 1_900_000
        assert await store.states(program, text.message) == [
            DeliveryState.SENDING,
            DeliveryState.SENDING,
            DeliveryState.EXPIRED,
        ]

    async def test_one_that_is_tried_again_expires_while_it_waits(self, store: Store) -> None:
        program = await store.add_program()
        text = a_text(program, expires_us=NOW_US + SECOND)
        await store.intake.add(text)
        [claim] = await store.claim(await store.join())
        await store.queue.record([claim.delivery.retried("no-connection", now_us=NOW_US, after_us=MINUTE)])

        assert await store.due.expire(now_us=NOW_US + SECOND) == 1
        assert await store.states(program, text.message) == [DeliveryState.EXPIRED]


class TestScheduledDeliveries:
    async def test_they_are_queued_when_their_time_comes(self, store: Store) -> None:
        program, message = await retried(store, 2)

        assert await store.due.queue(now_us=NOW_US + SECOND - 1) == 0
        assert await store.states(program, message) == [DeliveryState.SCHEDULED, DeliveryState.SCHEDULED]
        assert await store.due.queue(now_us=NOW_US + SECOND) == 1
        assert await store.states(program, message) == [DeliveryState.QUEUED, DeliveryState.SCHEDULED]
        assert await store.due.queue(now_us=NOW_US + 3 * SECOND) == 1
        assert await store.due.queue(now_us=NOW_US + 3 * SECOND) == 0

    async def test_one_that_is_queued_remembers_its_failures(self, store: Store) -> None:
        program, message = await retried(store)

        await store.due.queue(now_us=NOW_US + SECOND)

        [delivery] = await store.deliveries(program, message)
        assert (delivery.failures, delivery.attempt, delivery.reason) == (1, 1, "no-connection")
        assert (delivery.due_us, delivery.updated_us) == (None, NOW_US + SECOND)

    async def test_one_that_is_queued_is_sent_again(self, store: Store) -> None:
        program, message = await retried(store)
        me = await store.join()
        assert await store.claim(me, at_us=NOW_US + SECOND) == []

        await store.due.queue(now_us=NOW_US + SECOND)
        [again] = await store.claim(me, at_us=NOW_US + 2 * SECOND)

        assert (again.delivery.attempt, again.delivery.failures, again.delivery.reason) == (2, 1, None)
        assert await store.deliveries(program, message) == [again.delivery]

    async def test_each_is_queued_once_however_many_do_so(self, store: Store) -> None:
        await retried(store, 40)

        queued = await asyncio.gather(*(store.due.queue(now_us=NOW_US + MINUTE) for _ in range(6)))

        assert sum(queued) == 40

    async def test_one_that_has_opted_out_meanwhile_is_not_sent_again(self, store: Store) -> None:
        program, message = await retried(store)
        [delivery] = await store.deliveries(program, message)
        await store.opt_outs.record([an_opt_out(program.id, delivery.number)])

        await store.due.queue(now_us=NOW_US + SECOND)

        assert await store.claim(await store.join(), at_us=NOW_US + MINUTE) == []
        assert await store.states(program, message) == [DeliveryState.BLOCKED]


class TestEnquiries:
    async def test_an_enquiry_says_all_that_is_needed_to_ask(self, store: Store) -> None:
        program, message, [claim] = await unknown(store)

        [enquiry] = await store.due.enquiries(now_us=NOW_US + SECOND, limit=10)

        [stored] = await store.deliveries(program, message)
        assert enquiry.delivery == stored
        assert enquiry.delivery.state is DeliveryState.UNKNOWN
        assert enquiry.provider == "sandbox"
        assert enquiry.attempted_us == claim.slot.at_us

    async def test_an_enquiry_names_the_sender_the_account_and_what_was_written(self, store: Store) -> None:
        program, message, _ = await unknown(store)

        [enquiry] = await store.due.enquiries(now_us=NOW_US + SECOND, limit=10)

        assert enquiry.sender == program.sender.address
        assert enquiry.account_id == program.sender.account_id
        assert enquiry.body == message.body

    async def test_an_enquiry_names_the_other_texts_to_its_number(self, store: Store) -> None:
        program, _, [claim] = await unknown(store)
        me = await store.join()
        for reference, number in (("SM1", a_number(0)), ("SM2", a_number(0)), ("SM3", a_number(1))):
            await store.add_text(program, number)
            [sent] = await store.claim(me, at_us=NOW_US + SECOND)
            await store.queue.record([sent.delivery.sent(reference, now_us=NOW_US + SECOND)])

        [enquiry] = await store.due.enquiries(now_us=NOW_US + SECOND, limit=10)

        assert enquiry.delivery.id == claim.delivery.id
        assert enquiry.others == {"SM1", "SM2"}

    async def test_a_deliverys_own_reference_is_not_among_the_others(self, store: Store) -> None:
        _, _, [claim] = await claimed(store)
        await store.queue.record([claim.delivery.sent("SM1", now_us=NOW_US, ask_after_us=SECOND)])

        [enquiry] = await store.due.enquiries(now_us=NOW_US + SECOND, limit=10)

        assert enquiry.others == frozenset()

    @pytest.mark.parametrize("wanted", OnUnknown)
    async def test_an_enquiry_says_what_its_program_wants_where_nobody_can_tell(
        self, store: Store, wanted: OnUnknown
    ) -> None:
        await unknown(store)
        async with store.database.writing() as connection:
            await connection.execute(update(programs).values(on_unknown=wanted.value))

        [enquiry] = await store.due.enquiries(now_us=NOW_US + SECOND, limit=10)

        assert enquiry.on_unknown is wanted

    async def test_what_was_sent_again_remembers_that_it_may_be_a_second_time(self, store: Store) -> None:
        program, message, _ = await unknown(store)
        [enquiry] = await store.due.enquiries(now_us=NOW_US + SECOND, limit=10)

        await store.queue.record([enquiry.delivery.resent("resent-after-unknown", now_us=NOW_US + SECOND)])
        await store.due.queue(now_us=NOW_US + SECOND)
        [again] = await store.claim(await store.join(), at_us=NOW_US + MINUTE)

        assert (again.delivery.resends, again.delivery.attempt) == (1, 2)
        assert await store.deliveries(program, message) == [again.delivery]

    async def test_nobody_is_asked_before_the_time(self, store: Store) -> None:
        await unknown(store)

        assert await store.due.enquiries(now_us=NOW_US + SECOND - 1, limit=10) == []

    async def test_what_was_sent_is_asked_about_where_no_receipts_come(self, store: Store) -> None:
        _, _, [claim] = await claimed(store)
        await store.queue.record([claim.delivery.sent("SM1", now_us=NOW_US, ask_after_us=SECOND)])

        [enquiry] = await store.due.enquiries(now_us=NOW_US + SECOND, limit=10)

        assert (enquiry.delivery.state, enquiry.delivery.provider_reference) == (DeliveryState.SENT, "SM1")

    async def test_what_needs_no_enquiry_is_not_asked_about(self, store: Store) -> None:
        _, _, claims = await claimed(store, 6)
        first, second, third, fourth, fifth, _ = (claim.delivery for claim in claims)
        await store.queue.record(
            [
                first.sent("SM1", now_us=NOW_US),
                second.lost_sight_of("no-answer", now_us=NOW_US, ask_after_us=None),
                third.retried("no-connection", now_us=NOW_US, after_us=0),
                fourth.refused("no", now_us=NOW_US),
                fifth.released(now_us=NOW_US),
            ]
        )

        assert await store.due.enquiries(now_us=NOW_US + MINUTE, limit=10) == []

    async def test_each_is_given_out_once_in_half_a_minute(self, store: Store) -> None:
        await unknown(store)
        first_us = NOW_US + SECOND

        assert len(await store.due.enquiries(now_us=first_us, limit=10)) == 1
        assert await store.due.enquiries(now_us=first_us, limit=10) == []
        assert await store.due.enquiries(now_us=first_us + MINUTE // 2 - 1, limit=10) == []
        assert len(await store.due.enquiries(now_us=first_us + MINUTE // 2, limit=10)) == 1

    async def test_each_goes_to_whoever_asks_first(self, store: Store) -> None:
        await unknown(store, 40)

        given_out = await asyncio.gather(*(store.due.enquiries(now_us=NOW_US + SECOND, limit=10) for _ in range(6)))

        asked_about = [enquiry.delivery.id for some in given_out for enquiry in some]
        assert len(asked_about) == len(set(asked_about)) == 40

    @pytest.mark.parametrize("limit", [1, 7, 50])
    async def test_no_more_are_given_out_than_asked_for(self, store: Store, limit: int) -> None:
        await unknown(store, 50)
        if not store.database.is_sqlite:
            async with store.database.writing() as connection:
                await connection.execute(sql("ANALYZE deliveries"))

        assert len(await store.due.enquiries(now_us=NOW_US + SECOND, limit=limit)) == limit

    async def test_those_that_have_waited_longest_come_first(self, store: Store) -> None:
        _, _, claims = await claimed(store, 3)
        for claim, after_us in zip(claims, (3, 1, 2), strict=True):
            await store.queue.record([claim.delivery.lost_sight_of("no-answer", now_us=NOW_US, ask_after_us=after_us)])

        given_out = [
            enquiry.delivery.id
            for _ in claims
            for enquiry in await store.due.enquiries(now_us=NOW_US + SECOND, limit=1)
        ]

        assert given_out == [claims[1].delivery.id, claims[2].delivery.id, claims[0].delivery.id]

    async def test_an_answer_that_is_recorded_ends_the_asking(self, store: Store) -> None:
        program, message, _ = await unknown(store)
        [enquiry] = await store.due.enquiries(now_us=NOW_US + SECOND, limit=10)

        found = enquiry.delivery.found("SM1", now_us=NOW_US + SECOND)
        await store.queue.record([found.receipt(DeliveryState.DELIVERED, now_us=NOW_US + SECOND)])

        assert await store.due.enquiries(now_us=NOW_US + 10 * MINUTE, limit=10) == []
        assert await store.states(program, message) == [DeliveryState.DELIVERED]

    async def test_what_was_not_found_is_asked_about_again(self, store: Store) -> None:
        await unknown(store)
        [enquiry] = await store.due.enquiries(now_us=NOW_US + SECOND, limit=10)

        await store.queue.record([enquiry.delivery.not_found(now_us=NOW_US + SECOND, ask_after_us=SECOND)])

        [again] = await store.due.enquiries(now_us=NOW_US + 2 * SECOND, limit=10)
        assert again.delivery.enquiries == 1

    async def test_what_was_never_sent_is_sent_again_and_not_asked_about(self, store: Store) -> None:
        program, message, _ = await unknown(store)
        [enquiry] = await store.due.enquiries(now_us=NOW_US + SECOND, limit=10)

        await store.queue.record([enquiry.delivery.retried("not-at-provider", now_us=NOW_US + SECOND, after_us=0)])

        assert await store.due.enquiries(now_us=NOW_US + 10 * MINUTE, limit=10) == []
        assert await store.due.queue(now_us=NOW_US + SECOND) == 1
        assert await store.states(program, message) == [DeliveryState.QUEUED]

    async def test_the_answer_about_an_earlier_attempt_changes_nothing(self, store: Store) -> None:
        program, message, _ = await unknown(store)
        [enquiry] = await store.due.enquiries(now_us=NOW_US + SECOND, limit=10)
        await store.queue.record([enquiry.delivery.retried("not-at-provider", now_us=NOW_US + SECOND, after_us=0)])
        await store.due.queue(now_us=NOW_US + SECOND)
        [again] = await store.claim(await store.join(), at_us=NOW_US + MINUTE)

        await store.queue.record([enquiry.delivery.found("SM1", now_us=NOW_US + MINUTE)])

        assert await store.deliveries(program, message) == [again.delivery]


class TestRousing:
    async def lose_wake_ups(self, store: Store) -> None:
        """As when the hub is killed between storing a text and saying so."""
        async with store.database.writing() as connection:
            await connection.execute(update(senders).values(due_us=None))

    async def test_a_sender_whose_wake_up_was_lost_is_found(self, store: Store) -> None:
        program = await store.add_program()
        await store.add_text(program)
        await self.lose_wake_ups(store)
        me = await store.join()
        assert await store.claim(me, at_us=NOW_US + MINUTE) == []

        assert await store.due.rouse(now_us=NOW_US + MINUTE) == 1

        assert len(await store.claim(me, at_us=NOW_US + MINUTE)) == 1

    async def test_each_is_roused_once(self, store: Store) -> None:
        await store.add_text(await store.add_program())
        await self.lose_wake_ups(store)

        assert await store.due.rouse(now_us=NOW_US) == 1
        assert await store.due.rouse(now_us=NOW_US) == 0

    async def test_those_who_have_nothing_to_send_sleep_on(self, store: Store) -> None:
        for name in ("Parks", "Library", "Shelter"):
            program = await store.add_program(name, sender=SenderAddress(name))
            if name == "Library":
                await store.add_text(program)
        await self.lose_wake_ups(store)

        assert await store.due.rouse(now_us=NOW_US) == 1

    async def test_those_who_are_awake_are_left_alone(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        await store.add_text(program, *numbers(2))
        me = await store.join()
        [first] = await store.claim(me)

        assert await store.due.rouse(now_us=NOW_US) == 0
        assert await store.claim(me, at_us=NOW_US + 1) == []
        assert first.slot.at_us == NOW_US

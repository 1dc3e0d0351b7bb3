"""Nobody is texted outside the program's texting hours, by their own clock."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from adapters.sql.tables import senders, text_messages
from domain.model.delivery import Delivery, DeliveryState
from domain.model.phone_number import PhoneNumber
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.sender import SenderAddress
from domain.model.slots import Reservation
from domain.model.terms import Terms
from domain.model.text_message import NewText
from domain.model.texting_hours import TextingHours
from tests.builders import Store, a_number, a_text, numbers

SECOND = 1_000_000
HOUR = 3_600 * SECOND

DENVER = ZoneInfo("America/Denver")
IN_HONOLULU = PhoneNumber("+18085550100")
DAYTIME = Terms(texting_hours=TextingHours.parse("09:00-20:00"))
AT_ONCE = Reservation(window_us=HOUR, lookahead_us=0, most=10_000)


def at(written: str) -> int:
    """That time of the clocks in Denver, where the tests' numbers are."""
    return round(datetime.fromisoformat(written).replace(tzinfo=DENVER).timestamp()) * SECOND


MORNING = at("2030-07-01 09:00")
EVENING = at("2030-07-01 20:00")
NEXT_MORNING = at("2030-07-02 09:00")


async def an_office(
    store: Store, program_id: str = "city-hall", *, terms: Terms = DAYTIME, pace: str = "1000/s"
) -> Program:
    program = await store.add_program(program_id, pace=pace)
    return await store.set_terms(program.id, terms)


def put_off(text: NewText, until_us: int, *numbers: PhoneNumber) -> NewText:
    """For these numbers, as a text is that comes in their quiet hours."""
    deliveries = [
        each.put_off(until_us, now_us=each.updated_us) if each.number in numbers else each for each in text.deliveries
    ]
    return replace(text, deliveries=deliveries)


async def due_us(store: Store, program: Program) -> int | None:
    async with store.database.reading() as connection:
        due: int | None = await connection.scalar(select(senders.c.due_us).where(senders.c.id == program.sender.id))
        return due


def how(delivery: Delivery) -> tuple[DeliveryState, str | None, int | None]:
    return delivery.state, delivery.reason, delivery.due_us


WAITS = DeliveryState.SCHEDULED, "quiet-hours", NEXT_MORNING


async def all_claimed(store: Store, *, at_us: int) -> Sequence[str]:
    """The numbers of whatever can be sent then, claim after claim until the senders are idle."""
    me, found = await store.join(at_us=at_us), list[str]()
    for _ in range(10):
        found += [each.delivery.number.e164 for each in await store.claim(me, at_us=at_us, reservation=AT_ONCE)]
        if await store.queue.next_due_us() is None:
            return found
    pytest.fail("There is always something to claim.")


class TestTerms:
    async def test_hours_are_kept(self, store: Store) -> None:
        terms = Terms(texting_hours=TextingHours.parse("Mo-Sa 09:00-20:00, Su 12:00-20:00"), urgent_any_time=True)
        await an_office(store, terms=terms)

        program = await store.programs.find("city-hall")

        assert program is not None
        assert program.terms == terms


class TestAccepting:
    async def test_a_text_that_can_go_to_some_makes_its_sender_due(self, store: Store) -> None:
        program = await an_office(store)
        text = put_off(a_text(program, *numbers(3), at_us=EVENING), NEXT_MORNING, a_number(0))

        accepted = await store.intake.add(text)

        assert accepted.summary.counts == {DeliveryState.SCHEDULED: 1, DeliveryState.QUEUED: 2}
        assert await due_us(store, program) == EVENING
        assert how((await store.deliveries(program, text.message))[0]) == WAITS

    async def test_one_that_can_go_to_nobody_yet_does_not(self, store: Store) -> None:
        program = await an_office(store)

        await store.intake.add(put_off(a_text(program, at_us=EVENING), NEXT_MORNING, a_number()))

        assert await due_us(store, program) is None


class TestClaiming:
    async def test_within_the_hours_texts_are_claimed_until_they_end(self, store: Store) -> None:
        program = await an_office(store)
        await store.add_text(program, at_us=EVENING - SECOND // 10)

        [claim] = await store.claim(await store.join(), at_us=EVENING - SECOND // 10)

        assert claim.slot.not_after_us == EVENING - 1

    async def test_after_them_they_are_put_off_until_the_next(self, store: Store) -> None:
        program = await an_office(store)
        message = await store.add_text(program, *numbers(3), at_us=EVENING)

        assert await all_claimed(store, at_us=EVENING) == []

        for delivery in await store.deliveries(program, message):
            assert how(delivery) == WAITS
            assert (delivery.attempt, delivery.updated_us) == (0, EVENING)

    async def test_it_is_the_slot_that_must_be_within_them(self, store: Store) -> None:
        program = await an_office(store, pace="1/min")
        message = await store.add_text(program, *numbers(2), at_us=EVENING - 30 * SECOND)

        assert await all_claimed(store, at_us=EVENING - 30 * SECOND) == [a_number(0).e164]

        assert how((await store.deliveries(program, message))[1]) == WAITS

    async def test_each_recipient_has_a_clock(self, store: Store) -> None:
        program = await an_office(store)
        await store.add_text(program, a_number(0), IN_HONOLULU, a_number(1), at_us=EVENING)

        assert await all_claimed(store, at_us=EVENING) == [IN_HONOLULU.e164]

    async def test_other_programs_of_the_sender_go_on(self, store: Store) -> None:
        closed = await an_office(store)
        await store.add_text(closed, *numbers(2_500), at_us=EVENING)
        other = await an_office(store, "fire-brigade", terms=Terms())
        await store.add_text(other, IN_HONOLULU, at_us=EVENING)

        assert await all_claimed(store, at_us=EVENING) == [IN_HONOLULU.e164]

    async def test_however_many_wait_when_they_end_it_takes_few_claims(self, store: Store) -> None:
        program = await an_office(store, pace="1/s")
        message = await store.add_text(program, *numbers(5_000), at_us=EVENING)
        me = await store.join(at_us=EVENING)

        for _ in range(3):
            assert await store.claim(me, at_us=EVENING) == []

        assert {how(each) for each in await store.deliveries(program, message)} == {WAITS}

    async def test_those_behind_who_may_be_texted_stay_in_line(self, store: Store) -> None:
        program = await an_office(store, pace="1/s")
        message = await store.add_text(program, *numbers(10), IN_HONOLULU, *numbers(10, first=10), at_us=EVENING)

        await store.claim(await store.join(at_us=EVENING), at_us=EVENING)

        honolulu, *others = sorted(await store.deliveries(program, message), key=lambda each: each.number)
        assert {how(each) for each in others} == {WAITS}
        assert how(honolulu)[0] is DeliveryState.QUEUED

    async def test_where_the_provider_queues_texts_must_leave_it_within_them(self, store: Store) -> None:
        program = await store.add_program(sender=SenderAddress("MG" + 32 * "0"), pace="1/min")
        await store.set_terms(program.id, DAYTIME)
        message = await store.add_text(program, *numbers(5), at_us=EVENING - 150 * SECOND)

        assert len(await all_claimed(store, at_us=EVENING - 150 * SECOND)) == 3

        assert [how(each) for each in (await store.deliveries(program, message))[3:]] == [WAITS, WAITS]

    async def test_urgent_texts_wait_unless_the_program_wants_them_sent(self, store: Store) -> None:
        program = await an_office(store)
        await store.intake.add(a_text(program, at_us=EVENING, priority=Priority.URGENT))
        assert await all_claimed(store, at_us=EVENING) == []

        await store.set_terms(program.id, replace(DAYTIME, urgent_any_time=True))
        await store.intake.add(a_text(program, a_number(1), at_us=EVENING, priority=Priority.NORMAL))
        await store.intake.add(a_text(program, a_number(2), at_us=EVENING, priority=Priority.URGENT))

        assert await all_claimed(store, at_us=EVENING) == [a_number(2).e164]

    async def test_replies_do_not_wait(self, store: Store) -> None:
        program = await an_office(store, pace="1/s")
        await store.add_text(program, *numbers(10), at_us=EVENING)
        reply = await store.add_text(program, a_number(10), at_us=EVENING)
        async with store.database.writing() as connection:
            await connection.execute(update(text_messages).where(text_messages.c.id == reply.id).values(is_reply=True))

        assert await all_claimed(store, at_us=EVENING) == [a_number(10).e164]


class TestWhatIsPutOff:
    async def test_when_the_hours_begin_it_is_queued_and_sent_in_its_order(self, store: Store) -> None:
        program = await an_office(store)
        message = await store.add_text(program, *numbers(3), at_us=EVENING)
        await all_claimed(store, at_us=EVENING)

        assert await store.due.queue(now_us=NEXT_MORNING - 1) == 0
        assert await store.due.queue(now_us=NEXT_MORNING) == 3

        assert {how(each) for each in await store.deliveries(program, message)} == {(DeliveryState.QUEUED, None, None)}
        assert await all_claimed(store, at_us=NEXT_MORNING) == [each.e164 for each in numbers(3)]

    async def test_what_is_scheduled_for_another_reason_keeps_it(self, store: Store) -> None:
        program = await an_office(store)
        message = await store.add_text(program, at_us=MORNING)
        [claim] = await store.claim(await store.join(), at_us=MORNING)
        await store.queue.record([claim.delivery.retried("no-connection", now_us=MORNING, after_us=SECOND)])

        await store.due.queue(now_us=MORNING + SECOND)

        [delivery] = await store.deliveries(program, message)
        assert how(delivery) == (DeliveryState.QUEUED, "no-connection", None)

    async def test_what_is_tried_again_is_put_off_as_well(self, store: Store) -> None:
        program = await an_office(store)
        message = await store.add_text(program, at_us=EVENING - SECOND)
        [claim] = await store.claim(await store.join(), at_us=EVENING - SECOND)
        await store.queue.record([claim.delivery.retried("no-connection", now_us=EVENING - SECOND, after_us=SECOND)])
        await store.due.queue(now_us=EVENING)

        assert await all_claimed(store, at_us=EVENING) == []

        [delivery] = await store.deliveries(program, message)
        assert how(delivery) == WAITS
        assert (delivery.attempt, delivery.failures) == (1, 1)

    async def test_it_expires_in_its_time(self, store: Store) -> None:
        program = await an_office(store)
        text = a_text(program, at_us=EVENING, expires_us=NEXT_MORNING)
        await store.intake.add(text)
        await all_claimed(store, at_us=EVENING)

        assert await store.due.expire(now_us=NEXT_MORNING) == 1

        [delivery] = await store.deliveries(program, text.message)
        assert how(delivery) == (DeliveryState.EXPIRED, "not-sent-in-time", None)

    async def test_it_can_be_canceled(self, store: Store) -> None:
        program = await an_office(store)
        message = await store.add_text(program, at_us=EVENING)
        await all_claimed(store, at_us=EVENING)

        assert await store.texts.cancel(program.id, message.id, now_us=EVENING + 1) == 1

        [delivery] = await store.deliveries(program, message)
        assert how(delivery) == (DeliveryState.CANCELED, None, None)

    async def test_other_hours_hold_for_it_at_once(self, store: Store) -> None:
        program = await an_office(store)
        await store.add_text(program, at_us=EVENING)
        asked_for = a_text(program, a_number(1), at_us=EVENING, send_at_us=EVENING + HOUR)
        await store.intake.add(put_off(asked_for, NEXT_MORNING, a_number(1)))
        await all_claimed(store, at_us=EVENING)

        await store.set_terms(program.id, replace(DAYTIME, failover=True))
        assert await store.due.queue(now_us=EVENING) == 0

        await store.set_terms(program.id, Terms())
        assert await store.due.queue(now_us=EVENING) == 1
        assert await store.due.queue(now_us=EVENING + HOUR) == 1

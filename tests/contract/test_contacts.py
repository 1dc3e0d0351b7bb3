"""Whom a program has texted before gets no notice any more."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from adapters.sql.tables import deliveries
from domain.model.delivery import DeliveryState
from domain.model.message_body import MessageBody
from domain.model.pace import SECOND_US
from tests.builders import NOW_US, Store, a_number, a_text, numbers

NOTICE = "Reply STOP to get no more."


async def test_those_are_known_whom_the_program_has_texted(store: Store) -> None:
    program, other = await store.add_program("city-hall"), await store.add_program("library")
    await store.add_text(program, a_number(0), a_number(1))
    await store.add_text(other, a_number(2))

    assert await store.contacts.among(program.id, numbers(4)) == {a_number(0), a_number(1)}


@pytest.mark.parametrize(
    ("state", "known"),
    [
        (DeliveryState.SCHEDULED, True),
        (DeliveryState.UNKNOWN, True),
        (DeliveryState.DELIVERED, True),
        (DeliveryState.FAILED, False),
        (DeliveryState.BLOCKED, False),
        (DeliveryState.CANCELED, False),
    ],
)
async def test_who_has_not_got_a_text_is_new_still(store: Store, state: DeliveryState, *, known: bool) -> None:
    program = await store.add_program()
    await store.add_text(program, a_number())
    async with store.database.writing() as connection:
        await connection.execute(update(deliveries).values(state=state.value))

    assert (a_number() in await store.contacts.among(program.id, [a_number()])) is known


async def test_a_great_many_are_looked_up(store: Store) -> None:
    program = await store.add_program()
    await store.intake.add(a_text(program, *numbers(2_000)))

    assert len(await store.contacts.among(program.id, numbers(2_500))) == 2_000


async def test_a_claim_has_the_notice_for_those_alone_who_are_to_get_it(store: Store) -> None:
    program = await store.add_program(pace="10/s")
    text = a_text(program, *numbers(2))
    first, second = text.deliveries
    message = replace(text.message, body=MessageBody("Hello"), notice=NOTICE)
    await store.intake.add(replace(text, message=message, deliveries=[replace(first, has_notice=True), second]))

    claims = await store.claim(await store.join())

    assert [each.body.text for each in claims] == [f"Hello\n{NOTICE}", "Hello"]
    assert [each.delivery.has_notice for each in claims] == [True, False]
    assert (await store.texts.find(program.id, message.id)).message.notice == NOTICE  # type: ignore[union-attr]


async def test_a_provider_is_asked_about_the_text_with_its_notice(store: Store) -> None:
    program = await store.add_program()
    text = a_text(program)
    message = replace(text.message, body=MessageBody("Hello"), notice=NOTICE)
    await store.intake.add(replace(text, message=message, deliveries=[replace(text.deliveries[0], has_notice=True)]))
    (claim,) = await store.claim(await store.join())
    lost = claim.delivery.lost_sight_of("no-answer", now_us=NOW_US, ask_after_us=SECOND_US)
    await store.queue.record([lost])

    (enquiry,) = await store.due.enquiries(now_us=NOW_US + SECOND_US, limit=10)

    assert enquiry.body.text == f"Hello\n{NOTICE}"

"""Programs that text one number so many times within a while, and no more."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from adapters.sql.database import Database
from adapters.sql.tables import deliveries
from domain.model.budget import Velocity
from domain.model.delivery import TOO_MANY_TEXTS, DeliveryState
from domain.model.idempotency import IdempotencyKey
from domain.model.message_id import new_message_id
from domain.model.pace import SECOND_US
from domain.model.program import Program
from domain.model.text_message import NewText
from tests.builders import NOW_US, Store, a_number, a_text, numbers

WITHIN_US = 3_600 * SECOND_US
TWO_AN_HOUR = Velocity(2, timedelta(hours=1))


def watched(
    program: Program, *indexes: int, at_us: int = NOW_US, key: str | None = None, most: Velocity = TWO_AN_HOUR
) -> NewText:
    return a_text(
        program,
        *(a_number(index) for index in indexes or (0,)),
        message_id=new_message_id(at_us),
        at_us=at_us,
        key=None if key is None else IdempotencyKey(key, hashlib.sha256(key.encode()).digest()),
        per_recipient=most,
    )


async def test_a_number_gets_no_more_than_so_many_within_a_while(store: Store) -> None:
    program = await store.add_program()
    for at_us in (NOW_US, NOW_US + 1_000):
        assert (await store.intake.add(watched(program, 0, 1, at_us=at_us))).blocked == {}

    third = watched(program, 1, 2, at_us=NOW_US + WITHIN_US - 1_000)
    accepted = await store.intake.add(third)

    assert accepted.blocked == {TOO_MANY_TEXTS: 1}
    assert [(each.state, each.reason) for each in await store.deliveries(program, third.message)] == [
        (DeliveryState.BLOCKED, TOO_MANY_TEXTS),
        (DeliveryState.QUEUED, None),
    ]
    # The first was more than the while ago, the third is none of the two.
    assert (await store.intake.add(watched(program, 1, at_us=NOW_US + WITHIN_US + 500))).blocked == {}
    assert (await store.intake.add(watched(program, 1, at_us=NOW_US + WITHIN_US + 500))).blocked != {}


async def test_other_programs_texts_are_not_counted(store: Store) -> None:
    program, other = await store.add_program("city-hall"), await store.add_program("library")
    for _ in range(3):
        await store.intake.add(a_text(other, message_id=new_message_id(NOW_US)))

    assert (await store.intake.add(watched(program))).blocked == {}


async def test_what_was_canceled_is_not_counted(store: Store) -> None:
    program = await store.add_program()
    first = watched(program)
    await store.intake.add(first)
    await store.intake.add(watched(program))
    await store.texts.cancel(program.id, first.message.id, now_us=NOW_US)

    assert (await store.intake.add(watched(program))).blocked == {}


async def test_a_repeated_request_is_answered_as_the_first_was(store: Store) -> None:
    program = await store.add_program()
    await store.intake.add(watched(program, most=Velocity(1, timedelta(hours=1))))
    first = watched(program, 0, 1, key="one", most=Velocity(1, timedelta(hours=1)))

    accepted = await store.intake.add(first)
    replayed = await store.intake.add(watched(program, 0, 1, key="one", most=Velocity(1, timedelta(hours=1))))

    assert (accepted.replayed, replayed.replayed) == (False, True)
    assert accepted.blocked == replayed.blocked == {TOO_MANY_TEXTS: 1}
    assert accepted.summary.counts == replayed.summary.counts


async def test_of_many_at_several_hubs_as_many_are_sent_as_may(store: Store, other_store: Store) -> None:
    program = await store.add_program()
    texts = [watched(program, 0, 1, 2) for _ in range(60)]

    accepted = await asyncio.gather(
        *(hub.intake.add(text) for text, hub in zip(texts, [store, other_store] * 30, strict=True))
    )

    assert sum(each.blocked.get(TOO_MANY_TEXTS, 0) for each in accepted) == 3 * 58
    queued = select(func.count()).where(deliveries.c.state == DeliveryState.QUEUED.value)
    async with store.database.reading() as connection:
        assert (await connection.execute(queued)).scalar_one() == 6


async def test_a_great_many_numbers(store: Store) -> None:
    program = await store.add_program()
    most = Velocity(1, timedelta(hours=1))
    await store.intake.add(a_text(program, *numbers(3_000), message_id=new_message_id(NOW_US), per_recipient=most))

    second = a_text(program, *numbers(3_000, first=1_000), message_id=new_message_id(NOW_US), per_recipient=most)

    assert (await store.intake.add(second)).blocked == {TOO_MANY_TEXTS: 2_000}


@pytest.fixture
async def other_store(database_url: str, store: Store) -> AsyncIterator[Store]:
    """Another process's way into the same database."""
    _ = store
    database = Database(database_url)
    yield Store.on(database)
    await database.close()

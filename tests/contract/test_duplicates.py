"""Programs that hold duplicates back: the same text does not go to the same number twice within a while."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from adapters.sql.database import Database
from adapters.sql.tables import deliveries, recent_texts
from domain.model.delivery import DUPLICATE, OPTED_OUT, DeliveryState
from domain.model.idempotency import IdempotencyKey
from domain.model.pace import SECOND_US
from domain.model.program import Program
from domain.model.text_message import AcceptedText, NewText
from tests.builders import NOW_US, Store, a_number, a_text, an_opt_out, numbers

WINDOW_US = 600 * SECOND_US


def watched(
    program: Program, *indexes: int, at_us: int = NOW_US, segments: int = 1, key: IdempotencyKey | None = None
) -> NewText:
    to = [a_number(index) for index in indexes or (0,)]
    return a_text(program, *to, at_us=at_us, segments=segments, key=key, duplicate_window_us=WINDOW_US)


def a_key(value: str) -> IdempotencyKey:
    return IdempotencyKey(value, hashlib.sha256(value.encode()).digest())


async def reasons(store: Store, program: Program, message_id: UUID) -> list[str | None]:
    page = await store.texts.deliveries(program.id, message_id, after=0, limit=100)
    assert page is not None
    return [each.delivery.reason for each in page.items]


def blocked(accepted: AcceptedText) -> int:
    return accepted.blocked.get(DUPLICATE, 0)


async def test_the_same_text_goes_to_a_number_once_within_the_window(store: Store) -> None:
    program = await store.add_program()
    first, second = watched(program, 0, 1), watched(program, 1, 2, at_us=NOW_US + WINDOW_US - 1)

    assert blocked(await store.intake.add(first)) == 0
    again = await store.intake.add(second)

    assert again.blocked == {DUPLICATE: 1}
    assert again.summary.counts == {DeliveryState.BLOCKED: 1, DeliveryState.QUEUED: 1}
    assert await store.states(program, second.message) == [DeliveryState.BLOCKED, DeliveryState.QUEUED]
    assert await reasons(store, program, second.message.id) == [DUPLICATE, None]


async def test_after_the_window_it_goes_again(store: Store) -> None:
    program = await store.add_program()
    await store.intake.add(watched(program))

    assert blocked(await store.intake.add(watched(program, at_us=NOW_US + WINDOW_US))) == 0
    assert blocked(await store.intake.add(watched(program, at_us=NOW_US + WINDOW_US + 1))) == 1


async def test_another_text_another_number_and_another_program_are_no_duplicates(store: Store) -> None:
    program, other = await store.add_program("city-hall"), await store.add_program("library")
    await store.intake.add(watched(program))

    others = [watched(program, segments=2), watched(program, 1), watched(other)]

    assert [blocked(await store.intake.add(each)) for each in others] == [0, 0, 0]


async def test_a_program_without_a_window_sends_whatever_it_is_told(store: Store) -> None:
    program = await store.add_program()

    for _ in range(2):
        assert (await store.intake.add(a_text(program))).summary.counts == {DeliveryState.QUEUED: 1}
    async with store.database.reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(recent_texts))).scalar_one() == 0


@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.UNDELIVERED, DeliveryState.CANCELED])
async def test_what_did_not_get_there_may_be_sent_again(store: Store, state: DeliveryState) -> None:
    program = await store.add_program()
    await store.intake.add(watched(program))
    async with store.database.writing() as connection:
        await connection.execute(update(deliveries).values(state=state.value))

    assert [blocked(await store.intake.add(watched(program))) for _ in range(2)] == [0, 1]


async def test_who_has_opted_out_is_not_noted(store: Store) -> None:
    program = await store.add_program()
    await store.opt_outs.record([an_opt_out(program.id, a_number())])
    assert "opted-out" in (await store.intake.add(watched(program))).blocked
    async with store.database.reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(recent_texts))).scalar_one() == 0


async def test_who_has_opted_out_is_no_duplicate_beside_others(store: Store) -> None:
    program = await store.add_program()
    await store.opt_outs.record([an_opt_out(program.id, a_number(0))])

    assert [(await store.intake.add(watched(program, 0, 1))).blocked for _ in range(2)] == [
        {OPTED_OUT: 1},
        {OPTED_OUT: 1, DUPLICATE: 1},
    ]


async def test_a_repeated_request_is_answered_as_the_first_was_and_no_duplicate(store: Store) -> None:
    program = await store.add_program()
    first = watched(program, 0, 1, key=a_key("one"))
    await store.intake.add(first)

    second = watched(program, 1, 2, key=a_key("two"))
    answers = [await store.intake.add(second), await store.intake.add(watched(program, 1, 2, key=a_key("two")))]
    replayed = await store.intake.add(watched(program, 0, 1, key=a_key("one")))

    assert [each.replayed for each in answers] == [False, True]
    assert answers[0].blocked == answers[1].blocked == {DUPLICATE: 1}
    assert answers[0].summary.counts == answers[1].summary.counts
    assert (replayed.replayed, replayed.blocked, replayed.summary.message.id) == (True, {}, first.message.id)


async def test_of_many_at_once_one_is_sent(store: Store) -> None:
    """In one process they share transactions."""
    program = await store.add_program()
    texts = [watched(program, 0, 1, 2) for _ in range(40)]

    accepted = await asyncio.gather(*map(store.intake.add, texts))

    assert sum(map(blocked, accepted)) == 3 * 39
    assert await queued(store) == 3


async def test_of_many_at_several_hubs_one_is_sent(store: Store, other_store: Store) -> None:
    program = await store.add_program()
    # Each takes the numbers in another order, and some have a key.
    texts = [
        watched(program, *(range(20) if index % 2 else range(19, -1, -1)), key=a_key(str(index // 3)))
        for index in range(30)
    ]

    accepted = await asyncio.gather(
        *(hub.intake.add(text) for text, hub in zip(texts, [store, other_store] * 15, strict=True)),
        return_exceptions=True,
    )

    assert [each for each in accepted if isinstance(each, Exception)] == []
    assert await queued(store) == 20


async def test_a_great_many_numbers(store: Store) -> None:
    program = await store.add_program()
    first = a_text(program, *numbers(3_000), duplicate_window_us=WINDOW_US)
    await store.intake.add(first)

    second = a_text(program, *numbers(3_000, first=1_000), duplicate_window_us=WINDOW_US)

    assert (await store.intake.add(second)).summary.counts == {
        DeliveryState.BLOCKED: 2_000,
        DeliveryState.QUEUED: 1_000,
    }


async def test_notes_are_forgotten_when_the_window_is_over(store: Store) -> None:
    program = await store.add_program()
    await store.intake.add(watched(program, 0))
    await store.intake.add(watched(program, 1, at_us=NOW_US + SECOND_US))

    assert await store.intake.forget_keys(now_us=NOW_US + WINDOW_US) == 1
    assert await store.intake.forget_keys(now_us=NOW_US + WINDOW_US + SECOND_US) == 1


async def queued(store: Store) -> int:
    of_these = select(func.count()).where(deliveries.c.state == DeliveryState.QUEUED.value)
    async with store.database.reading() as connection:
        return int((await connection.execute(of_these)).scalar_one())


@pytest.fixture
async def other_store(database_url: str, store: Store) -> AsyncIterator[Store]:
    """Another process's way into the same database."""
    _ = store
    database = Database(database_url)
    yield Store.on(database)
    await database.close()

"""Programs that may send so many segments in a day or month, and no more, however many requests come at once."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import func, select

from adapters.sql.database import Database
from adapters.sql.intake import SqlIntake
from adapters.sql.tables import budget_uses, deliveries, idempotency_keys, text_messages
from domain.errors import BudgetExceeded, IdempotencyKeyReused
from domain.model.budget import Budget, BudgetUse
from domain.model.delivery import DUPLICATE, DeliveryState
from domain.model.idempotency import KEPT_US, IdempotencyKey
from domain.model.pace import SECOND_US
from domain.model.program import Program
from domain.model.text_message import AcceptedText, NewText
from tests.builders import NOW_US, Store, a_number, a_text, an_opt_out, numbers

HOUR_US = 3_600 * SECOND_US
DAY = Budget("2030-03-17", 10, NOW_US + HOUR_US)
MONTH = Budget("2030-03", 15, NOW_US + 24 * HOUR_US)


def counted(
    program: Program,
    count: int = 1,
    *,
    segments: int = 1,
    key: str | None = None,
    budgets: Sequence[Budget] = (DAY,),
    duplicate_window_us: int | None = None,
) -> NewText:
    its_key = None if key is None else IdempotencyKey(key, hashlib.sha256(key.encode()).digest())
    return a_text(
        program,
        *numbers(count),
        segments=segments,
        key=its_key,
        budgets=budgets,
        duplicate_window_us=duplicate_window_us,
    )


async def refusal(store: Store, text: NewText) -> BudgetExceeded:
    before = await rows(store)
    with pytest.raises(BudgetExceeded) as refused:
        await store.intake.add(text)
    assert await rows(store) == before
    return refused.value


async def rows(store: Store) -> list[int]:
    async with store.database.reading() as connection:
        return [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (text_messages, deliveries, idempotency_keys)
        ]


async def used(store: Store) -> dict[str, int]:
    async with store.database.reading() as connection:
        found = await connection.execute(select(budget_uses.c.period, budget_uses.c.used))
        return {row.period: row.used for row in found}


async def test_what_does_not_fit_any_more_is_refused_and_leaves_nothing(store: Store) -> None:
    program = await store.add_program()
    await store.intake.add(counted(program, 4, segments=2))

    refused = await refusal(store, counted(program, 3, key="one"))

    assert (refused.segments, refused.left, refused.retry_after_s) == (3, 2, 3_600)
    assert "2 of this program's budget are left for 2030-03-17" in str(refused)
    assert await used(store) == {"2030-03-17": 8}
    await store.intake.add(counted(program, 2, key="one"))
    assert await used(store) == {"2030-03-17": 10}


async def test_a_text_that_is_refused_does_not_take_the_others_with_it(store: Store) -> None:
    """They come at once, and so share a transaction."""
    program, other = await store.add_program("city-hall"), await store.add_program("library")
    texts = [
        a_text(other),
        counted(program, 6, key="first"),
        counted(program, 6, key="second"),
        counted(program, 4, key="third"),
        counted(other, 10),
    ]

    answers = await asyncio.gather(*map(store.intake.add, texts), return_exceptions=True)

    assert [type(each) for each in answers] == [AcceptedText, AcceptedText, BudgetExceeded, AcceptedText, AcceptedText]
    assert await rows(store) == [4, 21, 2]


async def test_a_month_bounds_what_days_allow(store: Store) -> None:
    program = await store.add_program()
    tomorrow = Budget("2030-03-18", 10, NOW_US + 25 * HOUR_US)
    await store.intake.add(counted(program, 10, budgets=(DAY, MONTH)))

    refused = await refusal(store, counted(program, 6, budgets=(tomorrow, MONTH)))

    assert (refused.left, refused.retry_after_s) == (5, 24 * 3_600)
    await store.intake.add(counted(program, 5, budgets=(tomorrow, MONTH)))
    # Nothing is left of either of the two: it is no use to come before the later.
    assert (await refusal(store, counted(program, 6, budgets=(DAY, MONTH)))).retry_after_s == 24 * 3_600
    assert await used(store) == {"2030-03-17": 10, "2030-03-18": 5, "2030-03": 15}


async def test_a_repeated_request_is_counted_once(store: Store) -> None:
    program = await store.add_program()
    first = await store.intake.add(counted(program, 10, key="one"))

    again = [await store.intake.add(counted(program, 10, key="one")) for _ in range(3)]

    assert {each.summary.message.id for each in again} == {first.summary.message.id}
    assert all(each.replayed for each in again)
    assert await used(store) == {"2030-03-17": 10}


async def test_equal_requests_at_once_are_refused_alike(store: Store) -> None:
    program = await store.add_program()

    answers = await asyncio.gather(
        *(store.intake.add(counted(program, 11, key="one")) for _ in range(20)), return_exceptions=True
    )

    assert {type(each) for each in answers} == {BudgetExceeded}


async def test_what_is_blocked_does_not_count(store: Store) -> None:
    program = await store.add_program()
    await store.opt_outs.record([an_opt_out(program.id, a_number(0))])
    window_us = 600 * SECOND_US

    await store.intake.add(counted(program, 4, duplicate_window_us=window_us))
    accepted = await store.intake.add(counted(program, 11, key="one", duplicate_window_us=window_us))
    replayed = await store.intake.add(counted(program, 11, key="one", duplicate_window_us=window_us))

    assert accepted.blocked == replayed.blocked == {"opted-out": 1, DUPLICATE: 3}
    assert await used(store) == {"2030-03-17": 10}
    assert accepted.segments == 7
    # One of whom nobody is texted costs nothing.
    blocked = await store.intake.add(counted(program, 1))
    assert blocked.summary.counts == {DeliveryState.BLOCKED: 1}


async def test_what_was_refused_has_no_duplicates(store: Store) -> None:
    program = await store.add_program()
    window_us = 600 * SECOND_US
    await refusal(store, counted(program, 11, duplicate_window_us=window_us))

    assert (await store.intake.add(counted(program, 10, duplicate_window_us=window_us))).blocked == {}


async def test_what_is_canceled_is_given_back(store: Store) -> None:
    program = await store.add_program()
    before = a_text(program, *numbers(5), at_us=NOW_US - 1)
    await store.intake.add(before)
    text = counted(program, 3, segments=2, budgets=(DAY, MONTH))
    await store.intake.add(text)

    assert await store.texts.cancel(program.id, text.message.id, now_us=NOW_US) == 3
    assert await used(store) == {"2030-03-17": 0, "2030-03": 0}
    await store.texts.cancel(program.id, text.message.id, now_us=NOW_US)
    await store.intake.add(counted(program, 3))
    # It was accepted before there was a budget, and counted against none.
    assert await store.texts.cancel(program.id, before.message.id, now_us=NOW_US) == 5
    assert await used(store) == {"2030-03-17": 3, "2030-03": 0}


async def test_texts_of_programs_without_a_budget_are_counted_nowhere(store: Store) -> None:
    await store.intake.add(a_text(await store.add_program()))

    assert await used(store) == {}


async def test_a_period_is_forgotten_a_day_after_its_end(store: Store) -> None:
    program = await store.add_program()
    await store.intake.add(counted(program, budgets=(DAY, MONTH)))

    assert await store.intake.forget_keys(now_us=DAY.until_us + KEPT_US - 1) == 0
    assert await store.intake.forget_keys(now_us=DAY.until_us + KEPT_US) == 1
    assert list(await used(store)) == ["2030-03"]


async def test_of_many_at_several_hubs_as_many_are_sent_as_fit(store: Store, other_store: Store) -> None:
    program = await store.add_program()
    budgets = Budget("2030-03-17", 100, NOW_US + HOUR_US), Budget("2030-03", 90, NOW_US + HOUR_US)
    # Of each three one is a text of its own.
    texts = [counted(program, 1 + index % 3, key=str(index // 3), budgets=budgets) for index in range(300)]

    answers = await asyncio.gather(
        *(hub.intake.add(text) for text, hub in zip(texts, [store, other_store] * 150, strict=True)),
        return_exceptions=True,
    )

    assert {type(each) for each in answers if isinstance(each, Exception)} <= {BudgetExceeded, IdempotencyKeyReused}
    async with store.database.reading() as connection:
        sent = (await connection.execute(select(func.sum(deliveries.c.segments)))).scalar_one()
    assert sent == 90
    assert await used(store) == {"2030-03-17": 90, "2030-03": 90}


async def test_that_a_budget_is_nearly_used_is_told_once(store: Store) -> None:
    told: list[BudgetUse] = []
    program = await store.add_program()
    intake: SqlIntake = type(store.intake)(store.database, nearly_used=told.append)

    async def adds(count: int) -> list[tuple[int, int]]:
        told.clear()
        await asyncio.gather(intake.add(counted(program, count)), return_exceptions=True)
        return [(each.used, each.percent) for each in told]

    assert await adds(7) == []
    assert await adds(1) == [(8, 80)]
    assert await adds(1) == []
    # Nothing more of that length goes.
    assert await adds(2) == [(9, 100)]
    assert await adds(2) == []
    assert await adds(1) == []


async def test_behind_a_pooler_it_is_the_same(postgres_url: str) -> None:
    database = Database(postgres_url, behind_pooler=True)
    store = Store.on(database)
    program = await store.add_program()

    await store.intake.add(counted(program, 10, key="one"))
    await refusal(store, counted(program, 1, key="two"))

    await database.close()


@pytest.fixture
async def other_store(database_url: str, store: Store) -> AsyncIterator[Store]:
    """Another process's way into the same database."""
    _ = store
    database = Database(database_url)
    yield Store.on(database)
    await database.close()

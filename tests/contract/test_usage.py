"""What programs have sent by day, also of texts that are deleted since; and prices."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TypeAlias

import pytest
from sqlalchemy import func, select, update

from adapters.sql.tables import deliveries, past_usage, text_messages
from domain.errors import CurrencyDiffers, PriceNotFound
from domain.model.budget import beginning_us
from domain.model.delivery import DeliveryState
from domain.model.message_id import new_message_id
from domain.model.pace import SECOND_US
from domain.model.phone_number import PhoneNumber
from domain.model.price import Price
from domain.model.program import Program
from domain.model.usage import DayOfUse
from tests.builders import NOW_US, SENDER, Store, a_text, numbers

# Day, state, messages, deliveries, and segments by country.
Shown: TypeAlias = tuple[date, DeliveryState, int, int, dict[str, int]]

ZONE = "America/Denver"
FIRST, LAST = date(2030, 3, 14), date(2030, 3, 16)
DAY_US = 86_400 * SECOND_US
CANADIAN, BRITISH = PhoneNumber("+16135550100"), PhoneNumber("+447400123456")


async def add(store: Store, program: Program, *to: PhoneNumber, at_us: int, segments: int = 1) -> None:
    await store.intake.add(a_text(program, *to, message_id=new_message_id(at_us), at_us=at_us, segments=segments))


async def usage(store: Store, program: Program) -> Sequence[DayOfUse]:
    return await store.usage.days(program.id, first=FIRST, last=LAST, zone=ZONE)


async def test_hours_are_those_of_the_zones_clocks(store: Store) -> None:
    program, other = await store.add_program(), await store.add_program("library", sender=SENDER)
    start_us = beginning_us(FIRST, "Asia/Kathmandu")
    hour_us = 3_600 * SECOND_US
    await add(store, program, *numbers(3), at_us=start_us)
    await add(store, program, *numbers(2), at_us=start_us + DAY_US + hour_us - SECOND_US)
    await add(store, program, *numbers(1), at_us=start_us + 23 * hour_us)
    await add(store, program, *numbers(5), at_us=start_us - SECOND_US)
    await add(store, program, *numbers(5), at_us=start_us + 3 * DAY_US)
    await add(store, other, *numbers(5), at_us=start_us)

    hours = await store.usage.hours(program.id, first=FIRST, last=LAST, zone="Asia/Kathmandu")

    assert hours == [5, *[0] * 22, 1]


async def a_busy_program(store: Store) -> Program:
    program = await store.add_program()
    other = await store.add_program("library", sender=SENDER)
    start_us, end_us = beginning_us(FIRST, ZONE), beginning_us(LAST, ZONE) + DAY_US
    for at_us in (start_us - 1_000, start_us, start_us + DAY_US - 1_000, end_us - 1_000, end_us):
        await add(store, program, *numbers(2), CANADIAN, BRITISH, at_us=at_us, segments=2)
        await add(store, other, *numbers(5), at_us=at_us)
    async with store.database.writing() as connection:
        its = select(text_messages.c.id).where(text_messages.c.created_us == start_us)
        await connection.execute(
            update(deliveries)
            .where(deliveries.c.message_id.in_(its), deliveries.c.number == BRITISH.e164)
            .values(state=DeliveryState.FAILED.value)
        )
    return program


EXPECTED: list[Shown] = [
    (FIRST, DeliveryState.FAILED, 1, 1, {"GB": 2}),
    (FIRST, DeliveryState.QUEUED, 2, 7, {"US": 8, "CA": 4, "GB": 2}),
    (LAST, DeliveryState.QUEUED, 1, 4, {"US": 4, "CA": 2, "GB": 2}),
]


def shown(days: Sequence[DayOfUse]) -> list[Shown]:
    assert all(each.sender == SENDER for each in days)
    return [(each.day, each.state, each.messages, each.deliveries, dict(each.by_country)) for each in days]


async def test_a_programs_texts_are_summed_up_by_day_and_state(store: Store) -> None:
    assert shown(await usage(store, await a_busy_program(store))) == EXPECTED


async def test_what_is_deleted_still_counts(store: Store) -> None:
    program = await a_busy_program(store)
    async with store.database.writing() as connection:
        await connection.execute(
            update(deliveries).where(deliveries.c.state == "queued").values(state=DeliveryState.DELIVERED.value)
        )
    await store.set_terms(program.id, replace(program.terms, budget_zone=ZONE))
    expected = sorted(
        ((each[0], _delivered(each[1]), *each[2:]) for each in EXPECTED), key=lambda each: (each[0], each[1].value)
    )

    before = shown(await usage(store, program))
    # First those of the first day and before, then the others.
    await store.retention.forget(now_us=beginning_us(LAST, ZONE), kept_us=DAY_US)
    between = shown(await usage(store, program))
    await store.retention.forget(now_us=NOW_US, kept_us=0)

    assert before == between == shown(await usage(store, program)) == expected
    async with store.database.reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(deliveries))).scalar_one() == 0
        assert (await connection.execute(select(func.sum(past_usage.c.messages)))).scalar_one() == 11


def _delivered(state: DeliveryState) -> DeliveryState:
    return DeliveryState.DELIVERED if state is DeliveryState.QUEUED else state


class TestPrices:
    async def test_they_are_kept_by_country(self, store: Store) -> None:
        await store.prices.put("US", Price(Decimal("0.0079"), "USD"))
        await store.prices.put("CA", Price(Decimal("0.0075"), "USD"))
        await store.prices.put("US", Price(Decimal("0.0083"), "USD"))

        assert list((await store.prices.all()).items()) == [
            ("CA", Price(Decimal("0.0075"), "USD")),
            ("US", Price(Decimal("0.0083"), "USD")),
        ]

    async def test_all_are_in_one_currency(self, store: Store) -> None:
        await store.prices.put("US", Price(Decimal(1), "USD"))
        await store.prices.put("CA", Price(Decimal(1), "USD"))

        with pytest.raises(CurrencyDiffers):
            await store.prices.put("US", Price(Decimal(1), "CAD"))

        assert {each.currency for each in (await store.prices.all()).values()} == {"USD"}
        await store.prices.remove("CA")
        await store.prices.put("US", Price(Decimal(1), "CAD"))

    async def test_one_that_there_is_not_cannot_be_removed(self, store: Store) -> None:
        with pytest.raises(PriceNotFound):
            await store.prices.remove("US")

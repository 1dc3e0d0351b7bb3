"""What programs have sent by day: summed up from their texts, and from what was kept of those that are deleted."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, case, distinct, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database
from adapters.sql.tables import deliveries, past_usage, senders, text_messages
from domain.model.budget import beginning_us, day_of, hour_of
from domain.model.delivery import DeliveryState
from domain.model.message_id import first_message_id
from domain.model.pace import SECOND_US
from domain.model.phone_number import PhoneNumber
from domain.model.sender import SenderAddress
from domain.model.usage import DayOfUse
from domain.ports.usage import UsageLog

# Of an hour, as there are zones that are not whole hours apart.
_QUARTER_US = 900 * SECOND_US
_QUARTER = (text_messages.c.created_us // _QUARTER_US).label("quarter")

# Numbers that begin alike belong to one country: where many share a code (+1), by the area code.
_BEGINNING = case(
    (deliveries.c.number.like("+1%"), func.substr(deliveries.c.number, 1, 5)),
    else_=func.substr(deliveries.c.number, 1, 7),
)


@dataclass(slots=True)
class _Sum:
    messages: int = 0
    deliveries: Counter[str] = field(default_factory=Counter)
    segments: Counter[str] = field(default_factory=Counter)

    def add(self, other: "_Sum") -> None:
        self.messages += other.messages
        self.deliveries += other.deliveries
        self.segments += other.segments


# By sender and state.
_Which: TypeAlias = tuple[int, str]
_Sums: TypeAlias = defaultdict[_Which, _Sum]


class SqlUsage(UsageLog):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def days(self, program_id: str, *, first: date, last: date, zone: str) -> Sequence[DayOfUse]:
        async with self._database.reading() as connection:
            addresses = {
                row.id: row.address for row in await connection.execute(select(senders.c.id, senders.c.address))
            }
            by_day = await _past(connection, program_id, first, last)
            async for at_us, which, part in _parts(connection, *_accepted(first, last, program_id, zone)):
                by_day[day_of(at_us, zone)][which].add(part)
        return [
            DayOfUse(
                day=day,
                sender=SenderAddress(addresses[sender_id]),
                state=DeliveryState(state),
                messages=each.messages,
                deliveries=each.deliveries.total(),
                by_country=each.segments,
            )
            for day, sums in sorted(by_day.items())
            for (sender_id, state), each in sorted(sums.items())
        ]

    async def hours(self, program_id: str, *, first: date, last: date, zone: str) -> Sequence[int]:
        its = (
            select(_QUARTER, func.sum(text_messages.c.recipients).label("texts"))
            .where(*_accepted(first, last, program_id, zone))
            .group_by(_QUARTER)
        )
        found = [0] * 24
        async with self._database.reading() as connection:
            for row in await connection.execute(its):
                found[hour_of(row.quarter * _QUARTER_US, zone)] += row.texts
        return found


async def keep_usage(
    database: Database, connection: AsyncConnection, program_id: str, by_day: Mapping[date, Sequence[UUID]]
) -> None:
    """Of messages that are about to be deleted."""
    # In one order, so that two who do this do not wait for each other in a circle.
    for day, ids in sorted(by_day.items()):
        sums: _Sums = defaultdict(_Sum)
        async for _, which, part in _parts(connection, text_messages.c.id.in_(ids)):
            sums[which].add(part)
        for (sender_id, state), each in sorted(sums.items()):
            messages = each.messages
            for country in sorted(each.deliveries):
                key = {
                    "program_id": program_id,
                    "day": day,
                    "sender_id": sender_id,
                    "state": state,
                    "country": country,
                }
                counts = {
                    "messages": messages,
                    "deliveries": each.deliveries[country],
                    "segments": each.segments[country],
                }
                await database.insert_unless_there(connection, past_usage, key | dict.fromkeys(counts, 0))
                added = {name: past_usage.c[name] + count for name, count in counts.items()}
                its = [past_usage.c[name] == value for name, value in key.items()]
                await connection.execute(update(past_usage).where(*its).values(added))
                messages = 0


def _accepted(first: date, last: date, program_id: str, zone: str) -> Sequence[ColumnElement[bool]]:
    """From the one day to the other. Ids carry the time of acceptance."""
    begins, ends = (first_message_id(beginning_us(each, zone)) for each in (first, last + timedelta(days=1)))
    return text_messages.c.program_id == program_id, text_messages.c.id >= begins, text_messages.c.id < ends


async def _parts(connection: AsyncConnection, *wanted: ColumnElement[bool]) -> AsyncIterator[tuple[int, _Which, _Sum]]:
    """What is to be summed up of those messages, each with the beginning (UTC) of its quarter of an hour.

    A day at a time would take as many questions as there are days, whatever was sent on them.
    """
    groups = _QUARTER, deliveries.c.sender_id, deliveries.c.state
    both = deliveries.join(text_messages, text_messages.c.id == deliveries.c.message_id)
    by_country = select(
        *groups,
        _BEGINNING.label("beginning"),
        func.min(deliveries.c.number).label("number"),
        func.count().label("deliveries"),
        func.sum(deliveries.c.segments).label("segments"),
    ).group_by(*groups, _BEGINNING)
    countries: dict[str, str] = {}
    for row in await connection.execute(by_country.select_from(both).where(*wanted)):
        if row.beginning not in countries:
            countries[row.beginning] = PhoneNumber(row.number).region or ""
        country = countries[row.beginning]
        part = _Sum(0, Counter({country: row.deliveries}), Counter({country: row.segments}))
        yield row.quarter * _QUARTER_US, (row.sender_id, row.state), part
    if countries:
        messages = select(*groups, func.count(distinct(deliveries.c.message_id)).label("messages")).group_by(*groups)
        for row in await connection.execute(messages.select_from(both).where(*wanted)):
            yield row.quarter * _QUARTER_US, (row.sender_id, row.state), _Sum(row.messages)


async def _past(connection: AsyncConnection, program_id: str, first: date, last: date) -> defaultdict[date, _Sums]:
    its = past_usage.c.program_id == program_id, past_usage.c.day.between(first, last)
    found: defaultdict[date, _Sums] = defaultdict(lambda: defaultdict(_Sum))
    for row in await connection.execute(select(past_usage).where(*its)):
        part = _Sum(row.messages, Counter({row.country: row.deliveries}), Counter({row.country: row.segments}))
        found[row.day][row.sender_id, row.state].add(part)
    return found

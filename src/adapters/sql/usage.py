"""What programs have sent by day: summed up from their texts, and from what was kept of those that are deleted."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, case, distinct, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database
from adapters.sql.tables import deliveries, past_usage, senders, text_messages
from domain.model.budget import beginning_us, hour_of
from domain.model.delivery import DeliveryState
from domain.model.message_id import first_message_id
from domain.model.pace import SECOND_US
from domain.model.phone_number import PhoneNumber
from domain.model.sender import SenderAddress
from domain.model.usage import DayOfUse
from domain.ports.usage import UsageLog

_QUARTER_US = 900 * SECOND_US

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


# By sender and state.
_Sums: TypeAlias = dict[tuple[int, str], _Sum]


class SqlUsage(UsageLog):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def days(self, program_id: str, *, first: date, last: date, zone: str) -> Sequence[DayOfUse]:
        found: list[DayOfUse] = []
        async with self._database.reading() as connection:
            addresses = {
                row.id: row.address for row in await connection.execute(select(senders.c.id, senders.c.address))
            }
            past = await _past(connection, program_id, first, last)
            for index in range((last - first).days + 1):
                day = first + timedelta(days=index)
                sums = await _summed(connection, _accepted_on(day, program_id, zone), past[day])
                found += [
                    DayOfUse(
                        day=day,
                        sender=SenderAddress(addresses[sender_id]),
                        state=DeliveryState(state),
                        messages=each.messages,
                        deliveries=each.deliveries.total(),
                        by_country=each.segments,
                    )
                    for (sender_id, state), each in sorted(sums.items())
                ]
        return found

    async def hours(self, program_id: str, *, first: date, last: date, zone: str) -> Sequence[int]:
        # By quarters, as there are zones that are not whole hours apart.
        quarter = (text_messages.c.created_us // _QUARTER_US).label("quarter")
        its = (
            select(quarter, func.sum(text_messages.c.recipients).label("texts"))
            .where(*_accepted(first, last, program_id, zone))
            .group_by(quarter)
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
        sums = await _summed(connection, deliveries.c.message_id.in_(ids), {})
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


def _accepted_on(day: date, program_id: str, zone: str) -> ColumnElement[bool]:
    its = select(text_messages.c.id).where(*_accepted(day, day, program_id, zone))
    return deliveries.c.message_id.in_(its)


def _accepted(first: date, last: date, program_id: str, zone: str) -> Sequence[ColumnElement[bool]]:
    """From the one day to the other. Ids carry the time of acceptance."""
    begins, ends = (first_message_id(beginning_us(each, zone)) for each in (first, last + timedelta(days=1)))
    return text_messages.c.program_id == program_id, text_messages.c.id >= begins, text_messages.c.id < ends


async def _summed(connection: AsyncConnection, wanted: ColumnElement[bool], before: _Sums) -> _Sums:
    sums = before
    by_state = deliveries.c.sender_id, deliveries.c.state
    in_countries = select(
        *by_state,
        func.min(deliveries.c.number).label("number"),
        func.count().label("deliveries"),
        func.sum(deliveries.c.segments).label("segments"),
    )
    for row in await connection.execute(in_countries.where(wanted).group_by(*by_state, _BEGINNING)):
        each, country = sums.setdefault((row.sender_id, row.state), _Sum()), PhoneNumber(row.number).region or ""
        each.deliveries[country] += row.deliveries
        each.segments[country] += row.segments
    messages = select(*by_state, func.count(distinct(deliveries.c.message_id)).label("messages"))
    if sums:
        for row in await connection.execute(messages.where(wanted).group_by(*by_state)):
            sums.setdefault((row.sender_id, row.state), _Sum()).messages += row.messages
    return sums


async def _past(connection: AsyncConnection, program_id: str, first: date, last: date) -> Mapping[date, _Sums]:
    its = past_usage.c.program_id == program_id, past_usage.c.day.between(first, last)
    found: defaultdict[date, _Sums] = defaultdict(dict)
    for row in await connection.execute(select(past_usage).where(*its)):
        each = found[row.day].setdefault((row.sender_id, row.state), _Sum())
        each.messages += row.messages
        each.deliveries[row.country] += row.deliveries
        each.segments[row.country] += row.segments
    return found

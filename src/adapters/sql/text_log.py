from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, carried_through
from adapters.sql.rows import DELIVERY_COLUMNS, AnyRow, as_delivery
from adapters.sql.tables import deliveries, senders, text_messages
from domain.errors import StoreUnavailable
from domain.model.delivery import Delivery, DeliveryState
from domain.model.message_body import MessageBody
from domain.model.phone_number import PhoneNumber
from domain.model.text_message import NUMBERS_SHOWN, NewText, TextMessage, TextSummary
from domain.ports.text_log import Page, TextLog

# A connection that is cut while more than this is on its way is noticed too late.
_AT_ONCE = 500


class SqlTextLog(TextLog):
    def __init__(self, database: Database) -> None:
        self._database = database

    @carried_through
    async def add(self, text: NewText) -> None:
        message = text.message
        async with self._database.writing() as connection:
            await connection.execute(
                insert(text_messages).values(
                    id=message.id,
                    program_id=message.program_id,
                    sender_id=message.sender_id,
                    body=message.body.text,
                    recipients=message.recipients,
                    client_date_sent=message.client_date_sent,
                    created_us=message.created_us,
                )
            )
            rows = [_delivery_row(message, each) for each in text.deliveries]
            for start in range(0, len(rows), _AT_ONCE):
                await connection.execute(insert(deliveries), rows[start : start + _AT_ONCE])
            if self._database.is_sqlite:
                await _rouse(connection, message)
        if not self._database.is_sqlite:
            # In a transaction of its own, since accepting must never wait for a claim that holds the sender's row.
            # The text is stored by now: what goes wrong here costs the delay of a sweep, and is no refusal.
            with suppress(StoreUnavailable):
                async with self._database.writing() as connection:
                    await _rouse(connection, message)

    async def find(self, program_id: str, message_id: UUID) -> TextSummary | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(_own_message(program_id, message_id))).first()
            return None if row is None else (await _summaries(connection, [row]))[0]

    async def page(self, program_id: str, *, before: UUID | None, limit: int) -> Page[TextSummary]:
        newest_first = select(text_messages).where(text_messages.c.program_id == program_id)
        if before is not None:
            newest_first = newest_first.where(text_messages.c.id < before)
        async with self._database.reading() as connection:
            rows = (await connection.execute(newest_first.order_by(text_messages.c.id.desc()).limit(limit + 1))).all()
            return Page(await _summaries(connection, rows[:limit]), more=len(rows) > limit)

    async def deliveries(self, program_id: str, message_id: UUID, *, after: int, limit: int) -> Page[Delivery] | None:
        async with self._database.reading() as connection:
            if (await connection.execute(_own_message(program_id, message_id))).first() is None:
                return None
            rows = (
                await connection.execute(
                    select(*DELIVERY_COLUMNS)
                    .where(deliveries.c.message_id == message_id, deliveries.c.position > after)
                    .order_by(deliveries.c.position)
                    .limit(limit + 1)
                )
            ).all()
        return Page([as_delivery(row) for row in rows[:limit]], more=len(rows) > limit)


async def _rouse(connection: AsyncConnection, message: TextMessage) -> None:
    await connection.execute(
        update(senders)
        .where(senders.c.id == message.sender_id, senders.c.due_us.is_(None))
        .values(due_us=message.created_us)
    )


def _own_message(program_id: str, message_id: UUID) -> Any:  # noqa: ANN401
    return select(text_messages).where(text_messages.c.id == message_id, text_messages.c.program_id == program_id)


def _delivery_row(message: TextMessage, delivery: Delivery) -> dict[str, object]:
    return {
        "message_id": message.id,
        "position": delivery.position,
        "program_id": message.program_id,
        "sender_id": message.sender_id,
        "number": delivery.number.e164,
        "segments": delivery.segments,
        "state": delivery.state.value,
        "attempt": delivery.attempt,
        "failures": delivery.failures,
        "enquiries": delivery.enquiries,
        "reason": delivery.reason,
        "due_us": delivery.due_us,
        "updated_us": delivery.updated_us,
    }


async def _summaries(connection: AsyncConnection, rows: Sequence[AnyRow]) -> list[TextSummary]:
    ids = [row.id for row in rows]
    counts = await _counts(connection, ids)
    numbers = await _numbers(connection, ids)
    return [TextSummary(message=_as_message(row), numbers=numbers[row.id], counts=counts[row.id]) for row in rows]


async def _counts(connection: AsyncConnection, ids: Sequence[UUID]) -> Mapping[UUID, Mapping[DeliveryState, int]]:
    columns = deliveries.c.message_id, deliveries.c.state
    rows = await connection.execute(
        select(*columns, func.count().label("count")).where(deliveries.c.message_id.in_(ids)).group_by(*columns)
    )
    counts: dict[UUID, dict[DeliveryState, int]] = defaultdict(dict)
    for message_id, state, count in rows:
        counts[message_id][DeliveryState(state)] = count
    return counts


async def _numbers(connection: AsyncConnection, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[PhoneNumber]]:
    rows = await connection.execute(
        select(deliveries.c.message_id, deliveries.c.number)
        .where(deliveries.c.message_id.in_(ids), deliveries.c.position <= NUMBERS_SHOWN)
        .order_by(deliveries.c.message_id, deliveries.c.position)
    )
    numbers: dict[UUID, list[PhoneNumber]] = defaultdict(list)
    for message_id, number in rows:
        numbers[message_id].append(PhoneNumber(number))
    return numbers


def _as_message(row: AnyRow) -> TextMessage:
    return TextMessage(
        id=row.id,
        program_id=row.program_id,
        sender_id=row.sender_id,
        body=MessageBody(row.body),
        recipients=row.recipients,
        created_us=row.created_us,
        client_date_sent=row.client_date_sent,
    )

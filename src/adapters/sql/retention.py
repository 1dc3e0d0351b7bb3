from collections import defaultdict
from datetime import date
from uuid import UUID

from sqlalchemy import delete, select

from adapters.sql.database import Database, carried_through
from adapters.sql.portions import DELIVERIES_AT_ONCE, portion_of
from adapters.sql.tables import deliveries, idempotency_keys, inbound_messages, programs, text_messages
from adapters.sql.usage import keep_usage
from domain.model.budget import day_of
from domain.model.delivery import STILL_TO_COME
from domain.model.message_id import first_message_id
from domain.model.pace import SECOND_US
from domain.ports.retention import Retention

_OPEN = select(deliveries.c.id).where(
    deliveries.c.message_id == text_messages.c.id, deliveries.c.state.in_([state.value for state in STILL_TO_COME])
)


class SqlRetention(Retention):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, *, now_us: int, kept_us: int) -> int:
        async with self._database.reading() as connection:
            kept = (
                await connection.execute(select(programs.c.id, programs.c.retention_s, programs.c.budget_zone))
            ).all()
        forgotten = 0
        for program_id, retention_s, zone in kept:
            program_kept_us = kept_us if retention_s is None else retention_s * SECOND_US
            forgotten += await self._forget(program_id, before_us=now_us - program_kept_us, zone=zone)
        return forgotten

    @carried_through
    async def _forget(self, program_id: str, *, before_us: int, zone: str) -> int:
        old = select(text_messages.c.id, text_messages.c.recipients, text_messages.c.created_us).where(
            text_messages.c.program_id == program_id,
            text_messages.c.id < first_message_id(max(before_us, 0)),
            ~_OPEN.exists(),
        )
        async with self._database.writing() as connection:
            portion = await portion_of(connection, old)
            ids = [row.id for row in portion]
            by_day: defaultdict[date, list[UUID]] = defaultdict(list)
            for row in portion:
                by_day[day_of(row.created_us, zone)].append(row.id)
            if ids:
                await keep_usage(self._database, connection, program_id, by_day)
                await connection.execute(delete(deliveries).where(deliveries.c.message_id.in_(ids)))
                await connection.execute(delete(idempotency_keys).where(idempotency_keys.c.message_id.in_(ids)))
                await connection.execute(delete(text_messages).where(text_messages.c.id.in_(ids)))
            some = (
                select(inbound_messages.c.id)
                .where(inbound_messages.c.program_id == program_id, inbound_messages.c.received_us < before_us)
                .order_by(inbound_messages.c.id)
                .limit(DELIVERIES_AT_ONCE)
            )
            inbound = await connection.execute(delete(inbound_messages).where(inbound_messages.c.id.in_(some)))
        return len(ids) + inbound.rowcount

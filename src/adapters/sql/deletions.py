from sqlalchemy import ColumnElement, Select, Table, delete, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.audit import audit
from adapters.sql.database import Database, carried_through
from adapters.sql.endings import Ended, by_provider, untold
from adapters.sql.portions import portion_of
from adapters.sql.tables import (
    budget_uses,
    consent_events,
    deliveries,
    idempotency_keys,
    inbound_messages,
    not_deleted,
    opt_outs,
    past_usage,
    program_keys,
    program_senders,
    programs,
    queued,
    recent_texts,
    staff_roles,
    template_versions,
    templates,
    text_messages,
    webhook_attempts,
    webhook_calls,
    webhook_events,
    webhooks,
)
from domain.errors import ProgramNotFound
from domain.model.delivery import DeliveryState
from domain.model.pace import SECOND_US
from domain.ports.deletions import Deletions

_CANCELED_AT_ONCE = 5_000
_ROWS_AT_ONCE = 5_000

# In the order of an index of what waits: in that of their ids, all that there ever was might be read.
_waits_its_turn = queued, (deliveries.c.sender_id, deliveries.c.priority, deliveries.c.program_id, deliveries.c.id)
_waits_for_its_time = (
    (deliveries.c.state == DeliveryState.SCHEDULED.value) & deliveries.c.due_us.is_not(None),
    (deliveries.c.due_us,),
)

# A provider has it at the moment, or is still to be asked.
_in_question = (deliveries.c.state == DeliveryState.SENDING.value) | (
    (deliveries.c.state == DeliveryState.UNKNOWN.value) & deliveries.c.due_us.is_not(None)
)
_IN_QUESTION = select(deliveries.c.id).where(deliveries.c.message_id == text_messages.c.id, _in_question)

# What else there is of a program, by its column `program_id`; what others refer to comes after them.
_RECORD = (
    inbound_messages,
    opt_outs,
    consent_events,
    idempotency_keys,
    recent_texts,
    budget_uses,
    past_usage,
    program_keys,
    program_senders,
    staff_roles,
    template_versions,
    templates,
)


class SqlDeletions(Deletions):
    def __init__(self, database: Database, ended: Ended = untold) -> None:
        self._database = database
        self._ended = ended

    @carried_through
    async def begin(self, program_id: str, *, now_us: int) -> str:
        deleted = (
            update(programs)
            .where(programs.c.folded_id == program_id.casefold(), not_deleted)
            .values(
                deleted_us=now_us,
                suspended_us=func.coalesce(programs.c.suspended_us, now_us),
                paused_us=func.coalesce(programs.c.paused_us, now_us),
            )
            .returning(programs.c.id, programs.c.name)
        )
        async with self._database.writing() as connection:
            its = (await connection.execute(deleted)).first()
            if its is None:
                raise ProgramNotFound
            live = program_keys.c.program_id == its.id, program_keys.c.revoked_us.is_(None)
            await connection.execute(update(program_keys).where(*live).values(revoked_us=now_us))
            # Calls that waited for them go with their events.
            await connection.execute(delete(webhooks).where(webhooks.c.program_id == its.id))
            before = {"Name": its.name}
            await audit(connection, "program.deleted", f"program {its.id}", program_id=its.id, before=before)
        return str(its.id)

    async def cancel_waiting(self, *, now_us: int, program_id: str | None = None) -> int:
        ids = await self._deleted(program_id)
        canceled = 0
        for which, order in (_waits_its_turn, _waits_for_its_time) if ids else ():
            theirs = select(deliveries.c.id).where(deliveries.c.program_id.in_(ids), which).order_by(*order)
            canceled += await self._cancel(theirs.limit(_CANCELED_AT_ONCE), now_us=now_us)
        return canceled

    async def finish(self, *, now_us: int, kept_us: int) -> int:
        deleted = select(programs.c.id, programs.c.deleted_us, programs.c.retention_s).where(~not_deleted)
        async with self._database.reading() as connection:
            rows = (await connection.execute(deleted)).all()
        removed = 0
        for its_id, deleted_us, retention_s in rows:
            if deleted_us + (kept_us if retention_s is None else retention_s * SECOND_US) <= now_us:
                removed += await self._remove(its_id)
        return removed

    async def _deleted(self, program_id: str | None) -> list[str]:
        which = select(programs.c.id).where(~not_deleted)
        if program_id is not None:
            which = which.where(programs.c.id == program_id)
        async with self._database.reading() as connection:
            return list((await connection.execute(which)).scalars())

    @carried_through
    async def _cancel(self, some: Select[int], *, now_us: int) -> int:
        canceled = (
            update(deliveries)
            .where(deliveries.c.id.in_(some.with_for_update(skip_locked=True)))
            .values(state=DeliveryState.CANCELED.value, reason=None, due_us=None, updated_us=now_us)
            .returning(deliveries.c.sender_id)
        )
        async with self._database.writing() as connection:
            sender_ids = (await connection.execute(canceled)).scalars().all()
            counts = await by_provider(connection, sender_ids)
        for provider, count in counts.items():
            self._ended(provider, DeliveryState.CANCELED, None, count)
        return len(sender_ids)

    @carried_through
    async def _remove(self, program_id: str) -> int:
        """A portion of its record; once there is none, the program itself."""
        its = select(programs.c.id).where(programs.c.id == program_id, ~not_deleted)
        async with self._database.writing() as connection:
            # Whoever has it does the same.
            if (await connection.execute(its.with_for_update(skip_locked=True))).first() is None:
                return 0
            removed = await _remove_texts(connection, program_id)
            of_program = text_messages.c.program_id == program_id
            if removed or (await connection.execute(select(text_messages.c.id).where(of_program).limit(1))).first():
                return removed
            if events := await _remove_events(connection, program_id):
                return events
            for table in _RECORD:
                if count := await _remove_some(connection, table, table.c.program_id == program_id):
                    return count
            await connection.execute(delete(programs).where(programs.c.id == program_id))
            await audit(connection, "program.removed", f"program {program_id}", program_id=program_id)
        return 1


async def _remove_texts(connection: AsyncConnection, program_id: str) -> int:
    settled = select(text_messages.c.id, text_messages.c.recipients).where(
        text_messages.c.program_id == program_id, ~_IN_QUESTION.exists()
    )
    ids = [row.id for row in await portion_of(connection, settled)]
    if ids:
        await connection.execute(delete(deliveries).where(deliveries.c.message_id.in_(ids)))
        await connection.execute(delete(text_messages).where(text_messages.c.id.in_(ids)))
    return len(ids)


async def _remove_events(connection: AsyncConnection, program_id: str) -> int:
    some = select(webhook_events.c.id).where(webhook_events.c.program_id == program_id).limit(_ROWS_AT_ONCE)
    ids = (await connection.execute(some)).scalars().all()
    if ids:
        for table, column in (
            (webhook_attempts, webhook_attempts.c.event_id),
            (webhook_calls, webhook_calls.c.event_id),
            (webhook_events, webhook_events.c.id),
        ):
            await connection.execute(delete(table).where(column.in_(ids)))
    return len(ids)


async def _remove_some(connection: AsyncConnection, table: Table, which: ColumnElement[bool]) -> int:
    key = tuple(table.primary_key.columns)
    some = select(*key).where(which).limit(_ROWS_AT_ONCE)
    return (await connection.execute(delete(table).where(tuple_(*key).in_(some)))).rowcount

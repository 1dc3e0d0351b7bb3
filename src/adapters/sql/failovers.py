from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Integer, Select, bindparam, literal, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, carried_through
from adapters.sql.delivery_queue import make_due
from adapters.sql.rows import AnyRow
from adapters.sql.tables import (
    deliveries,
    not_deleted,
    program_senders,
    programs,
    provider_accounts,
    queued,
    retried,
    senders,
    text_messages,
)
from domain.model.delivery import FAILED_OVER, DeliveryState
from domain.model.failover import FAILURES_OF_A_STANDSTILL, PROVIDER_AWAY, Failover, SenderCondition
from domain.model.priority import Priority
from domain.ports.failovers import FailedOver, Failovers

_wanting_it = programs.c.failover.is_(True) & not_deleted
_own = select(programs.c.id.label("program_id"), programs.c.sender_id, literal(-1).label("place")).where(_wanting_it)
_others = (
    select(program_senders.c.program_id, program_senders.c.sender_id, program_senders.c.place)
    .join(programs, program_senders.c.program_id == programs.c.id)
    .where(_wanting_it)
)
_used = union_all(_own, _others).subquery()
_away = (
    select(deliveries.c.reason)
    .where(
        deliveries.c.sender_id == _used.c.sender_id,
        deliveries.c.program_id == _used.c.program_id,
        retried,
        deliveries.c.reason.in_(sorted(PROVIDER_AWAY)),
        deliveries.c.failures >= FAILURES_OF_A_STANDSTILL,
    )
    .limit(1)
)
_CONDITIONS = (
    select(
        _used.c.program_id,
        senders.c.id,
        senders.c.paused_us,
        senders.c.bars,
        senders.c.bar_reason,
        senders.c.due_us,
        provider_accounts.c.provider,
        _away.scalar_subquery().label("away_reason"),
    )
    .join(senders, _used.c.sender_id == senders.c.id)
    .join(provider_accounts, senders.c.account_id == provider_accounts.c.id)
    .order_by(_used.c.program_id, _used.c.place, senders.c.id)
)


def _waiting(*which: ColumnElement[bool]) -> Select[int, object]:
    # Looked up one by one: for a join all messages might be read.
    sender_named = select(text_messages.c.sender_named).where(text_messages.c.id == deliveries.c.message_id)
    return (
        select(deliveries.c.id, deliveries.c.message_id)
        .where(
            deliveries.c.sender_id == bindparam("its_sender_id"),
            deliveries.c.program_id == bindparam("its_program_id"),
            *which,
            # No outcome was ever unknown.
            deliveries.c.enquiries == 0,
            sender_named.scalar_subquery().is_(False),
        )
        .limit(bindparam("most", type_=Integer))
        .with_for_update(of=deliveries, skip_locked=True)
    )


_IN_LINE = _waiting(queued, deliveries.c.priority == bindparam("its_priority")).order_by(deliveries.c.id)
_RETRIED = _waiting(retried)


class SqlFailovers(Failovers):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def conditions(self, *, now_us: int) -> Mapping[str, Sequence[SenderCondition]]:
        found: dict[str, list[SenderCondition]] = defaultdict(list)
        async with self._database.reading() as connection:
            for row in await connection.execute(_CONDITIONS):
                found[row.program_id].append(_as_condition(row, now_us=now_us))
        return found

    @carried_through
    async def carry_out(self, failover: Failover, *, now_us: int, limit: int) -> Sequence[FailedOver]:
        both = select(senders).where(senders.c.id.in_([failover.from_sender_id, failover.to_sender_id]))
        async with self._database.writing() as connection:
            # As a claim does, so that nothing is claimed from either while it changes hands; in the order of all who
            # lock several.
            locked = await connection.execute(both.order_by(senders.c.id).with_for_update(key_share=True))
            usable = {row.id for row in locked if not row.bars and row.paused_us is None}
            if failover.to_sender_id not in usable:
                return []
            found = await _found(connection, failover, limit)
            if found:
                await connection.execute(
                    update(deliveries)
                    .where(deliveries.c.id.in_([each.delivery_id for each in found]))
                    .values(
                        sender_id=failover.to_sender_id,
                        state=DeliveryState.QUEUED.value,
                        reason=FAILED_OVER,
                        # It begins anew, and its last slot was another sender's.
                        failures=0,
                        slot_us=None,
                        due_us=None,
                        updated_us=now_us,
                    )
                )
                await make_due(connection, senders.c.id == failover.to_sender_id, now_us=now_us)
        return found


async def _found(connection: AsyncConnection, failover: Failover, limit: int) -> Sequence[FailedOver]:
    its = {"its_sender_id": failover.from_sender_id, "its_program_id": failover.program_id}
    found: list[FailedOver] = []
    for statement, more in [*((_IN_LINE, {"its_priority": int(each)}) for each in Priority), (_RETRIED, {})]:
        if len(found) < limit:
            rows = await connection.execute(statement, {**its, **more, "most": limit - len(found)})
            found += [FailedOver(delivery_id=row.id, message_id=row.message_id) for row in rows]
    return found


def _as_condition(row: AnyRow, *, now_us: int) -> SenderCondition:
    return SenderCondition(
        sender_id=row.id,
        provider=row.provider,
        paused=row.paused_us is not None,
        bar_reason=row.bar_reason if row.bars else None,
        being_tried=row.due_us is None or row.due_us <= now_us,
        away_reason=row.away_reason,
    )

from collections.abc import Sequence

from sqlalchemy import Select, select, update

from adapters.sql.database import Database, carried_through
from adapters.sql.delivery_queue import SqlDeliveryQueue, make_due
from adapters.sql.rows import DELIVERY_COLUMNS, as_delivery
from adapters.sql.tables import deliveries, provider_accounts, senders, waiting
from domain.model.delivery import NOT_SENT_IN_TIME, DeliveryState
from domain.ports.due_deliveries import DueDeliveries, Enquiry

_ASKED_AGAIN_AFTER_US = 60_000_000
_QUEUED_AT_ONCE = 5_000
_GIVEN_OUT = (
    select(*DELIVERY_COLUMNS, deliveries.c.slot_us, provider_accounts.c.provider)
    .join(senders, deliveries.c.sender_id == senders.c.id)
    .join(provider_accounts, senders.c.account_id == provider_accounts.c.id)
)
_ENQUIRED = (DeliveryState.UNKNOWN.value, DeliveryState.SENT.value)


class SqlDueDeliveries(DueDeliveries):
    def __init__(self, database: Database, queue: SqlDeliveryQueue) -> None:
        self._database = database
        self._queue = queue

    @carried_through
    async def queue(self, *, now_us: int) -> int:
        due = _due(now_us, (DeliveryState.SCHEDULED.value,), limit=_QUEUED_AT_ONCE)
        async with self._database.writing() as connection:
            queued = await connection.execute(
                update(deliveries)
                .where(deliveries.c.id.in_(due))
                .values(state=DeliveryState.QUEUED.value, due_us=None, updated_us=now_us)
                .returning(deliveries.c.sender_id)
            )
            sender_ids = queued.scalars().all()
            if sender_ids:
                await make_due(connection, senders.c.id.in_(set(sender_ids)), now_us=now_us)
        return len(sender_ids)

    @carried_through
    async def expire(self, *, now_us: int) -> int:
        over = select(deliveries.c.id).where(deliveries.c.expires_us <= now_us, waiting).limit(_QUEUED_AT_ONCE)
        async with self._database.writing() as connection:
            ended = await connection.execute(
                update(deliveries)
                .where(deliveries.c.id.in_(over.with_for_update(skip_locked=True)))
                .values(state=DeliveryState.EXPIRED.value, reason=NOT_SENT_IN_TIME, due_us=None, updated_us=now_us)
            )
            return ended.rowcount

    @carried_through
    async def enquiries(self, *, now_us: int, limit: int) -> Sequence[Enquiry]:
        async with self._database.writing() as connection:
            taken = await connection.execute(
                update(deliveries)
                .where(deliveries.c.id.in_(_due(now_us, _ENQUIRED, limit=limit)))
                .values(due_us=now_us + _ASKED_AGAIN_AFTER_US)
                .returning(deliveries.c.id)
            )
            ids = taken.scalars().all()
            if not ids:
                return []
            rows = await connection.execute(_GIVEN_OUT.where(deliveries.c.id.in_(ids)).order_by(deliveries.c.id))
            return [Enquiry(delivery=as_delivery(row), provider=row.provider, attempted_us=row.slot_us) for row in rows]

    async def rouse(self, *, now_us: int) -> int:
        return await self._queue.rouse_if_queued(None, now_us=now_us)


def _due(now_us: int, states: Sequence[str], *, limit: int) -> Select[int]:
    return (
        select(deliveries.c.id)
        .where(deliveries.c.due_us <= now_us, deliveries.c.state.in_(states))
        .order_by(deliveries.c.due_us)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )

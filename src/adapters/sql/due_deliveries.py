from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, carried_through
from adapters.sql.delivery_queue import SqlDeliveryQueue, make_due
from adapters.sql.rows import DELIVERY_COLUMNS, AnyRow, as_delivery
from adapters.sql.tables import deliveries, programs, provider_accounts, senders, text_messages, waiting
from domain.model.delivery import NOT_SENT_IN_TIME, DeliveryState
from domain.model.message_body import MessageBody
from domain.model.program import OnUnknown
from domain.model.sender import SenderAddress
from domain.ports.due_deliveries import DueDeliveries, Enquiry

_ASKED_AGAIN_AFTER_US = 30_000_000
_QUEUED_AT_ONCE = 5_000
_GIVEN_OUT = (
    select(
        *DELIVERY_COLUMNS,
        deliveries.c.slot_us,
        senders.c.account_id,
        senders.c.address,
        provider_accounts.c.provider,
        text_messages.c.body,
        programs.c.on_unknown,
    )
    .join(senders, deliveries.c.sender_id == senders.c.id)
    .join(provider_accounts, senders.c.account_id == provider_accounts.c.id)
    .join(text_messages, deliveries.c.message_id == text_messages.c.id)
    .join(programs, deliveries.c.program_id == programs.c.id)
)
_REFERENCES = select(deliveries.c.number, deliveries.c.id, deliveries.c.provider_reference).where(
    deliveries.c.provider_reference.is_not(None)
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
            given_out = rows.all()
            references = await _references(connection, {row.number for row in given_out})
        return [_as_enquiry(row, references[row.number]) for row in given_out]

    async def rouse(self, *, now_us: int) -> int:
        return await self._queue.rouse_if_queued(None, now_us=now_us)


async def _references(connection: AsyncConnection, numbers: Collection[str]) -> Mapping[str, Mapping[int, str]]:
    """The provider's references of the deliveries to each number, by their ids."""
    found: dict[str, dict[int, str]] = {number: {} for number in numbers}
    for number, delivery_id, reference in await connection.execute(_REFERENCES.where(deliveries.c.number.in_(numbers))):
        found[number][delivery_id] = reference
    return found


def _as_enquiry(row: AnyRow, references: Mapping[int, str]) -> Enquiry:
    return Enquiry(
        delivery=as_delivery(row),
        provider=row.provider,
        account_id=row.account_id,
        sender=SenderAddress(row.address),
        body=MessageBody(row.body),
        attempted_us=row.slot_us,
        others=frozenset(reference for delivery_id, reference in references.items() if delivery_id != row.id),
        on_unknown=OnUnknown(row.on_unknown),
    )


def _due(now_us: int, states: Sequence[str], *, limit: int) -> Select[int]:
    return (
        select(deliveries.c.id)
        .where(deliveries.c.due_us <= now_us, deliveries.c.state.in_(states))
        .order_by(deliveries.c.due_us)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Integer, Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, carried_through
from adapters.sql.delivery_queue import SqlDeliveryQueue, make_due
from adapters.sql.endings import Ended, by_provider, untold
from adapters.sql.outbox import tell_of_deliveries
from adapters.sql.rows import DELIVERY_COLUMNS, AnyRow, as_delivery, body_of
from adapters.sql.tables import deliveries, programs, provider_accounts, senders, text_messages, waiting
from domain.model.delivery import NOT_SENT_IN_TIME, QUIET_HOURS, DeliveryState
from domain.model.sender import SenderAddress
from domain.model.terms import OnUnknown
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
        text_messages.c.notice,
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


def _due(*states: DeliveryState) -> Select[int]:
    return (
        select(deliveries.c.id)
        .where(deliveries.c.due_us <= bindparam("now_us"), deliveries.c.state.in_([state.value for state in states]))
        .order_by(deliveries.c.due_us)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
    )


# Made once: they run some times a second, and find nothing to do most of the time.
_QUEUE = (
    update(deliveries)
    .where(deliveries.c.id.in_(_due(DeliveryState.SCHEDULED)))
    .values(
        state=DeliveryState.QUEUED.value,
        reason=func.nullif(deliveries.c.reason, QUIET_HOURS),
        due_us=None,
        updated_us=bindparam("now_us"),
    )
    .returning(deliveries.c.sender_id)
)
_TAKE_ENQUIRIES = (
    update(deliveries)
    .where(deliveries.c.id.in_(_due(DeliveryState.UNKNOWN, DeliveryState.SENT)))
    .values(due_us=bindparam("again_us"))
    .returning(deliveries.c.id)
)
_EXPIRE = (
    update(deliveries)
    .where(
        deliveries.c.id.in_(
            select(deliveries.c.id)
            .where(deliveries.c.expires_us <= bindparam("now_us"), waiting)
            .limit(bindparam("most", type_=Integer))
            .with_for_update(skip_locked=True)
        )
    )
    .values(state=DeliveryState.EXPIRED.value, reason=NOT_SENT_IN_TIME, due_us=None, updated_us=bindparam("now_us"))
    .returning(deliveries.c.id, deliveries.c.sender_id)
)


class SqlDueDeliveries(DueDeliveries):
    def __init__(self, database: Database, queue: SqlDeliveryQueue, ended: Ended = untold) -> None:
        self._database = database
        self._queue = queue
        self._ended = ended

    @carried_through
    async def queue(self, *, now_us: int) -> int:
        async with self._database.writing() as connection:
            queued = await connection.execute(_QUEUE, {"now_us": now_us, "most": _QUEUED_AT_ONCE})
            sender_ids = queued.scalars().all()
            if sender_ids:
                await make_due(connection, senders.c.id.in_(set(sender_ids)), now_us=now_us)
        return len(sender_ids)

    @carried_through
    async def expire(self, *, now_us: int) -> int:
        async with self._database.writing() as connection:
            ended = (await connection.execute(_EXPIRE, {"now_us": now_us, "most": _QUEUED_AT_ONCE})).all()
            counts = await by_provider(connection, [row.sender_id for row in ended])
            await tell_of_deliveries(self._database, connection, [row.id for row in ended])
        for provider, count in counts.items():
            self._ended(provider, DeliveryState.EXPIRED, NOT_SENT_IN_TIME, count)
        return sum(counts.values())

    @carried_through
    async def enquiries(self, *, now_us: int, limit: int) -> Sequence[Enquiry]:
        async with self._database.writing() as connection:
            again_us = now_us + _ASKED_AGAIN_AFTER_US
            taken = await connection.execute(_TAKE_ENQUIRIES, {"now_us": now_us, "again_us": again_us, "most": limit})
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
    delivery = as_delivery(row)
    return Enquiry(
        delivery=delivery,
        provider=delivery.provider(row.provider),
        account_id=row.account_id,
        sender=SenderAddress(row.address),
        body=body_of(row),
        attempted_us=row.slot_us,
        others=frozenset(reference for delivery_id, reference in references.items() if delivery_id != row.id),
        on_unknown=OnUnknown(row.on_unknown),
    )

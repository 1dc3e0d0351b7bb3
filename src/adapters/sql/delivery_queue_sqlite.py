"""Claims on SQLite, whose write lock keeps all other dispatchers out for the length of a claim."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Uuid, bindparam, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.delivery_queue import CANDIDATE_COLUMNS, SqlDeliveryQueue, due_senders
from adapters.sql.rows import AnyRow
from adapters.sql.tables import deliveries
from domain.model.delivery import DeliveryState
from domain.model.pace import Slot

# One sender at a time: SQLite has no LATERAL, and answers within the process.
_CANDIDATES = text(f"""
    SELECT {CANDIDATE_COLUMNS}, EXISTS (
        SELECT 1 FROM opt_outs o WHERE o.program_id = d.program_id AND o.number = d.number
    ) AS opted_out
    FROM deliveries d
    JOIN text_messages m ON m.id = d.message_id
    WHERE d.sender_id = :sender_id AND d.state = 'queued'
    ORDER BY d.priority, d.id LIMIT :wanted
""").columns(message_id=Uuid)  # noqa: S608 - made of names of columns alone

_TAKE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("its_id"))
    .values(
        state=DeliveryState.SENDING.value,
        attempt=deliveries.c.attempt + 1,
        reason=None,
        claimed_by=bindparam("me"),
        slot_us=bindparam("at_us"),
        updated_us=bindparam("now_us"),
        due_us=None,
    )
)


class SqliteDeliveryQueue(SqlDeliveryQueue):
    async def _lock_due_senders(
        self, connection: AsyncConnection, dispatcher_id: int, *, now_us: int
    ) -> Sequence[AnyRow]:
        return (await connection.execute(due_senders(dispatcher_id, now_us))).all()

    async def _candidates(self, connection: AsyncConnection, wanted: Mapping[int, int]) -> Sequence[AnyRow]:
        return [
            row
            for sender_id, count in wanted.items()
            for row in await connection.execute(_CANDIDATES, {"sender_id": sender_id, "wanted": count})
        ]

    async def _lock_in_order(self, connection: AsyncConnection, delivery_ids: Sequence[int]) -> None:
        """The write lock keeps all others out already."""

    async def _take(
        self, connection: AsyncConnection, dispatcher_id: int, slots: Sequence[Slot], *, now_us: int
    ) -> set[int]:
        if slots:
            await connection.execute(
                _TAKE,
                [
                    {"its_id": slot.delivery_id, "me": dispatcher_id, "at_us": slot.at_us, "now_us": now_us}
                    for slot in slots
                ],
            )
        return {slot.delivery_id for slot in slots}

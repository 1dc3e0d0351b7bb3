"""Claims on PostgreSQL, where any number of dispatchers claim at once and each locks the senders it takes from."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Uuid, text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.delivery_queue import CANDIDATE_COLUMNS, SqlDeliveryQueue, due_senders
from adapters.sql.rows import AnyRow
from adapters.sql.tables import senders
from domain.model.pace import Slot

_CANDIDATES = text(f"""
    SELECT {CANDIDATE_COLUMNS}, EXISTS (
        SELECT 1 FROM opt_outs o WHERE o.program_id = d.program_id AND o.number = d.number
    ) AS opted_out
    FROM unnest(CAST(:sender_ids AS bigint[]), CAST(:counts AS bigint[])) AS w (sender_id, wanted)
    CROSS JOIN LATERAL (
        SELECT * FROM deliveries q
        WHERE q.sender_id = w.sender_id AND q.state = 'queued' ORDER BY q.priority, q.id LIMIT w.wanted
    ) AS d
    JOIN text_messages m ON m.id = d.message_id
    ORDER BY d.sender_id, d.priority, d.id
""").columns(message_id=Uuid)  # noqa: S608 - made of names of columns alone

_LOCK = text("SELECT id FROM deliveries WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE")

# The state is concatenated to keep the planner off the partial index of queued rows, which looks empty to it right
# after a vacuum and then makes it read all of them: the rows are found by their primary key.
_TAKE = text("""
    UPDATE deliveries d
    SET state = 'sending', attempt = d.attempt + 1, claimed_by = :me, slot_us = s.at_us, updated_us = :now_us,
        due_us = NULL, reason = NULL
    FROM unnest(CAST(:ids AS bigint[]), CAST(:slots AS bigint[])) AS s (id, at_us)
    WHERE d.id = s.id AND d.state || '' = 'queued'
    RETURNING d.id
""")


class PostgresqlDeliveryQueue(SqlDeliveryQueue):
    async def _lock_due_senders(
        self, connection: AsyncConnection, dispatcher_id: int, *, now_us: int
    ) -> Sequence[AnyRow]:
        due = due_senders(dispatcher_id, now_us)
        return (await connection.execute(due.with_for_update(of=senders, key_share=True, skip_locked=True))).all()

    async def _candidates(self, connection: AsyncConnection, wanted: Mapping[int, int]) -> Sequence[AnyRow]:
        arrays = {"sender_ids": list(wanted), "counts": list(wanted.values())}
        return (await connection.execute(_CANDIDATES, arrays)).all()

    async def _lock_in_order(self, connection: AsyncConnection, delivery_ids: Sequence[int]) -> None:
        await connection.execute(_LOCK, {"ids": list(delivery_ids)})

    async def _take(
        self, connection: AsyncConnection, dispatcher_id: int, slots: Sequence[Slot], *, now_us: int
    ) -> set[int]:
        if not slots:
            return set()
        taken = await connection.execute(
            _TAKE,
            {
                "ids": [slot.delivery_id for slot in slots],
                "slots": [slot.at_us for slot in slots],
                "me": dispatcher_id,
                "now_us": now_us,
            },
        )
        return set(taken.scalars())

"""Claims on SQLite, whose write lock keeps all other dispatchers out for the length of a claim."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Uuid, and_, bindparam, or_, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.claim_rows import (
    CANDIDATE_COLUMNS,
    DUE_SENDERS,
    HOURS_OF_LINE,
    CandidateRow,
    DueSender,
    due_parameters,
)
from adapters.sql.delivery_queue import SqlDeliveryQueue
from adapters.sql.tables import deliveries, senders
from domain.model.delivery import RECEIPT_STATES, DeliveryState
from domain.model.share import Share
from domain.model.slots import Slot

# A line is what waits of one program with one priority; they are found by going from one to the next in the index.
_LINES = text(f"""
    WITH RECURSIVE line (priority, program_id) AS (
        SELECT * FROM (
            SELECT priority, program_id FROM deliveries
            WHERE sender_id = :sender_id AND state = 'queued' ORDER BY priority, program_id LIMIT 1
        )
        UNION ALL
        SELECT (
            SELECT q.priority FROM deliveries q
            WHERE q.sender_id = :sender_id AND q.state = 'queued'
                AND (q.priority, q.program_id) > (line.priority, line.program_id)
            ORDER BY q.priority, q.program_id LIMIT 1
        ), (
            SELECT q.program_id FROM deliveries q
            WHERE q.sender_id = :sender_id AND q.state = 'queued'
                AND (q.priority, q.program_id) > (line.priority, line.program_id)
            ORDER BY q.priority, q.program_id LIMIT 1
        )
        FROM line WHERE line.program_id IS NOT NULL
    )
    SELECT line.priority, line.program_id, p.mail_to, {HOURS_OF_LINE} FROM line
    JOIN programs p ON p.id = line.program_id WHERE p.paused_us IS NULL
    ORDER BY line.priority, line.program_id
""")  # noqa: S608 - made of names of columns and a constant alone

_CANDIDATES = text(f"""
    SELECT {CANDIDATE_COLUMNS}, EXISTS (
        SELECT 1 FROM opt_outs o WHERE o.program_id = d.program_id AND o.number = d.number
    ) OR EXISTS (
        SELECT 1 FROM sender_opt_outs o WHERE o.sender_id IN (d.sender_id, 0) AND o.number = d.number
    ) AS opted_out, CASE WHEN m.is_reply THEN NULL ELSE :texting_hours END AS texting_hours, :mail_to AS mail_to
    FROM deliveries d
    JOIN text_messages m ON m.id = d.message_id
    WHERE d.sender_id = :sender_id AND d.state = 'queued' AND d.priority = :priority AND d.program_id = :program_id
    ORDER BY d.id LIMIT :wanted
""").columns(message_id=Uuid)  # noqa: S608 - made of names of columns alone

_RESERVE = (
    update(senders)
    .where(senders.c.id == bindparam("its_id"))
    .values(
        next_free_us=bindparam("new_next_free_us"),
        due_us=bindparam("new_due_us"),
        turns=bindparam("new_turns"),
        owner=bindparam("me"),
    )
)

_TAKE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("its_id"))
    .values(
        state=DeliveryState.SENDING.value,
        attempt=deliveries.c.attempt + 1,
        reason=None,
        provider_reference=bindparam("reference"),
        claimed_by=bindparam("me"),
        slot_us=bindparam("at_us"),
        updated_us=bindparam("now_us"),
        due_us=None,
    )
)

_RESULT = ("state", "failures", "enquiries", "resends", "reason", "provider_reference", "due_us", "updated_us")
_state = deliveries.c.state
_new: BindParameter[str] = bindparam("new_state")
_RECORD = (
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("its_id"),
        deliveries.c.attempt == bindparam("its_attempt"),
        or_(
            _state == DeliveryState.SENDING.value,
            and_(_new != DeliveryState.QUEUED.value, _state == DeliveryState.UNKNOWN.value),
            and_(or_(*[_new == each.value for each in RECEIPT_STATES]), _state == DeliveryState.SENT.value),
        ),
    )
    .values({name: bindparam(f"new_{name}") for name in _RESULT})
)


class SqliteDeliveryQueue(SqlDeliveryQueue):
    async def _lock_due_senders(self, connection: AsyncConnection, share: Share, *, now_us: int) -> Sequence[DueSender]:
        due = await connection.execute(DUE_SENDERS, due_parameters(now_us, share))
        return [DueSender._make(row) for row in due]

    async def _candidates(self, connection: AsyncConnection, wanted: Mapping[int, int]) -> Sequence[CandidateRow]:
        found: list[CandidateRow] = []
        # One sender at a time: SQLite has no LATERAL, and answers within the process.
        for sender_id, count in wanted.items():
            for line in (await connection.execute(_LINES, {"sender_id": sender_id})).all():
                those = {"sender_id": sender_id, "wanted": count, **line._asdict()}
                found += map(CandidateRow._make, await connection.execute(_CANDIDATES, those))
        return found

    async def _lock_in_order(self, connection: AsyncConnection, delivery_ids: Sequence[int]) -> None:
        """The write lock keeps all others out already."""

    async def _reserve(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]], owner: int) -> None:
        await connection.execute(_RESERVE, [_as_parameters(row, kept=("id",)) | {"me": owner} for row in rows])

    async def _take(
        self,
        connection: AsyncConnection,
        dispatcher_id: int,
        slots: Sequence[Slot],
        references: Mapping[int, str],
        *,
        now_us: int,
    ) -> set[int]:
        if slots:
            await connection.execute(
                _TAKE,
                [
                    {
                        "its_id": slot.delivery_id,
                        "me": dispatcher_id,
                        "at_us": slot.at_us,
                        "now_us": now_us,
                        "reference": references.get(slot.delivery_id),
                    }
                    for slot in slots
                ],
            )
        return {slot.delivery_id for slot in slots}

    async def _record(self, connection: AsyncConnection, results: Sequence[Mapping[str, Any]]) -> Collection[int]:
        await connection.execute(_RECORD, [_as_parameters(each, kept=("id", "attempt")) for each in results])
        return {each["id"] for each in results}


def _as_parameters(row: Mapping[str, Any], *, kept: Sequence[str]) -> dict[str, Any]:
    """Those that are kept say which row it is, the others are new."""
    return {f"its_{name}" if name in kept else f"new_{name}": value for name, value in row.items()}

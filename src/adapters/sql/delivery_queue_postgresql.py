"""Claims on PostgreSQL, where any number of dispatchers claim at once and each locks the senders it takes from."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Uuid, text
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
from adapters.sql.tables import senders
from domain.model.delivery import RECEIPT_STATES
from domain.model.share import Share
from domain.model.slots import Slot

_LOCK_DUE_SENDERS = DUE_SENDERS.with_for_update(of=senders, key_share=True, skip_locked=True)

# A line is what waits of one program with one priority. They are found by going from one to the next in the index,
# however many deliveries each has. Opt-outs are looked up one by one: for EXISTS all of them might be read.
_CANDIDATES = text(f"""
    SELECT {CANDIDATE_COLUMNS}, (
        SELECT true FROM opt_outs o WHERE o.program_id = d.program_id AND o.number = d.number LIMIT 1
    ) IS TRUE OR (
        SELECT true FROM sender_opt_outs o WHERE o.sender_id IN (d.sender_id, 0) AND o.number = d.number LIMIT 1
    ) IS TRUE AS opted_out, CASE WHEN m.is_reply THEN NULL ELSE line.texting_hours END AS texting_hours, line.mail_to
    FROM unnest(CAST(:sender_ids AS bigint[]), CAST(:counts AS bigint[])) AS w (sender_id, wanted)
    CROSS JOIN LATERAL (
        WITH RECURSIVE line AS (
            (
                SELECT q.priority, q.program_id FROM deliveries q
                WHERE q.sender_id = w.sender_id AND q.state = 'queued'
                ORDER BY q.priority, q.program_id LIMIT 1
            )
            UNION ALL
            SELECT following.* FROM line CROSS JOIN LATERAL (
                SELECT q.priority, q.program_id FROM deliveries q
                WHERE q.sender_id = w.sender_id AND q.state = 'queued'
                    AND (q.priority, q.program_id) > (line.priority, line.program_id)
                ORDER BY q.priority, q.program_id LIMIT 1
            ) AS following
        )
        SELECT line.priority, line.program_id, p.mail_to, {HOURS_OF_LINE} FROM line
        JOIN programs p ON p.id = line.program_id WHERE p.paused_us IS NULL
    ) AS line
    CROSS JOIN LATERAL (
        SELECT * FROM deliveries q
        WHERE q.sender_id = w.sender_id AND q.state = 'queued'
            AND q.priority = line.priority AND q.program_id = line.program_id
        ORDER BY q.id LIMIT w.wanted
    ) AS d
    JOIN text_messages m ON m.id = d.message_id
    ORDER BY d.sender_id, d.priority, d.program_id, d.id
""").columns(message_id=Uuid)  # noqa: S608 - made of names of columns alone

_LOCK = text("SELECT id FROM deliveries WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE")

_RESERVE = text("""
    UPDATE senders s SET next_free_us = r.next_free_us, due_us = r.due_us, turns = r.turns, owner = :owner
    FROM unnest(
        CAST(:id AS bigint[]), CAST(:next_free_us AS bigint[]), CAST(:due_us AS bigint[]), CAST(:turns AS text[])
    ) AS r (id, next_free_us, due_us, turns)
    WHERE s.id = r.id
""")

# The state is concatenated to keep the planner off the partial indexes, which look empty to it right after a vacuum
# and then make it read all of them: the rows are found by their primary key.
_TAKE = text("""
    UPDATE deliveries d
    SET state = 'sending', attempt = d.attempt + 1, claimed_by = :me, slot_us = s.at_us, updated_us = :now_us,
        due_us = NULL, reason = NULL, provider_reference = s.reference
    FROM unnest(
        CAST(:ids AS bigint[]), CAST(:slots AS bigint[]), CAST(:references AS text[])
    ) AS s (id, at_us, reference)
    WHERE d.id = s.id AND d.state || '' = 'queued'
    RETURNING d.id
""")

_RESULT = {
    "id": "bigint",
    "attempt": "integer",
    "state": "text",
    "failures": "smallint",
    "enquiries": "smallint",
    "resends": "smallint",
    "reason": "text",
    "provider_reference": "text",
    "due_us": "bigint",
    "updated_us": "bigint",
}
_CHANGED = [name for name in _RESULT if name not in {"id", "attempt"}]
_RECEIPTS = ", ".join(f"'{state.value}'" for state in RECEIPT_STATES)
_RECORD = text(f"""
    UPDATE deliveries d SET {", ".join(f"{name} = r.{name}" for name in _CHANGED)}
    FROM unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _RESULT.items())}) AS r ({", ".join(_RESULT)})
    WHERE d.id = r.id AND d.attempt = r.attempt AND (
        d.state || '' = 'sending'
        OR r.state <> 'queued' AND d.state || '' = 'unknown'
        OR r.state IN ({_RECEIPTS}) AND d.state || '' = 'sent'
    )
    RETURNING d.id, d.program_id IN (SELECT w.program_id FROM webhooks w WHERE w.disabled IS NULL)
""")  # noqa: S608 - made of names of columns and states alone


class PostgresqlDeliveryQueue(SqlDeliveryQueue):
    async def _lock_due_senders(self, connection: AsyncConnection, share: Share, *, now_us: int) -> Sequence[DueSender]:
        due = await connection.execute(_LOCK_DUE_SENDERS, due_parameters(now_us, share))
        return [DueSender._make(row) for row in due]

    async def _candidates(self, connection: AsyncConnection, wanted: Mapping[int, int]) -> Sequence[CandidateRow]:
        arrays = {"sender_ids": list(wanted), "counts": list(wanted.values())}
        return [CandidateRow._make(row) for row in await connection.execute(_CANDIDATES, arrays)]

    async def _lock_in_order(self, connection: AsyncConnection, delivery_ids: Sequence[int]) -> None:
        await connection.execute(_LOCK, {"ids": list(delivery_ids)})

    async def _reserve(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]], owner: int) -> None:
        names = ("id", "next_free_us", "due_us", "turns")
        await connection.execute(_RESERVE, {**_arrays(names, rows), "owner": owner})

    async def _take(
        self,
        connection: AsyncConnection,
        dispatcher_id: int,
        slots: Sequence[Slot],
        references: Mapping[int, str],
        *,
        now_us: int,
    ) -> set[int]:
        if not slots:
            return set()
        taken = await connection.execute(
            _TAKE,
            {
                "ids": [slot.delivery_id for slot in slots],
                "slots": [slot.at_us for slot in slots],
                "references": [references.get(slot.delivery_id) for slot in slots],
                "me": dispatcher_id,
                "now_us": now_us,
            },
        )
        return set(taken.scalars())

    async def _record(self, connection: AsyncConnection, results: Sequence[Mapping[str, Any]]) -> Collection[int]:
        changed = await connection.execute(_RECORD, _arrays(tuple(_RESULT), results))
        return {delivery_id for delivery_id, is_heard_of in changed if is_heard_of}


def _arrays(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in names}

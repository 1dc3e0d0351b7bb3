"""Texts that wait, or that are long through, put into the database without the interface."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import Uuid, bindparam, insert, text
from uuid_utils.compat import uuid7

from adapters.sql.tables import text_messages
from tests.benchmarks.posts import SHORT_TEXT
from tests.benchmarks.store import a_store

_FIRST_NUMBER = 2_000_000
_MESSAGES_AT_ONCE = 1_000

_DELIVERIES = text("""
    WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < :each)
    INSERT INTO deliveries (
        message_id, position, program_id, sender_id, number, segments, state, attempt, failures, enquiries, resends,
        provider_reference, updated_us, priority
    )
    SELECT m.id, n, m.program_id, m.sender_id,
        '+1970' || CAST(CAST(:first AS bigint) + (n - 1) * :messages + m.place - 1 AS text),
        1, CAST(:state AS text), CAST(:attempt AS integer), 0, 0, 0, CAST(:reference AS text),
        CAST(:now_us AS bigint), m.priority
    FROM series CROSS JOIN (
        SELECT id, program_id, sender_id, priority, row_number() OVER (ORDER BY id) AS place
        FROM text_messages WHERE id BETWEEN :earliest AND :latest
    ) AS m
    ORDER BY n, m.place
""").bindparams(bindparam("earliest", type_=Uuid), bindparam("latest", type_=Uuid))

_DUE = text("""
    UPDATE senders SET due_us = CAST(:now_us AS bigint) + (id * 7919) % CAST(:spread_us AS bigint)
    WHERE EXISTS (SELECT 1 FROM deliveries d WHERE d.sender_id = senders.id AND d.state = 'queued')
""")


@dataclass(frozen=True, kw_only=True)
class Line:
    """Where texts wait: those of a program at a sender."""

    program_id: str
    sender_id: int


async def put_texts(
    database_url: str,
    lines: Sequence[Line],
    *,
    each: int,
    state: Literal["queued", "sent", "delivered"] = "queued",
    first: int = 0,
    due: bool = True,
) -> None:
    """Puts a message with `each` deliveries into each line, the lines by turns.

    The numbers are counted up from the `first`. `due`: dispatchers may begin at once.
    """
    now_us = time.time_ns() // 1_000
    ids = sorted(uuid7() for _ in lines)
    async with a_store(database_url) as container, container.database().migrating() as connection:
        for start in range(0, len(ids), _MESSAGES_AT_ONCE):
            some = slice(start, start + _MESSAGES_AT_ONCE)
            rows = [_message(its, line, each, now_us) for its, line in zip(ids[some], lines[some], strict=True)]
            await connection.execute(insert(text_messages), rows)
        through = state != "queued"
        await connection.execute(
            _DELIVERIES,
            {
                "each": each,
                "first": _FIRST_NUMBER + first,
                "messages": len(lines),
                "state": state,
                "attempt": 1 if through else 0,
                "reference": "SM" + "0123456789abcdef" * 2 if through else None,
                "now_us": now_us,
                "earliest": ids[0],
                "latest": ids[-1],
            },
        )
        if due:
            await connection.execute(_DUE, {"now_us": now_us, "spread_us": 1})
    if due:
        await wake(database_url)


async def hold_hub(database_url: str) -> None:
    """Nothing is sent until `let_go`."""
    async with a_store(database_url) as container, container.database().writing() as connection:
        await connection.execute(text("UPDATE hub SET paused_us = 1"))


async def let_go(database_url: str, *, spread_us: int) -> None:
    """The senders become due one after the other within so long."""
    now_us = time.time_ns() // 1_000
    async with a_store(database_url) as container, container.database().writing() as connection:
        await connection.execute(_DUE, {"now_us": now_us, "spread_us": spread_us})
        await connection.execute(text("UPDATE hub SET paused_us = NULL"))
    await wake(database_url)


async def wake(database_url: str) -> None:
    """Tells the dispatchers, as who accepts a text does."""
    async with a_store(database_url) as container:
        container.wakeups().notify()


def _message(its_id: UUID, line: Line, recipients: int, now_us: int) -> dict[str, object]:
    return {
        "id": its_id,
        "program_id": line.program_id,
        "sender_id": line.sender_id,
        "body": SHORT_TEXT,
        "recipients": recipients,
        "created_us": now_us,
    }

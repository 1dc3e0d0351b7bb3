"""Storing texts on PostgreSQL: all of them in one statement, which is a transaction in itself."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any
from uuid import UUID

import asyncpg

from adapters.sql import budgets, velocity
from adapters.sql.duplicates import IN_VAIN_STATES, notes, without_duplicates
from adapters.sql.intake import SqlIntake, Stored, delivery_row, key_row, message_row, sent_at_once
from domain.model.delivery import OPTED_OUT, DeliveryState
from domain.model.idempotency import KEPT_US
from domain.model.phone_number import PhoneNumber
from domain.model.text_message import NewText

_KEY = {
    "program_id": "text",
    "key": "text",
    "fingerprint": "bytea",
    "message_id": "uuid",
    "first_counts": "text",
    "refusals": "text",
    "created_us": "bigint",
}
_MESSAGE = {
    "id": "uuid",
    "program_id": "text",
    "sender_id": "bigint",
    "body": "text",
    "recipients": "integer",
    "client_date_sent": "text",
    "created_us": "bigint",
    "priority": "smallint",
    "send_at_us": "bigint",
    "expires_us": "bigint",
    "estimated_us": "bigint",
    "sender_named": "boolean",
    "is_reply": "boolean",
    "is_test": "boolean",
    "notice": "text",
    "trace_parent": "text",
    "template": "text",
    "template_version": "integer",
    "sent_by": "text",
}
_DELIVERY = {
    "message_id": "uuid",
    "position": "integer",
    "number": "text",
    "segments": "smallint",
    "state": "text",
    "reason": "text",
    "due_us": "bigint",
    "updated_us": "bigint",
    "has_notice": "boolean",
}
_RECENT = {
    "program_id": "text",
    "number": "text",
    "digest": "bytea",
    "message_id": "uuid",
    "since_us": "bigint",
    "until_us": "bigint",
}

_RECIPIENT = {"program_id": "text", "number": "text", "since_id": "uuid"}
_BUDGET_USE = {"program_id": "text", "period": "text", "used": "bigint", "since_us": "bigint", "until_us": "bigint"}

# The places of their parameters.
_NEW_KEY, _NEW_MESSAGE, _NEW_DELIVERY = 1, 1 + len(_KEY), 1 + len(_KEY) + len(_MESSAGE)


def _rows(columns: Mapping[str, str], first: int) -> str:
    """Rows that are given as one array for each of their columns, from the first-th parameter on."""
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(columns.values(), start=first))
    return f"unnest({arrays}) WITH ORDINALITY AS given ({', '.join(columns)}, place)"


def _arrays(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    return [[row[column] for row in rows] for column in columns]


# A text to numbers that have opted out is left out and these numbers are named, so that it can be stored blocked for
# them in a second round; most rounds are the only one. Keys are taken in one order, so that two processes never wait
# for each other; deliveries in theirs, since ids are the order of first come, first served.
_ADD = f"""
    WITH new_key AS (SELECT * FROM {_rows(_KEY, _NEW_KEY)}),
    new_message AS (SELECT * FROM {_rows(_MESSAGE, _NEW_MESSAGE)}),
    new_delivery AS (SELECT * FROM {_rows(_DELIVERY, _NEW_DELIVERY)}),
    opted_out AS (
        SELECT new_message.id, new_delivery.number
        FROM new_delivery
        JOIN new_message ON new_message.id = new_delivery.message_id
        WHERE new_delivery.state <> '{DeliveryState.BLOCKED.value}' AND NOT new_message.is_reply AND (
            (
                SELECT true FROM opt_outs o
                WHERE o.program_id = new_message.program_id AND o.number = new_delivery.number LIMIT 1
            ) IS TRUE OR (
                SELECT true FROM sender_opt_outs o
                WHERE o.sender_id IN (new_message.sender_id, 0) AND o.number = new_delivery.number LIMIT 1
            ) IS TRUE
        )
    ), named AS (
        INSERT INTO idempotency_keys AS kept ({", ".join(_KEY)})
        SELECT {", ".join(_KEY)} FROM new_key WHERE message_id NOT IN (SELECT id FROM opted_out)
        ORDER BY program_id, key
        ON CONFLICT (program_id, key) DO UPDATE
        SET {", ".join(f"{column} = excluded.{column}" for column in _KEY)}
        WHERE kept.created_us <= excluded.created_us - {KEPT_US}
        RETURNING message_id
    ), message AS (
        INSERT INTO text_messages ({", ".join(_MESSAGE)})
        SELECT {", ".join(_MESSAGE)} FROM new_message
        WHERE id NOT IN (SELECT id FROM opted_out)
            AND (id NOT IN (SELECT message_id FROM new_key) OR id IN (SELECT message_id FROM named))
        ORDER BY place
        RETURNING id, program_id, sender_id, priority, expires_us
    ), delivery AS (
        INSERT INTO deliveries (
            program_id, sender_id, priority, expires_us, attempt, failures, enquiries, {", ".join(_DELIVERY)}
        )
        SELECT message.program_id, message.sender_id, message.priority, message.expires_us, 0, 0, 0,
            {", ".join(f"new_delivery.{column}" for column in _DELIVERY)}
        FROM new_delivery JOIN message ON message.id = new_delivery.message_id
        ORDER BY place
    )
    SELECT id, NULL AS opted_out FROM message UNION ALL SELECT id, number FROM opted_out
"""  # noqa: S608 - made of names of columns and constants alone

_NOTE = f"""
    INSERT INTO recent_texts AS kept ({", ".join(_RECENT)})
    SELECT {", ".join(_RECENT)} FROM {_rows(_RECENT, 1)} ORDER BY place
    ON CONFLICT (program_id, number, digest) DO UPDATE
    SET message_id = excluded.message_id, since_us = excluded.since_us, until_us = excluded.until_us
    WHERE kept.until_us <= excluded.since_us OR NOT EXISTS (
        SELECT 1 FROM deliveries d
        WHERE d.message_id = kept.message_id AND d.number = kept.number AND d.state NOT IN ({IN_VAIN_STATES})
    )
    RETURNING message_id, number
"""  # noqa: S608 - made of names of columns and states alone

_HOLD_BACK = f"""
    UPDATE deliveries d SET state = '{DeliveryState.BLOCKED.value}', reason = r.reason, due_us = NULL
    FROM unnest($1::uuid[], $2::integer[], $3::text[]) AS r (message_id, position, reason)
    WHERE d.message_id = r.message_id AND d.position = r.position
"""  # noqa: S608 - made of constants alone

_COUNT_ANEW = """
    UPDATE idempotency_keys k SET first_counts = r.first_counts
    FROM unnest($1::text[], $2::text[], $3::text[]) AS r (program_id, key, first_counts)
    WHERE k.program_id = r.program_id AND k.key = r.key
"""

# Nobody else's texts to the same numbers are counted meanwhile; others may be stored.
_ONE_AT_A_TIME = "SELECT id FROM programs WHERE id = ANY ($1::text[]) ORDER BY id FOR NO KEY UPDATE"

_COUNT = f"""
    SELECT program_id, number, (
        SELECT count(*) FROM deliveries d
        WHERE d.number = given.number AND d.message_id >= given.since_id AND d.program_id = given.program_id
            AND d.message_id <> ALL ($4::uuid[])
            AND d.state NOT IN ({", ".join(f"'{state.value}'" for state in velocity.UNCOUNTED)})
    ) AS texts
    FROM {_rows(_RECIPIENT, 1)}
"""  # noqa: S608 - made of names of columns and states alone

_CHARGE = f"""
    INSERT INTO budget_uses AS kept ({", ".join(_BUDGET_USE)})
    SELECT {", ".join(_BUDGET_USE)} FROM {_rows(_BUDGET_USE, 1)} ORDER BY place
    ON CONFLICT (program_id, period) DO UPDATE SET used = kept.used + excluded.used
    RETURNING program_id, period, used, told
"""  # noqa: S608 - made of names of columns alone

_CORRECT = """
    UPDATE budget_uses b SET used = r.used, told = r.told
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::smallint[]) AS r (program_id, period, used, told)
    WHERE b.program_id = r.program_id AND b.period = r.period
"""

_WITHDRAW = (
    "DELETE FROM deliveries WHERE message_id = ANY ($1::uuid[])",
    "DELETE FROM text_messages WHERE id = ANY ($1::uuid[])",
    "DELETE FROM idempotency_keys WHERE message_id = ANY ($1::uuid[])",
)

# A claim that holds a sender's row looks for what came meanwhile when it is done.
_ROUSE = """
    UPDATE senders SET due_us = $1
    WHERE id IN (SELECT id FROM senders WHERE id = ANY ($2::bigint[]) AND due_us IS NULL FOR NO KEY UPDATE SKIP LOCKED)
"""

_COUNTED = ("program_id", "key", "first_counts")

_SHORT_PATIENCE = "SET lock_timeout = '100ms'"
_USUAL_PATIENCE = "RESET lock_timeout"


class PostgresqlIntake(SqlIntake):
    async def _insert(self, texts: Sequence[NewText], *, patient: bool) -> AsyncIterator[Stored]:
        left = texts
        async with self._database.driver() as connection:
            # A setting would be the next one's to whom a pooler lends the connection.
            hurried = not patient and not self._database.behind_pooler
            if hurried:
                await connection.execute(_SHORT_PATIENCE)
            while left:
                guarded = any(text.guarded for text in left)
                async with connection.transaction() if guarded else nullcontext():
                    added, left = await _add(connection, left)
                    stored = await _guarded(connection, added) if guarded else Stored(added)
                yield stored
                await _rouse(connection, stored.texts)
            if hurried:
                await connection.execute(_USUAL_PATIENCE)


async def _add(connection: asyncpg.Connection, texts: Sequence[NewText]) -> tuple[Sequence[NewText], Sequence[NewText]]:
    """The texts that were stored, and those that are to be stored without those who have opted out."""
    ids: set[UUID] = set()
    opted_out: dict[UUID, set[PhoneNumber]] = defaultdict(set)
    for row in await connection.fetch(_ADD, *_parameters(texts)):
        if row["opted_out"] is None:
            ids.add(row["id"])
        else:
            opted_out[row["id"]].add(PhoneNumber(row["opted_out"]))
    return (
        [text for text in texts if text.message.id in ids],
        [text.sparing(opted_out[text.message.id]) for text in texts if text.message.id in opted_out],
    )


async def _guarded(connection: asyncpg.Connection, added: Sequence[NewText]) -> Stored:
    """What is left of texts that were just stored. Rows are locked in one order by all: keys, notes of recent texts,
    programs, budgets.
    """
    kept = await _without_too_many(connection, await _without_duplicates(connection, added))
    await _hold_back(connection, added, kept)
    return await _within_budgets(connection, kept)


async def _without_duplicates(connection: asyncpg.Connection, stored: Sequence[NewText]) -> Sequence[NewText]:
    rows = notes(stored)
    if not rows:
        return stored
    noted = await connection.fetch(_NOTE, *_arrays(_RECENT, rows))
    return without_duplicates(stored, {(row["message_id"], row["number"]) for row in noted})


async def _without_too_many(connection: asyncpg.Connection, stored: Sequence[NewText]) -> Sequence[NewText]:
    rows = velocity.recipients(stored)
    if not rows:
        return stored
    await connection.execute(_ONE_AT_A_TIME, sorted({row["program_id"] for row in rows}))
    own = [text.message.id for text in stored]
    counted = await connection.fetch(_COUNT, *_arrays(_RECIPIENT, rows), own)
    return velocity.without_too_many(stored, {(row["program_id"], row["number"]): row["texts"] for row in counted})


async def _hold_back(connection: asyncpg.Connection, stored: Sequence[NewText], kept: Sequence[NewText]) -> None:
    changed = [text for text, before in zip(kept, stored, strict=True) if text is not before]
    if not changed:
        return
    held_back = [
        (text.message.id, each.position, each.reason)
        for text in changed
        for each in text.deliveries
        if each.state is DeliveryState.BLOCKED and each.reason != OPTED_OUT
    ]
    await connection.execute(_HOLD_BACK, *map(list, zip(*held_back, strict=True)))
    keys = [key_row(text, text.key) for text in changed if text.key is not None]
    await connection.execute(_COUNT_ANEW, *([row[name] for row in keys] for name in _COUNTED))


async def _within_budgets(connection: asyncpg.Connection, stored: Sequence[NewText]) -> Stored:
    rows = budgets.charges(stored)
    if not rows:
        return Stored(stored)
    uses = await connection.fetch(_CHARGE, *_arrays(_BUDGET_USE, rows))
    after = {(row["program_id"], row["period"]): budgets.Use(row["used"], row["told"]) for row in uses}
    charged = budgets.charged(stored, rows, after)
    if charged.corrected:
        corrected = [(*name, *use) for name, use in charged.corrected.items()]
        await connection.execute(_CORRECT, *map(list, zip(*corrected, strict=True)))
    for statement in _WITHDRAW if charged.refused else ():
        await connection.execute(statement, list(charged.refused))
    return Stored(charged.fitting, charged.refused, charged.nearly_used)


def _parameters(texts: Sequence[NewText]) -> Sequence[Sequence[Any]]:
    return [
        *_arrays(_KEY, [key_row(text, text.key) for text in texts if text.key is not None]),
        *_arrays(_MESSAGE, [message_row(text.message) for text in texts]),
        *_arrays(_DELIVERY, [delivery_row(text.message, each) for text in texts for each in text.deliveries]),
    ]


async def _rouse(connection: asyncpg.Connection, texts: Sequence[NewText]) -> None:
    """After the texts are stored, since storing must never wait for a claim that holds the sender's row."""
    sender_ids = sent_at_once(texts)
    if sender_ids:
        await connection.execute(_ROUSE, max(text.message.created_us for text in texts), list(sender_ids))

"""Storing texts on SQLite, whose write lock keeps all others out meanwhile."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import exists, insert, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from adapters.sql.delivery_queue import make_due
from adapters.sql.duplicates import To, notes, without_duplicates
from adapters.sql.intake import (
    NAME,
    NAME_COLUMNS,
    SqlIntake,
    delivery_row,
    key_row,
    message_row,
    sent_at_once,
)
from adapters.sql.opt_outs import opted_out_among
from adapters.sql.tables import deliveries, idempotency_keys, recent_texts, senders, text_messages
from domain.model.delivery import IN_VAIN
from domain.model.idempotency import KEPT_US
from domain.model.phone_number import PhoneNumber
from domain.model.text_message import NewText

_ROWS_AT_ONCE = 500  # Ten thousand at once would take some 20 MB on their way.


class SqliteIntake(SqlIntake):
    async def _insert(self, texts: Sequence[NewText], *, patient: bool) -> AsyncIterator[Sequence[NewText]]:
        # Nobody holds a single key here.
        _ = patient
        async with self._database.writing() as connection:
            taken = await _taken(connection, texts)
            free = [text for text in texts if text.message.id not in taken]
            stored = await _without_opted_out(connection, free)
            stored = await _without_duplicates(connection, stored)
            if stored:
                await _add(connection, stored)
        yield stored


async def _add(connection: AsyncConnection, texts: Sequence[NewText]) -> None:
    keys = [key_row(text, text.key) for text in texts if text.key is not None]
    if keys:
        await connection.execute(insert(idempotency_keys).prefix_with("OR REPLACE"), keys)
    await connection.execute(insert(text_messages), [message_row(text.message) for text in texts])
    pairs = [(text.message, each) for text in texts for each in text.deliveries]
    for start in range(0, len(pairs), _ROWS_AT_ONCE):
        rows = [delivery_row(message, each) for message, each in pairs[start : start + _ROWS_AT_ONCE]]
        await connection.execute(insert(deliveries), rows)
    sender_ids = sent_at_once(texts)
    if sender_ids:
        now_us = max(text.message.created_us for text in texts)
        await make_due(connection, senders.c.id.in_(sender_ids), now_us=now_us)


async def _without_duplicates(connection: AsyncConnection, texts: Sequence[NewText]) -> Sequence[NewText]:
    rows = notes(texts)
    noted: set[To] = set()
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        added = await connection.execute(_noted(rows[start : start + _ROWS_AT_ONCE]))
        noted |= {(row.message_id, row.number) for row in added}
    return without_duplicates(texts, noted) if rows else texts


def _noted(rows: Sequence[Mapping[str, Any]]) -> ReturningInsert[UUID, str]:
    row = sqlite.insert(recent_texts).values(list(rows))
    got_there = exists().where(
        deliveries.c.message_id == recent_texts.c.message_id,
        deliveries.c.number == recent_texts.c.number,
        deliveries.c.state.not_in([state.value for state in IN_VAIN]),
    )
    return row.on_conflict_do_update(
        index_elements=list(recent_texts.primary_key.columns),
        set_={name: row.excluded[name] for name in ("message_id", "since_us", "until_us")},
        where=(recent_texts.c.until_us <= row.excluded.since_us) | ~got_there,
    ).returning(recent_texts.c.message_id, recent_texts.c.number)


async def _taken(connection: AsyncConnection, texts: Sequence[NewText]) -> set[UUID]:
    """The texts whose keys stand for others already."""
    by_name = {(text.message.program_id, text.key.value): text.message for text in texts if text.key is not None}
    if not by_name:
        return set()
    rows = await connection.execute(select(*NAME_COLUMNS, idempotency_keys.c.created_us).where(NAME.in_(list(by_name))))
    names = [((row.program_id, row.key), row.created_us) for row in rows]
    return {by_name[name].id for name, at_us in names if at_us > by_name[name].created_us - KEPT_US}


async def _without_opted_out(connection: AsyncConnection, texts: Sequence[NewText]) -> Sequence[NewText]:
    wanted = [
        (text.message.program_id, text.message.sender_id, each.number.e164)
        for text in texts
        for each in text.deliveries
    ]
    opted_out: dict[tuple[str, int], set[PhoneNumber]] = defaultdict(set)
    for program_id, sender_id, number in await opted_out_among(connection, wanted):
        opted_out[program_id, sender_id].add(PhoneNumber(number))
    if not opted_out:
        return texts
    return [text.sparing(opted_out[text.message.program_id, text.message.sender_id]) for text in texts]

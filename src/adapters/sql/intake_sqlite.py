"""Storing texts on SQLite, whose write lock keeps all others out meanwhile."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from adapters.sql import budgets, velocity
from adapters.sql.delivery_queue import make_due
from adapters.sql.duplicates import To, notes, without_duplicates
from adapters.sql.intake import (
    NAME,
    NAME_COLUMNS,
    SqlIntake,
    Stored,
    delivery_row,
    key_row,
    message_row,
    sent_at_once,
)
from adapters.sql.opt_outs import opted_out_among
from adapters.sql.tables import budget_uses, deliveries, idempotency_keys, recent_texts, senders, text_messages
from domain.model.delivery import IN_VAIN
from domain.model.idempotency import KEPT_US
from domain.model.phone_number import PhoneNumber
from domain.model.text_message import NewText

_ROWS_AT_ONCE = 500  # Ten thousand at once would take some 20 MB on their way.


class SqliteIntake(SqlIntake):
    async def _insert(self, texts: Sequence[NewText], *, patient: bool) -> AsyncIterator[Stored]:
        # Nobody holds a single key here.
        _ = patient
        async with self._database.writing() as connection:
            taken = await _taken(connection, texts)
            free = [text for text in texts if text.message.id not in taken]
            kept = await _without_opted_out(connection, free)
            kept = await _without_duplicates(connection, kept)
            kept = await _without_too_many(connection, kept)
            stored = await _within_budgets(connection, kept)
            if stored.texts:
                await _add(connection, stored.texts)
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


async def _without_too_many(connection: AsyncConnection, texts: Sequence[NewText]) -> Sequence[NewText]:
    numbers: dict[tuple[str, UUID], list[str]] = defaultdict(list)
    for row in velocity.recipients(texts):
        numbers[row["program_id"], row["since_id"]].append(row["number"])
    earlier: dict[velocity.Name, int] = {}
    for (program_id, since_id), its in numbers.items():
        for start in range(0, len(its), _ROWS_AT_ONCE):
            counted = (
                select(deliveries.c.number, func.count().label("texts"))
                .where(
                    deliveries.c.number.in_(its[start : start + _ROWS_AT_ONCE]),
                    deliveries.c.message_id >= since_id,
                    deliveries.c.program_id == program_id,
                    deliveries.c.state.not_in([state.value for state in velocity.UNCOUNTED]),
                )
                .group_by(deliveries.c.number)
            )
            rows = await connection.execute(counted)
            earlier |= {(program_id, row.number): row.texts for row in rows}
    return velocity.without_too_many(texts, earlier) if numbers else texts


async def _within_budgets(connection: AsyncConnection, texts: Sequence[NewText]) -> Stored:
    rows = budgets.charges(texts)
    if not rows:
        return Stored(texts)
    row = sqlite.insert(budget_uses).values(list(rows))
    charge = row.on_conflict_do_update(
        index_elements=list(budget_uses.primary_key.columns),
        set_={"used": budget_uses.c.used + row.excluded.used},
    ).returning(budget_uses.c.program_id, budget_uses.c.period, budget_uses.c.used, budget_uses.c.told)
    uses = await connection.execute(charge)
    after = {(each.program_id, each.period): budgets.Use(each.used, each.told) for each in uses}
    charged = budgets.charged(texts, rows, after)
    for (program_id, period), use in charged.corrected.items():
        its = budget_uses.c.program_id == program_id, budget_uses.c.period == period
        await connection.execute(update(budget_uses).where(*its).values(**use._asdict()))
    return Stored(charged.fitting, charged.refused, charged.nearly_used)


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

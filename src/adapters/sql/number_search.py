"""Rows that have a phone number somewhere in their JSON: found by looking through a table, a part at a time."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.rows import AnyRow
from adapters.sql.tables import callbacks, webhook_events
from domain.model.phone_number import PhoneNumber

_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class JsonTable:
    """`json` is the column of `rows` that is looked into, `id` the one that they are looked through by."""

    rows: Select[*tuple[Any, ...]]
    id: ColumnElement[int]
    json: ColumnElement[str]


WEBHOOK_EVENTS = JsonTable(select(webhook_events), webhook_events.c.id, webhook_events.c.data)
CALLBACKS = JsonTable(select(callbacks), callbacks.c.id, callbacks.c.fields)


async def found_in(
    connection: AsyncConnection, table: JsonTable, number: PhoneNumber, *, after: int, limit: int
) -> tuple[Sequence[AnyRow], int | None]:
    """At most so many of the part after that id, and the id at which to go on; None at the end of the table."""
    part = select(table.id.label("id")).where(table.id > after).order_by(table.id).limit(_ROWS_AT_ONCE).subquery()
    last = (await connection.execute(select(func.max(part.c.id)))).scalar()
    if last is None:
        return [], None
    digits = number.e164[1:]
    # Written as each provider writes it, with a plus or without; digits around it make it another.
    like = table.rows.where(table.id > after, table.id <= last, table.json.contains(digits)).order_by(table.id)
    has_it: Callable[[str], object] = re.compile(rf"(?<![0-9]){digits}(?![0-9])").search
    found = [row for row in await connection.execute(like) if has_it(getattr(row, str(table.json.key)))]
    if len(found) > limit:
        return found[:limit], found[limit - 1].id
    return found, last

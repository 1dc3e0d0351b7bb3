"""Messages are deleted a portion at a time: no transaction is to hold up others for long."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.rows import AnyRow
from adapters.sql.tables import text_messages

_MESSAGES_AT_ONCE = 200
DELIVERIES_AT_ONCE = 20_000


async def portion_of(connection: AsyncConnection, messages: Select[*tuple[Any, ...]]) -> Sequence[AnyRow]:
    """The first of these, locked, up to so many recipients in all, which `messages` selects. What others hold is passed
    over.
    """
    some = messages.order_by(text_messages.c.id).limit(_MESSAGES_AT_ONCE).with_for_update(skip_locked=True)
    portion, recipients = [], 0
    for row in (await connection.execute(some)).all():
        portion.append(row)
        recipients += row.recipients
        if recipients >= DELIVERIES_AT_ONCE:
            break
    return portion

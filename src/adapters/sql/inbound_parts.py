"""Inbound texts that came in parts, put together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.rows import AnyRow
from adapters.sql.tables import callbacks
from domain.model.callback import Callback
from domain.model.inbound_part import missing
from domain.ports.callbacks import Joined

JOINED = "joined"

_waiting = and_(callbacks.c.part_of.is_not(None), callbacks.c.outcome.is_(None))
_WHOLES = (
    select(callbacks.c.account_id, callbacks.c.part_of)
    .where(_waiting)
    .group_by(callbacks.c.account_id, callbacks.c.part_of)
    .having(
        or_(
            func.count(callbacks.c.part_number.distinct()) >= func.max(callbacks.c.part_total),
            func.min(callbacks.c.received_us) < bindparam("since_us"),
        )
    )
    .limit(bindparam("most"))
)
# Others at the same text are waited for, and leave nothing of it.
_PARTS = (
    select(callbacks)
    .where(_waiting, callbacks.c.account_id == bindparam("its_account"), callbacks.c.part_of == bindparam("its_name"))
    .order_by(callbacks.c.part_number, callbacks.c.id)
    .with_for_update()
)


async def wholes(connection: AsyncConnection, *, since_us: int, limit: int) -> Sequence[tuple[int, str]]:
    """Those whose parts are all there, or whose first came before then: their accounts and names."""
    found = await connection.execute(_WHOLES, {"since_us": since_us, "most": limit})
    return [(row.account_id, row.part_of) for row in found]


async def joined(
    connection: AsyncConnection,
    account_id: int,
    name: str,
    *,
    as_callback: Callable[[AnyRow], Callback],
    whole: Callable[[Sequence[Callback]], Mapping[str, object]],
) -> Joined | None:
    """One of them, put together but not stored, and its parts done with; None if another was faster."""
    rows = await connection.execute(_PARTS, {"its_account": account_id, "its_name": name})
    parts = [as_callback(row) for row in rows]
    if not parts:
        return None
    ids = [each.id for each in parts]
    await connection.execute(update(callbacks).where(callbacks.c.id.in_(ids)).values(outcome=JOINED))
    # A part that came twice under two ids is there once.
    numbered = {part.number: each for each in reversed(parts) if (part := each.part) is not None}
    in_order = [numbered[number] for number in sorted(numbered)]
    callback = replace(
        in_order[0],
        key=f"{in_order[0].key}:{JOINED}",
        nonce=None,
        part=None,
        received_us=min(map(attrgetter("received_us"), parts)),
        fields=whole(in_order),
    )
    return Joined(callback=callback, missing=missing([each.part for each in in_order if each.part is not None]))

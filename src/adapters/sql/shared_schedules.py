"""The limits that senders share, while a claim gives their slots away."""

from collections.abc import Iterable, Mapping, Sequence

import orjson
from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.rows import AnyRow, as_limit
from adapters.sql.tables import limits
from domain.model.limit import SharedSchedule

_KEEP = (
    update(limits)
    .where(limits.c.id == bindparam("its_id"))
    .values(taken=bindparam("new_taken"), day=bindparam("new_day"), used=bindparam("new_used"))
)


class SharedSchedules:
    """Those of one claim. Nobody else gives slots of them until it commits."""

    def __init__(self, rows: Sequence[AnyRow], *, now_us: int) -> None:
        self._parents = {row.id: row.parent_id for row in rows}
        self._schedules = {
            row.id: SharedSchedule(
                as_limit(row), taken=orjson.loads(row.taken), day=row.day, used=row.used, now_us=now_us
            )
            for row in rows
        }

    @classmethod
    async def locked(cls, connection: AsyncConnection, limit_ids: Iterable[int], *, now_us: int) -> "SharedSchedules":
        """Those of the limits, and of all that they stand under; locked in one order, so that claims that share some
        wait for each other and never in a circle.
        """
        first = sorted(limit_ids)
        if not first:
            return cls([], now_us=now_us)
        above = select(limits.c.id, limits.c.parent_id).where(limits.c.id.in_(first)).cte("above", recursive=True)
        above = above.union(select(limits.c.id, limits.c.parent_id).join(above, limits.c.id == above.c.parent_id))
        rows = select(limits).where(limits.c.id.in_(select(above.c.id))).order_by(limits.c.id)
        return cls((await connection.execute(rows.with_for_update(key_share=True))).all(), now_us=now_us)

    def of(self, limit_ids: Iterable[int | None]) -> Mapping[int, SharedSchedule]:
        """All that a sender with these limits needs slots of, by their ids."""
        return {each: self._schedules[each] for each in above(limit_ids, self._parents)}

    async def keep(self, connection: AsyncConnection) -> None:
        if self._schedules:
            await connection.execute(_KEEP, [_row(limit_id, its) for limit_id, its in self._schedules.items()])


def above(limit_ids: Iterable[int | None], parents: Mapping[int, int | None]) -> Sequence[int]:
    """These limits, and all that they stand under."""
    found: list[int] = []
    for limit_id in limit_ids:
        at = limit_id
        while at is not None and at in parents and at not in found:
            found.append(at)
            at = parents[at]
    return found


def _row(limit_id: int, schedule: SharedSchedule) -> Mapping[str, object]:
    return {
        "its_id": limit_id,
        "new_taken": orjson.dumps(schedule.taken).decode(),
        "new_day": schedule.day,
        "new_used": schedule.used,
    }

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database
from adapters.sql.rows import as_limit, as_pace
from adapters.sql.tables import deliveries, hub_paused, limits, paused_programs, provider_accounts, queued, senders
from domain.model.limit import Counted
from domain.model.pace import Pace
from domain.model.priority import Priority
from domain.model.queue_ahead import QueueAhead
from domain.ports.backlog import Backlog

_LINES = (
    select(deliveries.c.priority, deliveries.c.program_id, func.sum(deliveries.c.segments))
    .where(queued)
    .group_by(deliveries.c.priority, deliveries.c.program_id)
)
_SENDER = select(
    senders,
    provider_accounts.c.limit_id.label("account_limit_id"),
    hub_paused.label("hub_paused"),
).join(provider_accounts, senders.c.account_id == provider_accounts.c.id)


class SqlBacklog(Backlog):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def at(self, sender_id: int) -> QueueAhead:
        async with self._database.reading() as connection:
            row = (await connection.execute(_SENDER.where(senders.c.id == sender_id))).one()
            paused = (await connection.execute(paused_programs)).scalars().all()
            lines = (await connection.execute(_LINES.where(deliveries.c.sender_id == sender_id))).all()
            paces = [as_pace(row), *await _shared_paces(connection, {row.limit_id, row.account_limit_id} - {None})]
        return QueueAhead(
            pace=min(paces, key=lambda pace: pace.per_second),
            free_us=row.next_free_us - row.backlog_us,
            segments={(Priority(lane), program): int(segments) for lane, program, segments in lines},
            stopped=bool(row.hub_paused or row.bars or row.paused_us is not None),
            paused=frozenset(paused),
        )

    def joined(self, sender_id: int, program_id: str, priority: Priority, segments: int) -> None:
        """They are in the database."""


async def _shared_paces(connection: AsyncConnection, limit_ids: set[int]) -> list[Pace]:
    """Those of limits that count segments, and of what they stand under."""
    if not limit_ids:
        return []
    rows = {row.id: row for row in await connection.execute(select(limits))}
    paces, at = [], list(limit_ids)
    while at:
        row = rows[at.pop()]
        limit = as_limit(row)
        if limit.pace is not None and limit.counts is Counted.SEGMENTS:
            paces.append(limit.pace)
        if row.parent_id is not None:
            at.append(row.parent_id)
    return paces

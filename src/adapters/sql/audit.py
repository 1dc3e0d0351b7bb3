import time
from collections.abc import Mapping

import orjson
from sqlalchemy import insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database
from adapters.sql.rows import AnyRow
from adapters.sql.tables import audit_events, programs
from domain.model.audit import THE_HUB_ITSELF, Actor, AuditEvent, acting
from domain.ports.audit_log import AuditLog
from domain.ports.text_log import Page

_NOTHING: Mapping[str, object] = {}


class SqlAuditLog(AuditLog):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, *, program_id: str | None = None, before: int | None, limit: int) -> Page[AuditEvent, int]:
        wanted = select(audit_events)
        if program_id is not None:
            # In any letter case as long as there is such a program; then as it was written.
            its = select(programs.c.id).where(programs.c.folded_id == program_id.casefold())
            wanted = wanted.where(or_(audit_events.c.program_id == program_id, audit_events.c.program_id.in_(its)))
        if before is not None:
            wanted = wanted.where(audit_events.c.id < before)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted.order_by(audit_events.c.id.desc()).limit(limit + 1))).all()
        return Page([_as_event(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


async def audit(
    connection: AsyncConnection,
    action: str,
    subject: str,
    *,
    program_id: str | None = None,
    before: Mapping[str, object] = _NOTHING,
    after: Mapping[str, object] = _NOTHING,
) -> None:
    """Records within the caller's transaction what is done there, and by whom.

    `before` and `after` are what was and what is, by name: nothing secret, and what is no JSON as its text.
    """
    actor = acting.get(THE_HUB_ITSELF)
    names = dict.fromkeys([*before, *after])
    changes = {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}
    await connection.execute(
        insert(audit_events).values(
            at_us=time.time_ns() // 1_000,
            actor=actor.name,
            via=actor.via,
            address=actor.address,
            action=action,
            subject=subject,
            program_id=program_id,
            changes=orjson.dumps(changes, default=str).decode(),
        )
    )


def _as_event(row: AnyRow) -> AuditEvent:
    return AuditEvent(
        id=row.id,
        at_us=row.at_us,
        actor=Actor(name=row.actor, via=row.via, address=row.address),
        action=row.action,
        subject=row.subject,
        program_id=row.program_id,
        changes={name: (was, is_) for name, (was, is_) in orjson.loads(row.changes).items()},
    )

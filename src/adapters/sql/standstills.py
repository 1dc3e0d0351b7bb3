from sqlalchemy import func, select

from adapters.sql.database import Database
from adapters.sql.tables import hub_paused, not_deleted, paused_programs, senders
from domain.ports.standstills import Standstill, Standstills

_MOST_NAMED = 100


class SqlStandstills(Standstills):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self, *, now_us: int) -> Standstill:
        counts = select(
            hub_paused.label("hub"),
            select(func.count())
            .select_from(paused_programs.where(not_deleted).subquery())
            .scalar_subquery()
            .label("programs"),
            select(func.count()).where(senders.c.paused_us.is_not(None)).scalar_subquery().label("senders"),
            select(func.min(senders.c.due_us))
            .where(senders.c.due_us.is_not(None), senders.c.paused_us.is_(None))
            .scalar_subquery()
            .label("due_us"),
        )
        barred = select(senders.c.id, senders.c.bar_reason).where(senders.c.bars > 0).order_by(senders.c.id)
        async with self._database.reading() as connection:
            row = (await connection.execute(counts)).one()
            reasons = {its.id: its.bar_reason for its in await connection.execute(barred.limit(_MOST_NAMED))}
        waits = row.due_us is not None and not row.hub
        return Standstill(
            hub_paused=bool(row.hub),
            paused_programs=row.programs,
            paused_senders=row.senders,
            barred=reasons,
            overdue_us=max(now_us - row.due_us, 0) if waits else 0,
        )

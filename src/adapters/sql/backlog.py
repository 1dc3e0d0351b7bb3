from collections.abc import Sequence

from sqlalchemy import bindparam, func, or_, select

from adapters.sql.database import Database
from adapters.sql.rows import AnyRow, as_pace, as_schedule
from adapters.sql.shared_schedules import SharedSchedules, above
from adapters.sql.tables import deliveries, hub_paused, limits, paused_programs, provider_accounts, queued, senders
from domain.model.priority import Priority
from domain.model.queue_ahead import QueueAhead
from domain.model.shared_line import SharedLine, WaitingSender
from domain.model.turns import Turns
from domain.model.waiting import Waiting
from domain.ports.backlog import Backlog, WaitingSenders

_account_limit_id = provider_accounts.c.limit_id.label("account_limit_id")
_SENDERS = select(senders, _account_limit_id, hub_paused.label("hub_paused")).join(provider_accounts)
_WAITING = select(func.count().label("texts"), func.sum(deliveries.c.segments).label("segments")).where(
    queued, deliveries.c.program_id.not_in(paused_programs)
)
_BY_LINE = _WAITING.add_columns(deliveries.c.priority, deliveries.c.program_id).group_by(
    deliveries.c.priority, deliveries.c.program_id
)
# Made once, since each sender that is posted to is looked at twice a second.
_ONE_SENDER = _SENDERS.where(senders.c.id == bindparam("sender_id"))
_LINES_OF_ONE = _BY_LINE.where(deliveries.c.sender_id == bindparam("sender_id"))
_BY_SENDER = _WAITING.add_columns(deliveries.c.sender_id).group_by(deliveries.c.sender_id)


class SqlBacklog(Backlog):
    def __init__(self, database: Database, waiting_senders: WaitingSenders) -> None:
        self._database = database
        self._waiting_senders = waiting_senders

    async def at(self, sender_id: int, *, now_us: int) -> QueueAhead:
        async with self._database.reading() as connection:
            asked = {"sender_id": sender_id}
            row = (await connection.execute(_ONE_SENDER, asked)).one()
            paused = (await connection.execute(paused_programs)).scalars().all()
            lines = (await connection.execute(_LINES_OF_ONE, asked)).all()
            bound = row.limit_id is not None or row.account_limit_id is not None
            limit_rows = (await connection.execute(select(limits))).all() if bound else []
        return QueueAhead(
            pace=as_pace(row),
            at_us=now_us,
            free_us=row.next_free_us - row.backlog_us,
            backlog_us=row.backlog_us,
            waiting={(Priority(each.priority), each.program_id): _as_waiting(each) for each in lines},
            turns=Turns.read(row.turns),
            shared=await self._shared(row, limit_rows, now_us=now_us),
            stopped=bool(row.hub_paused or row.bars or row.paused_us is not None),
            paused=frozenset(paused),
        )

    def joined(self, sender_id: int, program_id: str, priority: Priority, accepted: Waiting, *, now_us: int) -> None:
        """They are in the database."""

    async def _shared(self, row: AnyRow, limit_rows: Sequence[AnyRow], *, now_us: int) -> Sequence[SharedLine]:
        schedules = SharedSchedules(limit_rows, now_us=now_us).of([row.limit_id, row.account_limit_id])
        if not schedules:
            return []
        top = frozenset(each.id for each in limit_rows if each.id in schedules and each.parent_id is None)
        others = [each for each in await self._waiting_senders.under(top) if each.id != row.id]
        return [
            SharedLine.found(schedule, [each for each in others if limit_id in each.limit_ids], now_us=now_us)
            for limit_id, schedule in schedules.items()
        ]


class SqlWaitingSenders(WaitingSenders):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def under(self, limit_ids: frozenset[int]) -> Sequence[WaitingSender]:
        async with self._database.reading() as connection:
            limit_rows = (await connection.execute(select(limits.c.id, limits.c.parent_id))).all()
            parents = {each.id: each.parent_id for each in limit_rows}
            theirs = [each for each in parents if limit_ids.intersection(above([each], parents))]
            going_on = _SENDERS.where(
                or_(senders.c.limit_id.in_(theirs), provider_accounts.c.limit_id.in_(theirs)),
                senders.c.paused_us.is_(None),
                senders.c.bars == 0,
            )
            rows = (await connection.execute(going_on)).all()
            ids = going_on.with_only_columns(senders.c.id)
            by_sender = (await connection.execute(_BY_SENDER.where(deliveries.c.sender_id.in_(ids)))).all()
        waiting = {each.sender_id: _as_waiting(each) for each in by_sender}
        return [
            WaitingSender(
                id=row.id,
                limit_ids=frozenset(above([row.limit_id, row.account_limit_id], parents)),
                schedule=as_schedule(row),
                waiting=waiting[row.id],
            )
            for row in rows
            if row.id in waiting
        ]


def _as_waiting(row: AnyRow) -> Waiting:
    return Waiting(int(row.texts), int(row.segments))

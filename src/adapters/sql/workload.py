from collections.abc import Mapping, Sequence

from sqlalchemy import case, func, select

from adapters.sql.database import Database
from adapters.sql.rows import AnyRow, as_pace, as_schedule
from adapters.sql.shared_schedules import SharedSchedules, above
from adapters.sql.tables import deliveries, hub_paused, limits, paused_programs, provider_accounts, queued, senders
from domain.model.priority import Priority
from domain.model.queue_ahead import QueueAhead
from domain.model.shared_line import SharedLine, WaitingSender
from domain.model.waiting import NOTHING, Waiting
from domain.ports.workload import Load, SenderLoad, Workload

_MOST_SENDERS = 100

_goes_on = case((deliveries.c.program_id.not_in(paused_programs), 1), else_=0)
_segments = func.sum(deliveries.c.segments * _goes_on).label("segments")
# The sums over all of them as well, as many as are shown of them.
_BY_SENDER = (
    select(
        deliveries.c.sender_id,
        func.sum(_goes_on).label("texts"),
        _segments,
        func.sum(func.count()).over().label("queued"),
        func.count().over().label("senders"),
    )
    .where(queued)
    .group_by(deliveries.c.sender_id)
    .order_by(_segments.desc(), deliveries.c.sender_id)
    .limit(_MOST_SENDERS)
)
# What is scheduled is due at some time: it is found by that, as no index is of the state alone.
_SCHEDULED = select(func.count()).where(deliveries.c.due_us.is_not(None), deliveries.c.state == "scheduled")
_SENDERS = select(
    senders.c.id,
    senders.c.pace_numerator,
    senders.c.pace_denominator,
    senders.c.next_free_us,
    senders.c.backlog_us,
    senders.c.due_us,
    senders.c.paused_us,
    senders.c.bars,
    senders.c.limit_id,
    provider_accounts.c.limit_id.label("account_limit_id"),
    hub_paused.label("hub_paused"),
).join(provider_accounts, senders.c.account_id == provider_accounts.c.id)


class SqlWorkload(Workload):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self, *, now_us: int) -> Load:
        async with self._database.reading() as connection:
            by_sender = (await connection.execute(_BY_SENDER)).all()
            scheduled = (await connection.execute(_SCHEDULED)).scalar_one()
            waiting = {row.sender_id: Waiting(int(row.texts), int(row.segments)) for row in by_sender}
            rows = list(await connection.execute(_SENDERS.where(senders.c.id.in_(waiting))))
            if len(rows) < _MOST_SENDERS:
                idle = _SENDERS.where(senders.c.id.not_in(waiting)).order_by(senders.c.id)
                rows += await connection.execute(idle.limit(_MOST_SENDERS - len(rows)))
            bound = any(row.limit_id is not None or row.account_limit_id is not None for row in rows)
            limit_rows = (await connection.execute(select(limits))).all() if bound else []
        all_known = not by_sender or by_sender[0].senders == len(by_sender)
        return Load(
            queued=int(by_sender[0].queued) if by_sender else 0,
            scheduled=scheduled,
            senders=_Reckoning(rows, waiting, limit_rows, all_known=all_known, now_us=now_us).loads(),
        )


class _Reckoning:
    """When what waits will be through. `all_known`: nobody waits but these senders."""

    def __init__(
        self,
        rows: Sequence[AnyRow],
        waiting: Mapping[int, Waiting],
        limit_rows: Sequence[AnyRow],
        *,
        all_known: bool,
        now_us: int,
    ) -> None:
        self._rows = rows
        self._waiting = waiting
        self._all_known = all_known
        self._now_us = now_us
        self._schedules = SharedSchedules(limit_rows, now_us=now_us)
        parents = {row.id: row.parent_id for row in limit_rows}
        self._others = [
            WaitingSender(
                id=row.id,
                limit_ids=frozenset(above([row.limit_id, row.account_limit_id], parents)),
                schedule=as_schedule(row),
                waiting=waiting[row.id],
            )
            for row in rows
            if row.id in waiting and waiting[row.id].texts and not _stopped(row)
        ]

    def loads(self) -> Sequence[SenderLoad]:
        return [self._load(row, self._waiting.get(row.id, NOTHING)) for row in self._rows]

    def _load(self, row: AnyRow, waiting: Waiting) -> SenderLoad:
        return SenderLoad(
            sender_id=row.id,
            pace=as_pace(row),
            segments=int(waiting.segments),
            late_us=_late_us(row, self._now_us) if waiting.texts else 0,
            through_in_us=self._through_in_us(row, waiting) if waiting.texts else 0,
        )

    def _through_in_us(self, row: AnyRow, waiting: Waiting) -> int | None:
        schedules = self._schedules.of([row.limit_id, row.account_limit_id])
        if _stopped(row) or (schedules and not self._all_known):
            return None
        others = [each for each in self._others if each.id != row.id]
        ahead = QueueAhead(
            pace=as_pace(row),
            at_us=self._now_us,
            free_us=row.next_free_us - row.backlog_us,
            backlog_us=row.backlog_us,
            shared=[
                SharedLine.found(its, [each for each in others if limit_id in each.limit_ids], now_us=self._now_us)
                for limit_id, its in schedules.items()
            ],
        )
        # As if all that waits had come at this moment, to a line in which nothing else waits: whose it is changes
        # nothing of when the last of it leaves.
        leaves_us = ahead.leaves_us(
            "", Priority.NORMAL, texts=int(waiting.texts), segments=waiting.segments / waiting.texts
        )
        return None if leaves_us is None else max(leaves_us - self._now_us, 0)


def _stopped(row: AnyRow) -> bool:
    return bool(row.hub_paused or row.bars or row.paused_us is not None)


def _late_us(row: AnyRow, now_us: int) -> int:
    """None of a sender that is idle or stopped could have left."""
    if row.due_us is None or _stopped(row):
        return 0
    could_leave_us: int = max(row.due_us, row.next_free_us - row.backlog_us)
    return max(now_us - could_leave_us, 0)

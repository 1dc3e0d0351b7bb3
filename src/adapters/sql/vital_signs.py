from sqlalchemy import Select, case, func, select

from adapters.sql.database import Database
from adapters.sql.rows import AnyRow, as_limit
from adapters.sql.tables import (
    budget_uses,
    deliveries,
    dispatchers,
    limits,
    not_deleted,
    programs,
    sending,
    unknown,
    webhook_calls,
    webhook_events,
    webhooks,
)
from domain.ports.vitals import Vitals, VitalSigns

_MOST_CAPS = 100
_MOST_CAPS_READ = 1_000
_MOST_EVENTS_COUNTED = 100_000

_CAPS = (
    select(*(each for each in limits.c if each.name != "taken"))  # that may be long
    .where(limits.c.daily.is_not(None))
    .order_by(limits.c.id)
    .limit(_MOST_CAPS_READ)
)

# A month's name is shorter than a day's.
_BUDGET = case(
    (func.length(budget_uses.c.period) == len("2026-11"), programs.c.monthly_segments), else_=programs.c.daily_segments
)
_BUDGET_USED = func.max(budget_uses.c.used * 1.0 / _BUDGET)
_called = select(webhooks.c.id).where(webhooks.c.disabled.is_(None))
_TO_BE_TOLD = (
    select(webhook_calls.c.event_id)
    .where(webhook_calls.c.webhook_id.in_(_called), webhook_calls.c.due_us.is_not(None))
    .limit(_MOST_EVENTS_COUNTED)
    .subquery()
)
_EVENTS = select(func.count().label("waiting"), func.min(_TO_BE_TOLD.c.event_id).label("oldest"))


class SqlVitalSigns(VitalSigns):
    """`heard_within_us` is how long ago a dispatcher that is counted upon was heard of at the most."""

    def __init__(self, database: Database, *, heard_within_us: int) -> None:
        self._database = database
        self._heard_within_us = heard_within_us

    async def now(self, *, now_us: int) -> Vitals:
        alive = select(func.count()).where(dispatchers.c.last_seen_us >= now_us - self._heard_within_us)
        # Both so that the index of what is claimed is used, which is short.
        sent_now = select(func.count()).where(sending, deliveries.c.claimed_by.is_not(None))
        not_known = select(func.count()).where(unknown)
        since_us = select(func.min(deliveries.c.slot_us)).where(unknown)
        counts = select(
            alive.scalar_subquery().label("dispatchers"),
            sent_now.scalar_subquery().label("sending"),
            not_known.scalar_subquery().label("unknown"),
            since_us.scalar_subquery().label("since_us"),
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(counts)).one()
            events = (await connection.execute(_EVENTS)).one()
            oldest = select(webhook_events.c.at_us).where(webhook_events.c.id == events.oldest)
            oldest_us = (await connection.execute(oldest)).scalar() if events.waiting else None
            caps = {its.name: _used(its, now_us) for its in await connection.execute(_CAPS)}
            budgets = (await connection.execute(_budgets_used(now_us))).all()
        most_used = sorted(caps.items(), key=lambda cap: -cap[1])[:_MOST_CAPS]
        return Vitals(
            dispatchers=row.dispatchers,
            sending=row.sending,
            unknown=row.unknown,
            oldest_unknown_us=0 if row.since_us is None else max(now_us - row.since_us, 0),
            caps_used=dict(most_used),
            budgets_used={row.program_id: min(float(row.used), 1.0) for row in budgets},
            events_waiting=events.waiting,
            oldest_event_us=0 if oldest_us is None else max(now_us - oldest_us, 0),
        )


def _budgets_used(now_us: int) -> Select[str, float]:
    return (
        select(budget_uses.c.program_id, _BUDGET_USED.label("used"))
        .join(programs, budget_uses.c.program_id == programs.c.id)
        .where(budget_uses.c.until_us > now_us, _BUDGET.is_not(None), not_deleted)
        .group_by(budget_uses.c.program_id)
        .order_by(_BUDGET_USED.desc(), budget_uses.c.program_id)
        .limit(_MOST_CAPS)
    )


def _used(row: AnyRow, now_us: int) -> float:
    cap = as_limit(row).daily
    # What was used on another day says nothing of this one.
    if cap is None or row.day != cap.day_of(now_us):
        return 0.0
    return min(float(row.used / cap.amount), 1.0)

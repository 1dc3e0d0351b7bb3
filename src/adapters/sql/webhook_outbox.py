import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Integer, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, carried_through
from adapters.sql.rows import AnyRow
from adapters.sql.tables import webhook_attempts, webhook_calls, webhook_events, webhooks
from domain.errors import CredentialsUnreadable
from domain.model.pace import SECOND_US
from domain.model.webhook import Call, EventType
from domain.model.webhook_retry import Answer, Health
from domain.model.webhook_secret import WebhookSecret
from domain.ports.vault import Vault
from domain.ports.webhook_outbox import WebhookOutbox

# Longer than any call takes.
_TAKEN_FOR_US = 60 * SECOND_US
_MOST_OF_ONE = 5
_MOST_FORGOTTEN = 5_000

_calls = webhook_calls.c
_first_us = (
    select(func.min(_calls.due_us)).where(_calls.webhook_id == webhooks.c.id, _calls.due_us.is_not(None))
).scalar_subquery()
_WITH_WORK = select(webhooks.c.id, webhooks.c.failures, _first_us.label("first_us")).where(
    webhooks.c.disabled.is_(None),
    or_(webhooks.c.rests_until_us.is_(None), webhooks.c.rests_until_us <= bindparam("now_us")),
    _first_us <= bindparam("now_us"),
)

_before = webhook_calls.alias()
_nothing_before = ~(
    select(_before.c.id)
    .where(
        _before.c.webhook_id == _calls.webhook_id,
        _before.c.subject == _calls.subject,
        _before.c.event_id < _calls.event_id,
        _before.c.due_us.is_not(None),
    )
    .exists()
)
_TAKE = (
    update(webhook_calls)
    .where(
        _calls.id.in_(
            select(_calls.id)
            .where(_calls.webhook_id == bindparam("its_id"), _calls.due_us <= bindparam("now_us"), _nothing_before)
            .order_by(_calls.due_us, _calls.event_id)
            .limit(bindparam("most", type_=Integer))
            .with_for_update(of=webhook_calls, skip_locked=True)
        )
    )
    .values(due_us=bindparam("until_us"))
    .returning(_calls.id)
)
_TAKEN = (
    select(
        _calls.id,
        _calls.event_id,
        _calls.subject,
        _calls.failures,
        webhook_events.c.uid,
        webhook_events.c.type,
        webhook_events.c.at_us,
        webhook_events.c.data,
        webhooks.c.id.label("webhook_id"),
        webhooks.c.program_id,
        webhooks.c.url,
        webhooks.c.secret,
        webhooks.c.old_secret,
        webhooks.c.old_until_us,
    )
    .join(webhook_events, webhook_events.c.id == _calls.event_id)
    .join(webhooks, webhooks.c.id == _calls.webhook_id)
    .order_by(_calls.event_id)
)


class SqlWebhookOutbox(WebhookOutbox):
    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    @carried_through
    async def take(self, *, now_us: int, under_way: Mapping[UUID, int], most: int) -> Sequence[Call]:
        async with self._database.reading() as connection:
            # Asked for all the time, and mostly in vain: no transaction is begun for that.
            found = (await connection.execute(_WITH_WORK, {"now_us": now_us})).all()
        # Those that keep others waiting least go first.
        found = sorted(found, key=lambda row: (under_way.get(row.id, 0), row.first_us))
        wanted = {row.id: (1 if row.failures else _MOST_OF_ONE) - under_way.get(row.id, 0) for row in found}
        if most <= 0 or not any(count > 0 for count in wanted.values()):
            return []
        taken: list[int] = []
        async with self._database.writing() as connection:
            for webhook_id, count in wanted.items():
                room = min(count, most - len(taken))
                if room > 0:
                    those = {"its_id": webhook_id, "now_us": now_us, "until_us": now_us + _TAKEN_FOR_US, "most": room}
                    taken += (await connection.execute(_TAKE, those)).scalars()
            if not taken:
                return []
            rows = (await connection.execute(_TAKEN.where(_calls.id.in_(taken)))).all()
        return [self._as_call(row, now_us) for row in rows]

    @carried_through
    async def accepted(self, call: Call, answer: Answer, *, now_us: int) -> None:
        async with self._database.writing() as connection:
            await _log(connection, call, answer, now_us)
            its = update(webhook_calls).where(_calls.id == call.id)
            await connection.execute(its.values(due_us=None, accepted=True))
            await _set_others_due(connection, call, now_us)
            well = update(webhooks).where(webhooks.c.id == call.webhook_id, webhooks.c.failures > 0)
            await connection.execute(well.values(failures=0, failing_since_us=None, rests_until_us=None))

    @carried_through
    async def failed(self, call: Call, answer: Answer, *, now_us: int, again_us: int | None) -> Health | None:
        async with self._database.writing() as connection:
            await _log(connection, call, answer, now_us)
            # Unless another process has made it, too, and it was accepted there.
            its = update(webhook_calls).where(_calls.id == call.id, _calls.due_us.is_not(None))
            await connection.execute(its.values(due_us=again_us, failures=_calls.failures + 1))
            await _set_others_due(connection, call, now_us if again_us is None else again_us)
            ill = (
                update(webhooks)
                .where(webhooks.c.id == call.webhook_id)
                .values(
                    failures=webhooks.c.failures + 1,
                    failing_since_us=func.coalesce(webhooks.c.failing_since_us, now_us),
                )
                .returning(webhooks.c.failing_since_us, webhooks.c.failures)
            )
            row = (await connection.execute(ill)).first()
        return None if row is None else Health(row.failing_since_us, row.failures)

    @carried_through
    async def rest(self, webhook_id: UUID, *, until_us: int) -> None:
        # Unless it has accepted something meanwhile.
        ill = update(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.failures > 0)
        async with self._database.writing() as connection:
            await connection.execute(ill.values(rests_until_us=until_us))

    @carried_through
    async def forget(self, *, before_us: int) -> int:
        old = select(webhook_events.c.id).where(webhook_events.c.at_us < before_us).limit(_MOST_FORGOTTEN)
        async with self._database.writing() as connection:
            ids = (await connection.execute(old.with_for_update(skip_locked=True))).scalars().all()
            if ids:
                await connection.execute(delete(webhook_attempts).where(webhook_attempts.c.event_id.in_(ids)))
                await connection.execute(delete(webhook_calls).where(_calls.event_id.in_(ids)))
                await connection.execute(delete(webhook_events).where(webhook_events.c.id.in_(ids)))
        return len(ids)

    def _as_call(self, row: AnyRow, now_us: int) -> Call:
        sealed = [row.secret]
        if row.old_secret is not None and now_us < row.old_until_us:
            sealed.append(row.old_secret)
        return Call(
            id=row.id,
            webhook_id=row.webhook_id,
            program_id=row.program_id,
            url=row.url,
            event_id=row.uid,
            sequence=row.event_id,
            subject=row.subject,
            type=EventType(row.type),
            at_us=row.at_us,
            data=json.loads(row.data),
            failures=row.failures,
            secrets=self._opened(sealed),
        )

    def _opened(self, sealed: Sequence[bytes]) -> Sequence[WebhookSecret]:
        """None where no key of the hub's opens them: the endpoint fails then, which is seen."""
        try:
            return [opened(self._vault, each) for each in sealed]
        except CredentialsUnreadable:
            return []


def opened(vault: Vault, sealed: bytes) -> WebhookSecret:
    return WebhookSecret.parse(vault.open(bytes(sealed)).values["secret"])


async def _log(connection: AsyncConnection, call: Call, answer: Answer, now_us: int) -> None:
    await connection.execute(
        insert(webhook_attempts).values(
            webhook_id=call.webhook_id,
            event_id=call.sequence,
            at_us=now_us,
            accepted=answer.accepted,
            status=answer.status,
            error=answer.error,
            took_ms=answer.took_us // 1_000,
        )
    )


async def _set_others_due(connection: AsyncConnection, call: Call, at_us: int) -> None:
    """Those of the same subject that come after it."""
    others = update(webhook_calls).where(
        _calls.webhook_id == call.webhook_id,
        _calls.subject == call.subject,
        _calls.event_id > call.sequence,
        _calls.due_us.is_not(None),
    )
    await connection.execute(others.values(due_us=at_us))

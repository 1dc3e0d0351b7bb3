from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from adapters.sql.database import Database, carried_through
from adapters.sql.outbox import tell
from adapters.sql.rows import AnyRow
from adapters.sql.tables import not_deleted, programs, webhook_attempts, webhook_calls, webhook_events, webhooks
from adapters.sql.webhook_outbox import opened
from domain.errors import EventNotFound, ProgramNotFound, TooManyWebhooks, WebhookNotFound
from domain.model.credentials import Credentials
from domain.model.webhook import MOST_WEBHOOKS, Disabled, Event, EventType, Webhook
from domain.model.webhook_secret import WebhookSecret
from domain.ports.text_log import Page
from domain.ports.vault import Vault
from domain.ports.webhooks import LoggedAttempt, Webhooks

_WELL = {"failures": 0, "failing_since_us": None, "rests_until_us": None}
_SHOWN = (
    webhooks.c.id,
    webhooks.c.program_id,
    webhooks.c.url,
    webhooks.c.description,
    webhooks.c.events,
    webhooks.c.created_us,
    webhooks.c.disabled,
    webhooks.c.failing_since_us,
)


class SqlWebhooks(Webhooks):
    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    @carried_through
    async def add(self, webhook: Webhook, secret: WebhookSecret) -> None:
        sealed = self._sealed(secret)
        its_program = select(programs.c.id).where(programs.c.id == webhook.program_id, not_deleted)
        count = select(func.count()).where(webhooks.c.program_id == webhook.program_id)
        async with self._database.writing() as connection:
            # One after the other, or two that count at once would each add the last one.
            if (await connection.execute(its_program.with_for_update(key_share=True))).first() is None:
                raise ProgramNotFound
            if (await connection.execute(count)).scalar_one() >= MOST_WEBHOOKS:
                raise TooManyWebhooks(limit=MOST_WEBHOOKS)
            await connection.execute(
                insert(webhooks).values(
                    id=webhook.id,
                    program_id=webhook.program_id,
                    created_us=webhook.created_us,
                    secret=sealed,
                    **_changeable(webhook),
                )
            )

    async def all(self, program_id: str | None = None) -> Sequence[Webhook]:
        which = select(*_SHOWN).order_by(webhooks.c.created_us, webhooks.c.id)
        if program_id is not None:
            which = which.where(webhooks.c.program_id == program_id)
        async with self._database.reading() as connection:
            return [_as_webhook(row) for row in await connection.execute(which)]

    async def find(self, program_id: str, webhook_id: UUID) -> Webhook:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(*_SHOWN).where(*_own(program_id, webhook_id)))).first()
        if row is None:
            raise WebhookNotFound
        return _as_webhook(row)

    @carried_through
    async def change(self, webhook: Webhook) -> None:
        own = _own(webhook.program_id, webhook.id)
        async with self._database.writing() as connection:
            if webhook.disabled is None:
                await connection.execute(update(webhooks).where(*own, webhooks.c.disabled.is_not(None)).values(_WELL))
            await connection.execute(update(webhooks).where(*own).values(_changeable(webhook)))

    @carried_through
    async def remove(self, program_id: str, webhook_id: UUID) -> None:
        async with self._database.writing() as connection:
            if not (await connection.execute(delete(webhooks).where(*_own(program_id, webhook_id)))).rowcount:
                raise WebhookNotFound
            for table in (webhook_calls, webhook_attempts):
                await connection.execute(delete(table).where(table.c.webhook_id == webhook_id))

    @carried_through
    async def rotate(self, program_id: str, webhook_id: UUID, secret: WebhookSecret, *, old_until_us: int) -> None:
        rotated = {"secret": self._sealed(secret), "old_secret": webhooks.c.secret, "old_until_us": old_until_us}
        async with self._database.writing() as connection:
            done = await connection.execute(update(webhooks).where(*_own(program_id, webhook_id)).values(rotated))
            if not done.rowcount:
                raise WebhookNotFound

    async def attempts(
        self, program_id: str, webhook_id: UUID, *, before: int | None, limit: int
    ) -> Page[LoggedAttempt, int]:
        await self.find(program_id, webhook_id)
        log = (
            select(webhook_attempts, webhook_events.c.uid, webhook_events.c.type)
            .join(webhook_events, webhook_events.c.id == webhook_attempts.c.event_id)
            .where(webhook_attempts.c.webhook_id == webhook_id)
            .order_by(webhook_attempts.c.id.desc())
            .limit(limit + 1)
        )
        if before is not None:
            log = log.where(webhook_attempts.c.id < before)
        async with self._database.reading() as connection:
            rows = (await connection.execute(log)).all()
        return Page([_as_attempt(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)

    @carried_through
    async def replay(self, program_id: str, webhook_id: UUID, event_id: UUID, *, now_us: int) -> None:
        its_event = select(webhook_events.c.id).where(webhook_events.c.uid == event_id).scalar_subquery()
        if not await self._make_anew(program_id, webhook_id, webhook_calls.c.event_id == its_event, now_us=now_us):
            raise EventNotFound

    @carried_through
    async def replay_failed(self, program_id: str, webhook_id: UUID, *, since_us: int, now_us: int) -> int:
        later = select(webhook_events.c.id).where(webhook_events.c.at_us >= since_us)
        failed = webhook_calls.c.accepted.is_(False), webhook_calls.c.failures > 0
        return await self._make_anew(
            program_id, webhook_id, *failed, webhook_calls.c.event_id.in_(later), now_us=now_us
        )

    @carried_through
    async def test(self, program_id: str, webhook_id: UUID, *, now_us: int) -> UUID:
        await self.find(program_id, webhook_id)
        event = Event(
            type=EventType.TEST,
            at_us=now_us,
            subject=f"webhook {webhook_id}",
            key=f"test {now_us}",
            data={"WebhookId": str(webhook_id)},
        )
        async with self._database.writing() as connection:
            (event_id,) = await tell(self._database, connection, [(program_id, event)], webhook_id=webhook_id)
        return event_id

    @carried_through
    async def enable(self, webhook_id: UUID) -> None:
        async with self._database.writing() as connection:
            enabled = update(webhooks).where(webhooks.c.id == webhook_id).values(disabled=None, **_WELL)
            if not (await connection.execute(enabled)).rowcount:
                raise WebhookNotFound

    @carried_through
    async def disable(self, webhook_id: UUID, why: Disabled) -> bool:
        disabled = update(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.disabled.is_(None))
        async with self._database.writing() as connection:
            return bool((await connection.execute(disabled.values(disabled=why.value))).rowcount)

    @carried_through
    async def seal_anew(self) -> int:
        every = select(webhooks.c.id, webhooks.c.secret, webhooks.c.old_secret).order_by(webhooks.c.id)
        async with self._database.writing() as connection:
            rows = (await connection.execute(every.with_for_update(key_share=True))).all()
            for row in rows:
                anew = {
                    name: self._sealed(opened(self._vault, sealed))
                    for name, sealed in (("secret", row.secret), ("old_secret", row.old_secret))
                    if sealed is not None
                }
                await connection.execute(update(webhooks).where(webhooks.c.id == row.id).values(anew))
        return len(rows)

    async def _make_anew(self, program_id: str, webhook_id: UUID, *which: ColumnElement[bool], now_us: int) -> int:
        anew = {"due_us": now_us, "failures": 0, "accepted": False}
        async with self._database.writing() as connection:
            its = update(webhook_calls).where(webhook_calls.c.webhook_id == webhook_id, *which)
            count = (await connection.execute(its.values(anew))).rowcount
            # They are tried at once, however others failed before.
            awake = update(webhooks).where(*_own(program_id, webhook_id)).values(rests_until_us=None)
            if not (await connection.execute(awake)).rowcount:
                raise WebhookNotFound
        return count

    def _sealed(self, secret: WebhookSecret) -> bytes:
        return self._vault.seal(Credentials({"secret": secret.written()}))


def _own(program_id: str, webhook_id: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return webhooks.c.id == webhook_id, webhooks.c.program_id == program_id


def _changeable(webhook: Webhook) -> dict[str, Any]:
    return {
        "url": webhook.url,
        "description": webhook.description,
        "events": ",".join(each.value for each in webhook.events),
        "disabled": None if webhook.disabled is None else webhook.disabled.value,
    }


def _as_webhook(row: AnyRow) -> Webhook:
    return Webhook(
        id=row.id,
        program_id=row.program_id,
        url=row.url,
        description=row.description,
        events=[EventType(each) for each in row.events.split(",")],
        created_us=row.created_us,
        disabled=None if row.disabled is None else Disabled(row.disabled),
        failing_since_us=row.failing_since_us,
    )


def _as_attempt(row: AnyRow) -> LoggedAttempt:
    return LoggedAttempt(
        id=row.id,
        event_id=row.uid,
        type=EventType(row.type),
        at_us=row.at_us,
        accepted=row.accepted,
        status=row.status,
        error=row.error,
        took_ms=row.took_ms,
    )

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.errors import ReplayUnclear
from domain.model.access import Grant
from domain.model.message_id import new_message_id
from domain.model.pace import SECOND_US
from domain.model.webhook import WANTED, Disabled, EventType, Webhook
from domain.model.webhook_secret import WebhookSecret
from domain.ports.clock import Clock
from domain.ports.text_log import Page
from domain.ports.webhook_transport import WebhookTransport
from domain.ports.webhooks import LoggedAttempt, Webhooks

_OLD_SECRET_HOLDS_US = 24 * 3_600 * SECOND_US


@dataclass(frozen=True, kw_only=True)
class KeepWebhooks:
    """A program's endpoints. Another program's are not found: `WebhookNotFound`."""

    webhooks: Webhooks
    transport: WebhookTransport
    clock: Clock

    async def create(
        self, grant: Grant, url: str, *, description: str | None = None, events: Sequence[EventType] | None = None
    ) -> tuple[Webhook, WebhookSecret]:
        """With the secret, which is told now and never again. Raises `UrlRefused`, `TooManyWebhooks`, and
        `InvalidValue` where the hub has no key to keep secrets with.
        """
        await self.transport.check(url)
        now_us = self.clock.now_us()
        webhook = Webhook(
            id=new_message_id(now_us),
            program_id=grant.program_id,
            url=url,
            description=description,
            events=_in_order(WANTED if events is None else events),
            created_us=now_us,
        )
        secret = WebhookSecret.new()
        await self.webhooks.add(webhook, secret)
        return webhook, secret

    async def all(self, grant: Grant) -> Sequence[Webhook]:
        return await self.webhooks.all(grant.program_id)

    async def find(self, grant: Grant, webhook_id: UUID) -> Webhook:
        return await self.webhooks.find(grant.program_id, webhook_id)

    async def change(
        self,
        grant: Grant,
        webhook_id: UUID,
        *,
        url: str | None = None,
        description: str | None = None,
        events: Sequence[EventType] | None = None,
        enabled: bool | None = None,
    ) -> Webhook:
        """What is None stays as it is. Raises `UrlRefused`."""
        webhook = await self.webhooks.find(grant.program_id, webhook_id)
        if url is not None:
            await self.transport.check(url)
            webhook = replace(webhook, url=url)
        if description is not None:
            webhook = replace(webhook, description=description or None)
        if events is not None:
            webhook = replace(webhook, events=_in_order(events))
        if enabled:
            webhook = replace(webhook, disabled=None)
        elif enabled is False:
            webhook = replace(webhook, disabled=webhook.disabled or Disabled.PROGRAM)
        await self.webhooks.change(webhook)
        return await self.webhooks.find(grant.program_id, webhook_id)

    async def remove(self, grant: Grant, webhook_id: UUID) -> Webhook:
        """As it was."""
        webhook = await self.webhooks.find(grant.program_id, webhook_id)
        await self.webhooks.remove(grant.program_id, webhook_id)
        return webhook

    async def rotate(self, grant: Grant, webhook_id: UUID) -> tuple[Webhook, WebhookSecret]:
        """The old secret holds for a day more."""
        webhook = await self.webhooks.find(grant.program_id, webhook_id)
        secret = WebhookSecret.new()
        old_until_us = self.clock.now_us() + _OLD_SECRET_HOLDS_US
        await self.webhooks.rotate(grant.program_id, webhook_id, secret, old_until_us=old_until_us)
        return webhook, secret

    async def attempts(
        self, grant: Grant, webhook_id: UUID, *, before: int | None, limit: int
    ) -> Page[LoggedAttempt, int]:
        """Calls of the webhook, newest first; `before` is the end of the page before."""
        return await self.webhooks.attempts(grant.program_id, webhook_id, before=before, limit=limit)

    async def replay(
        self, grant: Grant, webhook_id: UUID, *, event_id: UUID | None = None, since_us: int | None = None
    ) -> int:
        """One event, or all from a time on that were not accepted; says how many. Raises `EventNotFound`, and
        `ReplayUnclear` where not exactly one of the two is given.
        """
        await self.webhooks.find(grant.program_id, webhook_id)
        now_us = self.clock.now_us()
        match event_id, since_us:
            case UUID(), None:
                await self.webhooks.replay(grant.program_id, webhook_id, event_id, now_us=now_us)
                return 1
            case None, int():
                return await self.webhooks.replay_failed(grant.program_id, webhook_id, since_us=since_us, now_us=now_us)
            case _:
                raise ReplayUnclear

    async def test(self, grant: Grant, webhook_id: UUID) -> UUID:
        """The id of the event."""
        return await self.webhooks.test(grant.program_id, webhook_id, now_us=self.clock.now_us())


def _in_order(events: Sequence[EventType]) -> Sequence[EventType]:
    return [each for each in WANTED if each in events]

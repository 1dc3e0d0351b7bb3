"""Whom the hub tells of a program's texts, and how that goes."""

from dataclasses import dataclass
from uuid import UUID

from starlette.responses import Response

from domain.errors import EventNotFound
from domain.model.pace import SECOND_US
from entrypoints.http import cursors
from entrypoints.http.console.frame import Visit
from entrypoints.http.console.use_cases import UseCases
from entrypoints.http.console.words import DISABLED, NO_ANSWER

_AT_ONCE = 50
_DAY_US = 24 * 3_600 * SECOND_US


@dataclass(frozen=True)
class WebhookPages:
    hub: UseCases

    async def all(self, visit: Visit) -> Response:
        return visit.show("webhooks.html", webhooks=await self.hub.keep_webhooks.all(visit.grant), disabled=DISABLED)

    async def one(self, visit: Visit) -> Response:
        return await self._page(visit)

    async def replay(self, visit: Visit) -> Response:
        """One event, or all of the last day that were not accepted."""
        webhook_id, event = visit.id_in_path(), visit.fields.get("Event")
        if event is None:
            since_us = self.hub.clock.now_us() - _DAY_US
            count = await self.hub.keep_webhooks.replay(visit.grant, webhook_id, since_us=since_us)
        else:
            try:
                count = await self.hub.keep_webhooks.replay(visit.grant, webhook_id, event_id=UUID(event))
            except ValueError:
                raise EventNotFound from None
        return await self._page(visit, done=f"{count:,} {'call is' if count == 1 else 'calls are'} made again.")

    async def _page(self, visit: Visit, *, done: str | None = None) -> Response:
        webhook_id, cursor = visit.id_in_path(), visit.asked("cursor")
        webhook = await self.hub.keep_webhooks.find(visit.grant, webhook_id)
        page = await self.hub.keep_webhooks.attempts(
            visit.grant, webhook_id, before=cursors.id_of(cursor), limit=_AT_ONCE
        )
        return visit.show(
            "webhook.html",
            webhook=webhook,
            attempts=page.items,
            older=cursors.after_id(page.end) if page.end else None,
            done=done,
            no_answer=NO_ANSWER,
        )

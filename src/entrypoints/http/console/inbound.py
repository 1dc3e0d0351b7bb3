"""What people text back."""

from dataclasses import dataclass

from starlette.responses import Response

from entrypoints.http import cursors
from entrypoints.http.console.frame import Visit
from entrypoints.http.console.use_cases import UseCases

_AT_ONCE = 25


@dataclass(frozen=True)
class InboundPage:
    hub: UseCases

    async def all(self, visit: Visit) -> Response:
        number, cursor = visit.asked("number"), visit.asked("cursor")
        page = await self.hub.list_inbound_messages(
            visit.grant, number=number, before=cursors.id_of(cursor), limit=_AT_ONCE
        )
        return visit.show(
            "inbound.html",
            messages=page.items,
            number=number or "",
            older=cursors.after_id(page.end) if page.end else None,
            is_first=cursor is None,
        )

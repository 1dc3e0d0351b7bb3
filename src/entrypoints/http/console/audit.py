"""Operators' page about what operators have changed."""

from dataclasses import dataclass

from starlette.responses import Response

from entrypoints.http import cursors
from entrypoints.http.console.frame import Visit
from entrypoints.http.console.use_cases import UseCases

_AT_ONCE = 50


@dataclass(frozen=True)
class AuditPage:
    hub: UseCases

    async def all(self, visit: Visit) -> Response:
        program_id, cursor = visit.asked("program"), visit.asked("cursor")
        page = await self.hub.list_audit_events(program_id=program_id, before=cursors.id_of(cursor), limit=_AT_ONCE)
        return visit.show(
            "audit.html",
            events=page.items,
            program_id=program_id or "",
            older=cursors.after_id(page.end) if page.end else None,
            is_first=cursor is None,
        )

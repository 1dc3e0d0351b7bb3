from dataclasses import dataclass

from domain.model.audit import AuditEvent
from domain.ports.audit_log import AuditLog
from domain.ports.text_log import Page


@dataclass(frozen=True, kw_only=True)
class ListAuditEvents:
    audit_log: AuditLog

    async def __call__(self, *, program_id: str | None = None, before: int | None, limit: int) -> Page[AuditEvent, int]:
        """What operators have changed, newest first; of one program where one is named. `before` is the end of the page
        before.
        """
        return await self.audit_log.page(program_id=program_id, before=before, limit=limit)

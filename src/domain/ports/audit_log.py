from typing import Protocol

from domain.model.audit import AuditEvent
from domain.ports.text_log import Page


class AuditLog(Protocol):
    """The record of what operators have changed, which only grows. Each change stands in it with the change itself."""

    async def page(self, *, program_id: str | None = None, before: int | None, limit: int) -> Page[AuditEvent, int]:
        """Newest first; those of one program where one is given. `before` is the end of the page before."""
        ...

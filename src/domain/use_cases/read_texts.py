from dataclasses import dataclass
from uuid import UUID

from domain.errors import MessageNotFound
from domain.model.access import Grant
from domain.model.delivery import Delivery
from domain.model.text_message import TextSummary
from domain.ports.text_log import Page, TextLog


@dataclass(frozen=True, kw_only=True)
class FindText:
    texts: TextLog

    async def __call__(self, grant: Grant, message_id: UUID) -> TextSummary:
        """Raises `MessageNotFound`, for another program's messages too."""
        summary = await self.texts.find(grant.program_id, message_id)
        if summary is None:
            raise MessageNotFound
        return summary


@dataclass(frozen=True, kw_only=True)
class ListTexts:
    texts: TextLog

    async def __call__(self, grant: Grant, *, before: UUID | None, limit: int) -> Page[TextSummary]:
        """The program's messages, newest first. `before` is the last id of the page before."""
        return await self.texts.page(grant.program_id, before=before, limit=limit)


@dataclass(frozen=True, kw_only=True)
class ListDeliveries:
    texts: TextLog

    async def __call__(self, grant: Grant, message_id: UUID, *, after: int, limit: int) -> Page[Delivery]:
        """A message's deliveries in the order of the request. `after` is the last position of the page before.

        Raises `MessageNotFound`, for another program's messages too.
        """
        page = await self.texts.deliveries(grant.program_id, message_id, after=after, limit=limit)
        if page is None:
            raise MessageNotFound
        return page

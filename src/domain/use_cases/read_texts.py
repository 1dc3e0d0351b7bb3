from dataclasses import dataclass
from uuid import UUID

from domain.errors import MessageNotFound
from domain.model.access import Grant
from domain.model.delivery import DeliveryState
from domain.model.phone_number import PhoneNumber
from domain.model.text_message import TextSummary
from domain.ports.programs import Programs, own_program
from domain.ports.text_log import LoggedDelivery, Page, TextFilter, TextLog


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
    programs: Programs
    default_region: str

    async def __call__(
        self,
        grant: Grant,
        *,
        state: DeliveryState | None = None,
        number: str | None = None,
        from_us: int | None = None,
        before_us: int | None = None,
        before: UUID | None,
        limit: int,
    ) -> Page[TextSummary, UUID]:
        """The program's messages, newest first, as `TextLog.page` gives them.

        `number` is in any common writing. Raises `NumberRefused`.
        """
        wanted = TextFilter(
            state=state,
            number=None if number is None else await self._read(grant, number),
            from_us=from_us,
            before_us=before_us,
        )
        return await self.texts.page(grant.program_id, wanted=wanted, before=before, limit=limit)

    async def _read(self, grant: Grant, number: str) -> PhoneNumber:
        program = await own_program(self.programs, grant, None)
        return program.read_number(number, default_region=self.default_region)


@dataclass(frozen=True, kw_only=True)
class ListDeliveries:
    texts: TextLog

    async def __call__(
        self, grant: Grant, message_id: UUID, *, state: DeliveryState | None = None, after: int, limit: int
    ) -> Page[LoggedDelivery, int]:
        """A message's deliveries in the order of the request. `after` is the end of the page before.

        Raises `MessageNotFound`, for another program's messages too.
        """
        page = await self.texts.deliveries(grant.program_id, message_id, state=state, after=after, limit=limit)
        if page is None:
            raise MessageNotFound
        return page

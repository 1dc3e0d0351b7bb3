from collections.abc import AsyncIterator
from dataclasses import dataclass

from domain.errors import ProgramNotFound
from domain.model.delivery import DeliveryState
from domain.model.text_message import TextSummary
from domain.ports.programs import Programs
from domain.ports.text_log import LoggedText, TextFilter, TextLog

_MESSAGES_AT_ONCE = 100
_DELIVERIES_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class ExportTexts:
    texts: TextLog
    programs: Programs
    default_region: str

    async def __call__(
        self,
        program_id: str,
        *,
        state: DeliveryState | None = None,
        number: str | None = None,
        from_us: int | None = None,
        before_us: int | None = None,
    ) -> AsyncIterator[LoggedText]:
        """The program's messages as `ListTexts` gives them, newest first and read page by page, each with all of its
        deliveries. Raises `ProgramNotFound` and `NumberRefused`.
        """
        program = await self.programs.find(program_id)
        if program is None:
            raise ProgramNotFound
        wanted = TextFilter(
            state=state,
            number=None if number is None else program.read_number(number, default_region=self.default_region),
            from_us=from_us,
            before_us=before_us,
        )
        before = None
        while True:
            page = await self.texts.page(program.id, wanted=wanted, before=before, limit=_MESSAGES_AT_ONCE)
            for text in page.items:
                async for each in self._deliveries(program.id, text):
                    yield each
            if page.end is None:
                return
            before = page.end

    async def _deliveries(self, program_id: str, text: TextSummary) -> AsyncIterator[LoggedText]:
        """None where the message was deleted meanwhile."""
        after = 0
        while True:
            page = await self.texts.deliveries(program_id, text.message.id, after=after, limit=_DELIVERIES_AT_ONCE)
            for each in () if page is None else page.items:
                yield LoggedText(text, each)
            if page is None or page.end is None:
                return
            after = page.end

from contextlib import suppress
from dataclasses import dataclass

from domain.errors import NumberRefused
from domain.model.access import Grant
from domain.model.inbound_message import InboundMessage
from domain.ports.inbound_messages import InboundMessages
from domain.ports.programs import Programs, own_program
from domain.ports.text_log import Page


@dataclass(frozen=True, kw_only=True)
class ListInboundMessages:
    messages: InboundMessages
    programs: Programs
    default_region: str

    async def __call__(
        self, grant: Grant, *, number: str | None = None, before: int | None, limit: int
    ) -> Page[InboundMessage, int]:
        """What people texted the program, newest first. `number` is in any common writing, or a short code.

        `before` is the end of the page before.
        """
        if number is not None:
            program = await own_program(self.programs, grant, None)
            with suppress(NumberRefused):
                number = program.read_number(number, default_region=self.default_region).e164
        return await self.messages.page(grant.program_id, number=number, before=before, limit=limit)

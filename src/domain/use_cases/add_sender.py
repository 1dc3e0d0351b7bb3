from collections.abc import Collection
from dataclasses import dataclass

from domain.errors import UnknownProvider
from domain.model.pace import Pace
from domain.model.program import Program
from domain.model.sender import SenderAddress
from domain.ports.programs import Programs


@dataclass(frozen=True, kw_only=True)
class AddSender:
    """Lets a program name a further sender in its requests."""

    programs: Programs
    providers: Collection[str]

    async def __call__(
        self, program_id: str, *, provider: str, sender: SenderAddress, pace: Pace | None = None
    ) -> Program:
        """The program with its senders. Adding one that it has already changes nothing.

        A sender that the hub has already is shared, with its pace. Raises `ProgramNotFound`, `PaceDiffers` or
        `UnknownProvider`.
        """
        if provider not in self.providers:
            raise UnknownProvider(name=provider, known=sorted(self.providers))
        return await self.programs.add_sender(program_id, provider=provider, sender=sender, pace=pace)

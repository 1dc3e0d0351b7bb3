from dataclasses import dataclass

from domain.model.program import Program
from domain.ports.programs import Programs
from domain.ports.senders import Senders
from domain.use_cases.operate_senders import SenderName, named_sender


@dataclass(frozen=True, kw_only=True)
class RemoveSender:
    """Lets a program send from a sender no longer. What it has posted for it goes out still."""

    programs: Programs
    senders: Senders

    async def __call__(self, program_id: str, which: SenderName | int) -> Program:
        """The program with the senders that are left. The sender itself stays.

        Raises `ProgramNotFound`, `SenderAmbiguous`, `SenderNotFound` where the program does not have it, and
        `OwnSender` for its first.
        """
        sender = await named_sender(self.senders, which)
        return await self.programs.remove_sender(program_id, sender.id)

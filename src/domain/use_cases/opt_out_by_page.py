from dataclasses import dataclass

from domain.errors import ProgramNotFound
from domain.model.consent import Consent, ConsentEvent, Method
from domain.model.program import Program
from domain.ports.clock import Clock
from domain.ports.login_guard import LoginGuard
from domain.ports.opt_outs import OptOuts
from domain.ports.programs import Programs


@dataclass(frozen=True, kw_only=True)
class OptOutByPage:
    """Opts a number out from a program's texts for whoever has opened its public page, and says nothing about it: not
    whether the program has ever texted it, nor whether it had opted out before.
    """

    programs: Programs
    opt_outs: OptOuts
    clock: Clock
    guard: LoginGuard
    default_region: str

    async def program(self, program_id: str) -> Program:
        """Whose page it is. Raises `ProgramNotFound`."""
        program = await self.programs.find(program_id)
        if program is None:
            raise ProgramNotFound
        return program

    async def __call__(self, program_id: str, number: str, *, wording: str, address: str) -> None:
        """`wording` is what the page says; `address` the visitor's, which may do so only now and then.

        Raises `ProgramNotFound`, `TooManyLogins` or `NumberRefused`.
        """
        program = await self.program(program_id)
        await self.guard.admit(program.id, address)
        event = ConsentEvent(
            number=program.read_number(number, default_region=self.default_region),
            program_id=program.id,
            consent=Consent.WITHDRAWN,
            method=Method.PAGE,
            at_us=self.clock.now_us(),
            wording=wording,
            actor="visitor",
        )
        await self.opt_outs.record([event])

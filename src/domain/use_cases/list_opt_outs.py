from dataclasses import dataclass

from domain.model.access import Grant
from domain.model.consent import ConsentEvent, OptOut
from domain.ports.opt_outs import OptOuts
from domain.ports.programs import Programs, own_program
from domain.ports.text_log import Page


@dataclass(frozen=True, kw_only=True)
class ListOptOuts:
    opt_outs: OptOuts
    programs: Programs
    default_region: str

    async def __call__(
        self, grant: Grant, *, number: str | None = None, after: str | None, limit: int
    ) -> Page[OptOut, str]:
        """Who is not to be texted by the program, by number. `number` is in any common writing; `after` is the end of
        the page before. Raises `NumberRefused`.
        """
        wanted = None
        if number is not None:
            program = await own_program(self.programs, grant, None)
            wanted = program.read_number(number, default_region=self.default_region)
        return await self.opt_outs.page(grant.program_id, number=wanted, after=after, limit=limit)


@dataclass(frozen=True, kw_only=True)
class ListConsentEvents:
    """What was said about being texted by the program, for whoever asks for proof."""

    opt_outs: OptOuts
    programs: Programs
    default_region: str

    async def __call__(self, grant: Grant, number: str, *, after: int | None, limit: int) -> Page[ConsentEvent, int]:
        """In the order in which it was said. `number` is in any common writing. Raises `NumberRefused`."""
        program = await own_program(self.programs, grant, None)
        wanted = program.read_number(number, default_region=self.default_region)
        return await self.opt_outs.events(wanted, program_id=grant.program_id, after=after, limit=limit)

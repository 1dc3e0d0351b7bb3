from collections.abc import AsyncIterator
from dataclasses import dataclass

from domain.errors import ProgramNotFound
from domain.model.consent import OptOut
from domain.ports.opt_outs import OptOuts
from domain.ports.programs import Programs

_AT_ONCE = 250


@dataclass(frozen=True, kw_only=True)
class ExportOptOuts:
    opt_outs: OptOuts
    programs: Programs

    async def __call__(self, program_id: str) -> AsyncIterator[OptOut]:
        """Who is not to be texted by the program, by number, read page by page. Raises `ProgramNotFound`."""
        program = await self.programs.find(program_id)
        if program is None:
            raise ProgramNotFound
        after = None
        while True:
            page = await self.opt_outs.page(program.id, after=after, limit=_AT_ONCE)
            for each in page.items:
                yield each
            if page.end is None:
                return
            after = page.end

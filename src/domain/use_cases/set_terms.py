from collections.abc import Callable
from dataclasses import dataclass

from domain.errors import ProgramNotFound
from domain.model.program import Program
from domain.model.terms import Terms
from domain.ports.programs import Programs


@dataclass(frozen=True, kw_only=True)
class SetTerms:
    """Says how a program's texts are dealt with from now on."""

    programs: Programs

    async def __call__(self, program_id: str, change: Callable[[Terms], Terms]) -> Program:
        """Raises `ProgramNotFound`, and what the change raises."""
        program = await self.programs.find(program_id)
        if program is None:
            raise ProgramNotFound
        return await self.programs.set_terms(program.id, change(program.terms))

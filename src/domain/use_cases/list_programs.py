from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import ProgramNotFound
from domain.model.program import Program
from domain.ports.programs import Programs


@dataclass(frozen=True, kw_only=True)
class ListPrograms:
    programs: Programs

    async def __call__(self, *, deleted: bool = False) -> Sequence[Program]:
        """By name; or those that are deleted and not gone yet, the last first."""
        return await self.programs.all(deleted=deleted)


@dataclass(frozen=True, kw_only=True)
class ShowProgram:
    programs: Programs

    async def __call__(self, program_id: str) -> Program:
        """By its id in any letter case. Raises `ProgramNotFound`."""
        program = await self.programs.find(program_id)
        if program is None:
            raise ProgramNotFound
        return program

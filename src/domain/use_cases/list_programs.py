from collections.abc import Sequence
from dataclasses import dataclass

from domain.model.program import Program
from domain.ports.programs import Programs


@dataclass(frozen=True, kw_only=True)
class ListPrograms:
    programs: Programs

    async def __call__(self) -> Sequence[Program]:
        """By name."""
        return await self.programs.all()

from collections.abc import Callable
from dataclasses import dataclass, replace

from domain.model.program import Program
from domain.model.terms import Terms
from domain.ports.programs import Programs


def _unchanged(terms: Terms) -> Terms:
    return terms


@dataclass(frozen=True, kw_only=True)
class ChangeProgram:
    """Says what a program is called, and how its texts are dealt with from now on."""

    programs: Programs

    async def __call__(
        self, program_id: str, change: Callable[[Terms], Terms] = _unchanged, *, name: str | None = None
    ) -> Program:
        """A name of None stays as it is. Raises `ProgramNotFound`, `PropertyRefused` for the name, and what the change
        of the terms raises.
        """

        def changed(program: Program) -> Program:
            return replace(program, name=program.name if name is None else name, terms=change(program.terms))

        return await self.programs.change(program_id, changed)

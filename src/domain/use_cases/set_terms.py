from dataclasses import dataclass
from datetime import timedelta

from domain.errors import ProgramNotFound
from domain.model.program import OnUnknown, Program, check_retention
from domain.ports.programs import Programs


@dataclass(frozen=True, kw_only=True)
class SetTerms:
    """Says how a program's texts are dealt with: those of unknown outcome, those that their sender cannot send, and all
    when they are old.
    """

    programs: Programs

    async def __call__(
        self,
        program_id: str,
        *,
        on_unknown: OnUnknown | None = None,
        failover: bool | None = None,
        retention: timedelta | None = None,
    ) -> Program:
        """What is None stays as it is. Raises `ProgramNotFound`, and `InvalidValue` for less than a day."""
        check_retention(retention)
        program = await self.programs.find(program_id)
        if program is None:
            raise ProgramNotFound
        return await self.programs.set_terms(
            program.id,
            on_unknown=on_unknown or program.on_unknown,
            failover=program.failover if failover is None else failover,
            retention=retention or program.retention,
        )

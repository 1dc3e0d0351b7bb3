from dataclasses import dataclass

from domain.errors import OwnProgram
from domain.model.program import same_program_id
from domain.ports.clock import Clock
from domain.ports.deletions import Deletions


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedProgram:
    """`canceled` is how many of its texts' deliveries waited still."""

    id: str
    deleted_us: int
    canceled: int


@dataclass(frozen=True, kw_only=True)
class DeleteProgram:
    """Shuts a program out for good; its record goes when it has been kept for as long as its texts are.

    What is with a provider already is settled as ever. What comes to wait later, such as a text that could not be
    sent, is canceled by the dispatchers, and so is the rest where this is torn off.
    """

    deletions: Deletions
    clock: Clock

    async def __call__(self, program_id: str, *, by: str | None = None) -> DeletedProgram:
        """`by` is the program of whoever does it, None for nobody's. Raises `ProgramNotFound` and `OwnProgram`."""
        if by is not None and same_program_id(program_id, by):
            raise OwnProgram
        deleted_us = self.clock.now_us()
        its_id = await self.deletions.begin(program_id, now_us=deleted_us)
        canceled = 0
        while count := await self.deletions.cancel_waiting(now_us=self.clock.now_us(), program_id=its_id):
            canceled += count
        return DeletedProgram(id=its_id, deleted_us=deleted_us, canceled=canceled)

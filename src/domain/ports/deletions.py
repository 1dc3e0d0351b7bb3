from typing import Protocol


class Deletions(Protocol):
    """Programs that are deleted: nobody finds them any more, and their record goes after a while."""

    async def begin(self, program_id: str, *, now_us: int) -> str:
        """Shuts the program out: its keys are revoked, its webhooks gone, and nothing of it is sent. Gives its id as it
        is written. Raises `ProgramNotFound`, also where it is deleted already.
        """
        ...

    async def cancel_waiting(self, *, now_us: int, program_id: str | None = None) -> int:
        """Cancels what waits to be sent of one that is deleted, or of all. A good many at a time; says how many."""
        ...

    async def finish(self, *, now_us: int, kept_us: int) -> int:
        """Removes the record of those that were deleted as long ago as they keep their texts, or `kept_us` where they
        say nothing, and then themselves: their ids are free again. What is with a provider at the moment is waited
        for. A good many rows at a time; says how many.
        """
        ...

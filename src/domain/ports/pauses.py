from typing import Protocol


class Pauses(Protocol):
    """What is to send nothing for a while. Its queue is kept, and what is accepted meanwhile joins it."""

    async def set_hub(self, *, paused: bool, now_us: int) -> None: ...

    async def set_program(self, program_id: str, *, paused: bool, now_us: int) -> None:
        """Raises `ProgramNotFound`."""
        ...

    async def suspend_program(self, program_id: str, *, suspended: bool, now_us: int) -> None:
        """Nothing of it is sent either while it is suspended. Raises `ProgramNotFound`."""
        ...

    async def set_sender(self, sender_id: int, *, paused: bool, now_us: int) -> None: ...

import asyncio
from contextlib import suppress

from domain.ports.wakeups import Wakeups


class InProcessWakeups(Wakeups):
    """Reaches the dispatcher of the same process; dispatchers of other processes poll."""

    heard_from_all = False

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        self._event.set()

    async def wait(self, *, at_most_s: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), at_most_s)
        woken = self._event.is_set()
        self._event.clear()
        return woken

    async def drained(self) -> None:
        """It tells nobody else."""

    async def listen(self) -> None:
        """There is nobody to hear."""
        await asyncio.Event().wait()

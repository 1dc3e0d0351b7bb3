from typing import Protocol


class Wakeups(Protocol):
    """Tells dispatchers that there is something to send. A hint: a lost one costs a poll's delay, no delivery."""

    @property
    def heard_from_all(self) -> bool:
        """Whether the wake-ups of other processes arrive here now, so that there is little need to look for oneself."""
        ...

    def notify(self) -> None: ...

    async def wait(self, *, at_most_s: float) -> bool:
        """Whether there was a wake-up, perhaps before this was called."""
        ...

    async def drained(self) -> None:
        """Returns when others were told of all that this process has to tell."""
        ...

    async def listen(self) -> None:
        """Hears the wake-ups of other processes until it is cancelled."""
        ...

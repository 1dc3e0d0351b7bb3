from typing import Protocol


class Wakeups(Protocol):
    """Tells dispatchers that there is something to send. A hint: a lost one costs a poll's delay, no delivery."""

    def notify(self) -> None: ...

    async def wait(self, *, at_most_s: float) -> bool:
        """Whether there was a wake-up, perhaps before this was called."""
        ...

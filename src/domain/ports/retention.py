from typing import Protocol


class Retention(Protocol):
    """Forgets what has been kept for long enough."""

    async def forget(self, *, now_us: int, kept_us: int) -> int:
        """Drops messages with their deliveries, once nothing of them is still to come: those that were accepted before
        as long as their program keeps them, or `kept_us` where it says nothing. Their sums stay in the
        usage of their days. A good many at a time; says how many.
        """
        ...

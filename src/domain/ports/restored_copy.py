from typing import Protocol


class RestoredCopy(Protocol):
    """A database that was restored from a backup: all that happened after the backup it does not know."""

    async def last_beat_us(self) -> int | None:
        """When a dispatcher last said that it was alive; None where it knows of none."""
        ...

    async def last_text_us(self) -> int | None:
        """When the newest text was accepted; None where there is none."""
        ...

    async def doubt(self, *, sent_since_us: int, due_before_us: int, ask_after_us: int, now_us: int) -> int:
        """Makes some of what waits or was being sent `unknown`, as `Delivery.doubted` has it; says how many, 0 at last.

        It is looked for at the provider from `sent_since_us` on. What was never tried and is to be sent at
        `due_before_us` or later is beyond doubt.
        """
        ...

    async def forget_dispatchers(self) -> None:
        """None of them sends from this database."""
        ...

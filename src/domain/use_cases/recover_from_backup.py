from dataclasses import dataclass

from domain.errors import HubAtWork
from domain.model.pace import SECOND_US
from domain.model.retry import RetryPolicy
from domain.ports.clock import Clock
from domain.ports.pauses import Pauses
from domain.ports.restored_copy import RestoredCopy

# Dispatchers say each second that they are alive.
_LISTENED_FOR_US = 3 * SECOND_US
# The database may have come to another machine, whose clock is behind.
_CLOCKS_DIFFER_US = 120 * SECOND_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """`doubted` deliveries may have been sent since the backup, which is of `since_us` or a little later."""

    doubted: int
    since_us: int


@dataclass(frozen=True, kw_only=True)
class RecoverFromBackup:
    """Makes sure that a hub whose database was restored from a backup sends nothing twice.

    The hub that made the backup went on: of what waited then, some was sent. All that can have been is `unknown`, so
    that the provider's log, a receipt or the program's own policy settles it. The hub is paused.
    """

    copy: RestoredCopy
    pauses: Pauses
    clock: Clock
    retry: RetryPolicy

    async def __call__(self) -> Recovery:
        """To be called before any process works on the restored database. Raises `HubAtWork` where one does.

        Called twice it doubts what has been settled in between, which costs time and nothing else.
        """
        beat_us = await self.copy.last_beat_us()
        await self.clock.pause(_LISTENED_FOR_US)
        if await self.copy.last_beat_us() != beat_us:
            raise HubAtWork
        now_us = self.clock.now_us()
        await self.pauses.set_hub(paused=True, now_us=now_us)
        # The backup is no older than what is in it.
        since_us = max(beat_us or 0, await self.copy.last_text_us() or 0)
        doubted = 0
        while portion := await self.copy.doubt(
            sent_since_us=since_us,
            due_before_us=now_us + _CLOCKS_DIFFER_US,
            ask_after_us=self.retry.enquiry_delays_us[0],
            now_us=now_us,
        ):
            doubted += portion
        await self.copy.forget_dispatchers()
        return Recovery(doubted=doubted, since_us=since_us)

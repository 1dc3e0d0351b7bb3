import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from domain.errors import StoreUnavailable
from domain.model.access import Grant
from domain.model.delivery import DeliveryState
from domain.model.pace import SECOND_US
from domain.model.text_message import TextSummary
from domain.ports.clock import Clock
from domain.ports.text_log import TextLog

_FIRST_LOOK_US = 50_000
_LONGEST_PAUSE_US = SECOND_US

# Each who waits looks at the store now and then, which has others to serve.
_MOST_WAITING = 200


@dataclass(frozen=True, kw_only=True)
class AwaitOutcome:
    """Follows an accepted text until it has come to its end, for a caller who would rather wait than ask again.

    `stopping` is set when this process is to end: whoever waits is then told how things stand. `room` is for those who
    wait at the same time.
    """

    texts: TextLog
    clock: Clock
    stopping: asyncio.Event
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MOST_WAITING))

    async def __call__(self, grant: Grant, accepted: TextSummary, *, at_most_us: int) -> TextSummary | None:
        """The text as it stands when all its deliveries have come to an end, or after `at_most_us`.

        One that is scheduled for later than that is not waited for. None where too many wait already.
        """
        message, counts = accepted.message, accepted.counts
        in_quiet_hours = bool(counts.get(DeliveryState.SCHEDULED)) and not counts.get(DeliveryState.QUEUED)
        scheduled = message.estimated_us if in_quiet_hours and message.send_at_us is None else message.send_at_us
        if scheduled is not None and scheduled > self.clock.now_us() + at_most_us:
            return accepted
        if self.room.locked():
            return None
        async with self.room:
            return await self._follow(grant, accepted, until_us=self.clock.monotonic_us() + at_most_us)

    async def _follow(self, grant: Grant, accepted: TextSummary, *, until_us: int) -> TextSummary:
        summary, pause_us = accepted, _FIRST_LOOK_US
        while not summary.state.terminal and not self.stopping.is_set():
            left_us = until_us - self.clock.monotonic_us()
            if left_us <= 0:
                break
            await self.clock.pause(min(pause_us, left_us))
            pause_us = min(2 * pause_us, _LONGEST_PAUSE_US)
            # The text is accepted, whatever becomes of the store meanwhile.
            with suppress(StoreUnavailable):
                summary = await self.texts.find(grant.program_id, accepted.message.id) or summary
        return summary

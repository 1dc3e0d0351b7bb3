import asyncio
from contextlib import suppress
from dataclasses import dataclass

from domain.errors import StoreUnavailable
from domain.model.access import Grant
from domain.model.delivery import DeliveryState
from domain.model.pace import SECOND_US
from domain.model.text_message import TextSummary
from domain.ports.clock import Clock
from domain.ports.text_log import TextLog

_FIRST_LOOK_US = 50_000
_LONGEST_PAUSE_US = SECOND_US


@dataclass(frozen=True, kw_only=True)
class AwaitOutcome:
    """Follows an accepted text until it has come to its end, for a caller who would rather wait than ask again.

    `stopping` is set when this process is to end: whoever waits is then told how things stand.
    """

    texts: TextLog
    clock: Clock
    stopping: asyncio.Event

    async def __call__(self, grant: Grant, accepted: TextSummary, *, at_most_us: int) -> TextSummary:
        """The text as it stands when all its deliveries have come to an end, or after `at_most_us`.

        One that is scheduled for later than that is not waited for.
        """
        until_us = self.clock.monotonic_us() + at_most_us
        now_us = self.clock.now_us()
        summary, pause_us = accepted, _FIRST_LOOK_US
        scheduled = accepted.message.send_at_us
        if scheduled is not None and scheduled > now_us + at_most_us and accepted.state is DeliveryState.SCHEDULED:
            return accepted
        while not summary.state.terminal and not self.stopping.is_set():
            left_us = until_us - self.clock.monotonic_us()
            if left_us <= 0:
                break
            await self.clock.sleep_until(self.clock.now_us() + min(pause_us, left_us))
            pause_us = min(2 * pause_us, _LONGEST_PAUSE_US)
            # The text is accepted, whatever becomes of the store meanwhile.
            with suppress(StoreUnavailable):
                summary = await self.texts.find(grant.program_id, accepted.message.id) or summary
        return summary

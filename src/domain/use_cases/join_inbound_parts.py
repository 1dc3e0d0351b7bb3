from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.model.callback import Callback
from domain.model.pace import SECOND_US
from domain.ports.callback_observer import CallbackObserver
from domain.ports.callback_reader import CallbackReader
from domain.ports.callbacks import Callbacks
from domain.ports.clock import Clock


@dataclass(frozen=True, kw_only=True)
class JoinInboundParts:
    """Puts together what people texted and a provider handed over in parts.

    For parts that do not come it waits `patience_us`, and then takes what is there: half a text is more than none.
    """

    callbacks: Callbacks
    readers: Mapping[str, CallbackReader]
    clock: Clock
    observer: CallbackObserver
    patience_us: int = 300 * SECOND_US
    at_once: int = 100

    async def __call__(self) -> int:
        """Says how many texts were put together."""
        since_us = self.clock.now_us() - self.patience_us
        joined = await self.callbacks.join(self._whole, since_us=since_us, limit=self.at_once)
        for each in joined:
            self.observer.joined(each)
        return len(joined)

    def _whole(self, parts: Sequence[Callback]) -> Mapping[str, object]:
        return self.readers[parts[0].source].whole(parts)

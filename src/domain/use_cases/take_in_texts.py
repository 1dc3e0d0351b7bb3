from collections.abc import Mapping
from dataclasses import dataclass

from domain.model.callback import Callback
from domain.model.consent import Scope
from domain.model.inbound_message import InboundText
from domain.ports.callback_observer import CallbackObserver
from domain.ports.callback_reader import CallbackReader
from domain.ports.clock import Clock
from domain.ports.inbound_messages import InboundMessages


@dataclass(frozen=True, kw_only=True)
class TakeInTexts:
    """Turns to what people texted, gives each text to its program, and does what keywords say.

    `scope` is whose texts an opt-out by keyword is about.
    """

    messages: InboundMessages
    readers: Mapping[str, CallbackReader]
    clock: Clock
    observer: CallbackObserver
    scope: Scope = Scope.PROGRAM
    at_once: int = 100

    async def __call__(self) -> int:
        """Takes in what has come, up to `at_once` of it; says how many texts that were."""
        taken = await self.messages.take_in(self._read, scope=self.scope, now=self.clock.now_us, limit=self.at_once)
        for each in taken:
            self.observer.taken_in(each)
        return len(taken)

    def _read(self, callback: Callback) -> InboundText | None:
        try:
            return self.readers[callback.source].inbound(callback)
        except Exception as fault:  # noqa: BLE001 - what one says must not keep the others waiting
            self.observer.unread(callback.source, fault)
            return None

from collections.abc import Mapping
from dataclasses import dataclass

from domain.model.callback import Callback
from domain.model.receipt import Receipt
from domain.ports.callback_observer import CallbackObserver
from domain.ports.callback_reader import CallbackReader
from domain.ports.callbacks import Callbacks
from domain.ports.clock import Clock


@dataclass(frozen=True, kw_only=True)
class WorkOffReceipts:
    """Turns to the receipts that were kept, and settles the deliveries that they tell of."""

    callbacks: Callbacks
    readers: Mapping[str, CallbackReader]
    clock: Clock
    observer: CallbackObserver
    at_once: int = 200

    async def __call__(self) -> int:
        """Works off what has come, `at_once` at a time; says how many receipts that were."""
        worked_off = 0
        while True:
            now_us = self.clock.now_us()
            portion = await self.callbacks.work_off(self._read, now_us=now_us, limit=self.at_once)
            for each in portion:
                self.observer.worked_off(each, now_us=now_us)
            worked_off += len(portion)
            if len(portion) < self.at_once:
                return worked_off

    def _read(self, callback: Callback) -> Receipt | None:
        try:
            return self.readers[callback.source].receipt(callback)
        except Exception as fault:  # noqa: BLE001 - what one says must not keep the others waiting
            self.observer.unread(callback.source, fault)
            return None

from collections.abc import Mapping
from dataclasses import dataclass

from domain.errors import CallbackRefused, CallbackUnsigned
from domain.model.callback import Callback
from domain.ports.callback_observer import CallbackObserver
from domain.ports.callback_reader import CallbackReader, ProviderCall
from domain.ports.callbacks import Callbacks, Kept
from domain.ports.clock import Clock


@dataclass(frozen=True, kw_only=True)
class ReceiveCallback:
    """Keeps what a provider says, and nothing that is not provably the provider's. What it means is another's work."""

    readers: Mapping[str, CallbackReader]
    callbacks: Callbacks
    clock: Clock
    observer: CallbackObserver

    async def __call__(self, source: str, call: ProviderCall) -> None:
        """Returns when it is stored. Raises `CallbackRefused` and `CallbackUnsigned`."""
        try:
            callback, kept = await self._keep(source, call)
        except CallbackRefused as refused:
            self.observer.refused(source, call.kind, refused.reason)
            raise
        except CallbackUnsigned:
            self.observer.unsigned(source, call.kind)
            raise
        self.observer.received(callback, kept)

    async def _keep(self, source: str, call: ProviderCall) -> tuple[Callback, Kept]:
        callback = await self.readers[source].genuine(call, now_us=self.clock.now_us())
        kept = await self.callbacks.add(callback)
        if kept is Kept.REPLAYED:
            raise CallbackRefused("replayed")
        return callback, kept

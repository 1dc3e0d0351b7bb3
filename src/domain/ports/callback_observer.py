from typing import Protocol

from domain.model.callback import Callback, CallbackKind
from domain.ports.callbacks import Joined, Kept, WorkedOff
from domain.ports.inbound_messages import TakenIn


class CallbackObserver(Protocol):
    """Told of what providers say, for logs and metrics. Must be quick and must not raise."""

    def received(self, callback: Callback, kept: Kept) -> None: ...

    def refused(self, source: str, kind: CallbackKind, reason: str) -> None:
        """It was not the provider's, or not provably."""
        ...

    def unsigned(self, source: str, kind: CallbackKind) -> None:
        """The provider is asked to call again."""
        ...

    def worked_off(self, worked: WorkedOff, *, now_us: int) -> None: ...

    def taken_in(self, taken: TakenIn) -> None: ...

    def joined(self, joined: Joined) -> None: ...

    def unread(self, source: str, fault: Exception) -> None:
        """A reader raised, which is a fault of ours. Its text may show what came."""
        ...

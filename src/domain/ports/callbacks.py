from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from domain.model.callback import Callback, CallbackKind
from domain.model.delivery import Delivery, DeliveryState
from domain.model.receipt import Receipt, ReceiptOutcome


class Kept(Enum):
    """What became of a callback that was to be stored."""

    NEW = "stored"
    # The provider has told the same before.
    REPEATED = "repeated"
    # Its signature was used before.
    REPLAYED = "replayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkedOff:
    """What came of a receipt, and how its delivery stands now, where it has one; `before` is the state that it was in,
    `slot_us` when it was sent, `trace_parent` that of its message.
    """

    callback: Callback
    outcome: ReceiptOutcome
    delivery: Delivery | None = None
    before: DeliveryState | None = None
    slot_us: int | None = None
    trace_parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A text that was put together, and the numbers of the parts that did not come in time."""

    callback: Callback
    missing: Sequence[int]


class Callbacks(Protocol):
    """What providers told the hub, kept as it came."""

    async def add(self, callback: Callback) -> Kept:
        """Stores it once, durably when this returns. Raises `HubBusy` where too many wait to be stored."""
        ...

    async def work_off(
        self, read: Callable[[Callback], Receipt | None], *, now_us: int, limit: int
    ) -> Sequence[WorkedOff]:
        """Takes up to so many receipts, the oldest first, and stores what each says of its delivery: all of it or
        nothing. Those that others are at, or whose delivery is being changed, are left for later.

        `read` says what a callback means, None for what nobody understands. A receipt that names no delivery is looked
        for by its reference, for a minute: the hub may be about to note that down.
        """
        ...

    async def join(
        self, whole: Callable[[Sequence[Callback]], Mapping[str, object]], *, since_us: int, limit: int
    ) -> Sequence[Joined]:
        """Puts up to so many inbound texts together whose parts are all there, or have been coming since before
        `since_us`, and keeps each as one that came whole. A part that comes after that is a text of its own.
        """
        ...

    async def forget(self, kind: CallbackKind, *, before_us: int) -> int:
        """Deletes some that came before then and are worked off; says how many."""
        ...

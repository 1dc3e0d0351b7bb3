from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.model.delivery import Delivery
from domain.model.message_body import MessageBody
from domain.model.sender import SenderAddress
from domain.model.terms import OnUnknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Enquiry:
    """A delivery that the provider is to be asked about. `attempted_us` is the slot of the last call for it.

    `others` are the provider's references of other deliveries to the same number: a text that the provider knows by
    one of them is not this delivery's.
    """

    delivery: Delivery
    provider: str
    account_id: int
    sender: SenderAddress
    body: MessageBody
    attempted_us: int
    others: frozenset[str] = frozenset()
    on_unknown: OnUnknown = OnUnknown.LEAVE


class DueDeliveries(Protocol):
    """Deliveries that the hub turns to again at a certain time."""

    async def queue(self, *, now_us: int) -> int:
        """Queues the scheduled ones whose time has come; says how many."""
        ...

    async def expire(self, *, now_us: int) -> int:
        """Ends those that wait and are not worth sending any more; says how many."""
        ...

    async def enquiries(self, *, now_us: int, limit: int) -> Sequence[Enquiry]:
        """Those due to be asked about. Each is given out once in half a minute, to whoever asks first."""
        ...

    async def rouse(self, *, now_us: int) -> int:
        """Makes senders due whose wake-up was lost between accepting a text and saying so; says how many."""
        ...

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.model.delivery import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Enquiry:
    """A delivery that the provider is to be asked about. `attempted_us` is the slot of the last call for it."""

    delivery: Delivery
    provider: str
    attempted_us: int


class DueDeliveries(Protocol):
    """Deliveries that the hub turns to again at a certain time."""

    async def queue(self, *, now_us: int) -> int:
        """Queues the scheduled ones whose time has come; says how many."""
        ...

    async def expire(self, *, now_us: int) -> int:
        """Ends those that wait and are not worth sending any more; says how many."""
        ...

    async def enquiries(self, *, now_us: int, limit: int) -> Sequence[Enquiry]:
        """Those due to be asked about. Each is given out once in a minute, to whoever asks first."""
        ...

    async def rouse(self, *, now_us: int) -> int:
        """Makes senders due whose wake-up was lost between accepting a text and saying so; says how many."""
        ...

from collections.abc import Sequence
from typing import Protocol

from domain.model.pace import Pace
from domain.model.sender import Sender


class Senders(Protocol):
    """All that the hub sends from, as its operators see them."""

    async def all(self) -> Sequence[Sender]:
        """By provider and address."""
        ...

    async def change(self, sender_id: int, *, pace: Pace, backlog_us: int, now_us: int) -> None:
        """From now on; what has its slot already keeps it."""
        ...

from collections.abc import Sequence
from typing import Protocol

from domain.model.priority import Priority
from domain.model.queue_ahead import QueueAhead
from domain.model.shared_line import WaitingSender
from domain.model.waiting import Waiting


class Backlog(Protocol):
    """What waits at senders."""

    async def at(self, sender_id: int, *, now_us: int) -> QueueAhead:
        """As it is now, or was a moment ago."""
        ...

    def joined(self, sender_id: int, program_id: str, priority: Priority, accepted: Waiting, *, now_us: int) -> None:
        """So many were accepted just now: they count, even where what waits is looked up only now and then."""
        ...


class WaitingSenders(Protocol):
    """Who waits for what senders share."""

    async def under(self, limit_ids: frozenset[int]) -> Sequence[WaitingSender]:
        """Those that stand under any of these limits, directly or not, and that nobody has stopped."""
        ...

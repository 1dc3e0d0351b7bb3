from typing import Protocol

from domain.model.priority import Priority
from domain.model.queue_ahead import QueueAhead


class Backlog(Protocol):
    """What waits at senders."""

    async def at(self, sender_id: int) -> QueueAhead: ...

    def joined(self, sender_id: int, program_id: str, priority: Priority, segments: int) -> None:
        """So many were accepted just now: they count, even where what waits is looked up only now and then."""
        ...

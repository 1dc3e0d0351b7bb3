from dataclasses import dataclass
from typing import Protocol

from domain.model.priority import Priority


@dataclass(frozen=True, slots=True)
class Ahead:
    """What goes before a new text. `segments` are queued, `free_us` is when the line is free of what is reserved."""

    segments: int
    free_us: int


class Backlog(Protocol):
    async def ahead_of(self, sender_id: int, priority: Priority) -> Ahead:
        """What waits at the sender with this priority or a higher one. Texts for later count when their time comes."""
        ...

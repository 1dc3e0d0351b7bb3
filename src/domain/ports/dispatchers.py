from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.model.delivery import Delivery
from domain.model.share import Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A delivery that its dispatcher had claimed when it was last heard of, at `last_seen_us`. `provider` is that of
    the sender that it was claimed for.
    """

    delivery: Delivery
    provider: str
    slot_us: int
    last_seen_us: int


class Dispatchers(Protocol):
    """Who is sending. Each start of a dispatcher is a new member."""

    async def join(self, *, now_us: int) -> int:
        """Gives the new member's id."""
        ...

    async def beat(self, dispatcher_id: int, *, now_us: int, heard_since_us: int) -> Share | None:
        """Says "I am alive", and gives the member's share among those that were heard of since then.

        None: the others have given this dispatcher up, and it must not send any more.
        """
        ...

    async def leave(self, dispatcher_id: int) -> None: ...

    async def orphans(self, *, silent_since_us: int, limit: int) -> Sequence[Orphan]:
        """What members that were not heard of since then have left behind."""
        ...

    async def dismiss(self, *, silent_since_us: int) -> None:
        """Forgets the members that were not heard of since then and left nothing behind."""
        ...

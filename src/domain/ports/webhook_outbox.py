from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from domain.model.webhook import Call
from domain.model.webhook_retry import Answer, Health


class WebhookOutbox(Protocol):
    """The calls that are to be made. What is to be told was stored with what it tells of."""

    async def take(self, *, now_us: int, under_way: Mapping[UUID, int], most: int) -> Sequence[Call]:
        """What is due, so many at the most, and nobody else's for a while: whoever took it and is gone leaves it to be
        taken again. An endpoint is given so much that no more than a few of its calls are under way here, and one
        while it fails; of one subject, what was before is accepted or given up first.
        """
        ...

    async def accepted(self, call: Call, answer: Answer, *, now_us: int) -> None: ...

    async def failed(self, call: Call, answer: Answer, *, now_us: int, again_us: int | None) -> Health | None:
        """Called again then, or given up where that is None. How the endpoint is; None where it is no more."""
        ...

    async def rest(self, webhook_id: UUID, *, until_us: int) -> None:
        """Takes nothing of the endpoint's before then."""
        ...

    async def forget(self, *, before_us: int) -> int:
        """Drops events of before then, with what was logged of them. A good many at a time; says how many."""
        ...

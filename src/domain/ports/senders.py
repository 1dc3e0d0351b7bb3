from collections.abc import Sequence
from typing import Protocol

from domain.model.pace import Pace
from domain.model.sender import OptOutReplies, Sender


class Senders(Protocol):
    """All that the hub sends from, as its operators see them."""

    async def all(self) -> Sequence[Sender]:
        """By provider and address."""
        ...

    async def change(
        self, sender_id: int, *, pace: Pace, backlog_us: int, opt_out_replies: OptOutReplies | None = None, now_us: int
    ) -> None:
        """From now on; what has its slot already keeps it. `opt_out_replies` stays as it is for None."""
        ...

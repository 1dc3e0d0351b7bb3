from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.model.limit import Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitInUse:
    """A limit, and who needs slots of it. `used_today` is None where it has no daily cap.

    `senders` are their addresses, `accounts` are as in `twilio:AC…`; what stands under the limit by way of another is
    not among them.
    """

    limit: Limit
    senders: Sequence[str]
    accounts: Sequence[str]
    used_today: int | None


class Limits(Protocol):
    """What senders share. Changes hold from the next claim on."""

    async def put(self, limit: Limit) -> None:
        """Stores it, or changes the one of its name. Raises `LimitNotFound` for its parent, and `LimitsInACircle`."""
        ...

    async def remove(self, name: str) -> None:
        """Raises `LimitNotFound`, and `LimitInUseStill` where anything stands under it."""
        ...

    async def attach_sender(self, sender_id: int, name: str | None) -> None:
        """From now on the sender needs slots of this limit, or of none. Raises `LimitNotFound`."""
        ...

    async def attach_account(self, provider: str, account: str, name: str | None) -> None:
        """For all senders of the account. Raises `LimitNotFound` and `AccountNotFound`."""
        ...

    async def all(self, *, now_us: int) -> Sequence[LimitInUse]:
        """By name."""
        ...

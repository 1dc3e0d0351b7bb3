"""What operators do with the limits that senders share."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.model.limit import Limit
from domain.ports.clock import Clock
from domain.ports.limits import LimitInUse, Limits
from domain.ports.senders import Senders
from domain.use_cases.operate_senders import SenderName, named_sender


@dataclass(frozen=True, kw_only=True)
class OperateLimits:
    limits: Limits
    senders: Senders
    clock: Clock

    async def all(self) -> Sequence[LimitInUse]:
        return await self.limits.all(now_us=self.clock.now_us())

    async def put(self, limit: Limit) -> None:
        """Stores it, or changes the one of its name. Raises `LimitNotFound` and `LimitsInACircle`."""
        await self.limits.put(limit)

    async def remove(self, name: str) -> None:
        """Raises `LimitNotFound` and `LimitInUseStill`."""
        await self.limits.remove(name)

    async def attach_sender(self, sender: SenderName, limit: str | None) -> None:
        """None: to no limit any more. Raises `SenderNotFound`, `SenderAmbiguous` and `LimitNotFound`."""
        found = await named_sender(self.senders, sender)
        await self.limits.attach_sender(found.id, limit)

    async def attach_account(self, provider: str, account: str, limit: str | None) -> None:
        """None: to no limit any more. Raises `AccountNotFound` and `LimitNotFound`."""
        await self.limits.attach_account(provider, account, limit)

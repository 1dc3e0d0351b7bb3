"""What operators do with the limits that senders share."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import LimitNotFound, NotUnderLimit
from domain.model.limit import Limit
from domain.ports.clock import Clock
from domain.ports.known_accounts import KnownAccounts
from domain.ports.limits import LimitInUse, Limits
from domain.ports.senders import Senders
from domain.use_cases.operate_accounts import AccountName, named_account
from domain.use_cases.operate_senders import SenderName, named_sender


@dataclass(frozen=True, kw_only=True)
class OperateLimits:
    """Limits are known by their names; what stands under one is attached to it."""

    limits: Limits
    senders: Senders
    accounts: KnownAccounts
    clock: Clock

    async def all(self) -> Sequence[LimitInUse]:
        return await self.limits.all(now_us=self.clock.now_us())

    async def called(self, name: str) -> LimitInUse:
        """Raises `LimitNotFound`."""
        found = next((each for each in await self.all() if each.limit.name == name), None)
        if found is None:
            raise LimitNotFound
        return found

    async def put(self, limit: Limit) -> None:
        """Stores it, or changes the one of its name. Raises `LimitNotFound` and `LimitsInACircle`."""
        await self.limits.put(limit)

    async def remove(self, name: str) -> LimitInUse:
        """What it was. Raises `LimitNotFound` and `LimitInUseStill`."""
        found = await self.called(name)
        await self.limits.remove(name)
        return found

    async def attach_sender(self, which: SenderName | int, limit: str | None) -> None:
        """None: to no limit any more. Raises `SenderNotFound`, `SenderAmbiguous` and `LimitNotFound`."""
        found = await named_sender(self.senders, which)
        await self.limits.attach_sender(found.id, limit)

    async def attach_account(self, which: AccountName | int, limit: str | None) -> None:
        """None: to no limit any more. Raises `AccountNotFound` and `LimitNotFound`."""
        found = await named_account(self.accounts, which)
        await self.limits.attach_account(found.provider, found.name, limit)

    async def detach_sender(self, which: SenderName | int, limit: str) -> None:
        """From this limit and no other. Raises what attaching raises, and `NotUnderLimit`."""
        await self.called(limit)
        found = await named_sender(self.senders, which)
        if found.limit != limit:
            raise NotUnderLimit
        await self.limits.attach_sender(found.id, None)

    async def detach_account(self, which: AccountName | int, limit: str) -> None:
        """From this limit and no other. Raises what attaching raises, and `NotUnderLimit`."""
        await self.called(limit)
        found = await named_account(self.accounts, which)
        if found.limit != limit:
            raise NotUnderLimit
        await self.limits.attach_account(found.provider, found.name, None)

"""What operators do with accounts at providers: look at them, and see to it that their credentials are good."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.errors import AccountNotFound, CredentialsUnreadable, InvalidValue, OtherAccount
from domain.model.credentials import Credentials
from domain.model.credentials_check import CredentialsCheck, not_asked
from domain.ports.credentials_checker import CredentialsChecker
from domain.ports.known_accounts import KnownAccount, KnownAccounts
from domain.ports.provider_accounts import ProviderAccounts
from domain.ports.sms_provider import SmsProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountName:
    """Which account is meant. `name` is the provider's own."""

    provider: str
    name: str


async def named_account(accounts: KnownAccounts, which: AccountName | int) -> KnownAccount:
    """By its name or its id. Raises `AccountNotFound`."""
    for each in await accounts.all():
        if which in (each.id, AccountName(provider=each.provider, name=each.name)):
            return each
    raise AccountNotFound


@dataclass(frozen=True, kw_only=True)
class OperateAccounts:
    """`providers` and `checkers` are by the provider's name."""

    accounts: KnownAccounts
    kept: ProviderAccounts
    providers: Mapping[str, SmsProvider]
    checkers: Mapping[str, CredentialsChecker]

    async def all(self) -> Sequence[KnownAccount]:
        return await self.accounts.all()

    async def set_credentials(self, which: AccountName | int, credentials: Credentials) -> KnownAccount:
        """They are used within ten seconds. Raises `AccountNotFound`, `OtherAccount`, and `InvalidValue` for what the
        provider cannot work with.
        """
        account = await named_account(self.accounts, which)
        provider = self.providers[account.provider]
        await provider.prepare()
        # To read a private key takes its time, in which others are not to wait.
        if await asyncio.to_thread(provider.account_of, credentials) != account.name:
            raise OtherAccount
        await self.accounts.set_credentials(account.id, credentials)
        return await named_account(self.accounts, account.id)

    async def check(self, which: AccountName | int) -> tuple[KnownAccount, CredentialsCheck]:
        """Asks the provider. Raises `AccountNotFound`."""
        account = await named_account(self.accounts, which)
        return account, await self._checked(account)

    async def _checked(self, account: KnownAccount) -> CredentialsCheck:
        try:
            credentials = await self.kept.credentials(account.id)
            return await self.checkers[account.provider](credentials)
        except CredentialsUnreadable:
            return not_asked("credentials-unreadable")
        except InvalidValue:
            return not_asked("credentials-unusable" if account.has_credentials else "credentials-missing")

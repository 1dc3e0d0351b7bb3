from typing import Protocol

from domain.model.credentials import Credentials


class ProviderAccounts(Protocol):
    """The organisation's accounts at the providers."""

    async def find(self, provider: str, account: str) -> int | None:
        """The id of the account that the provider calls so."""
        ...

    async def credentials(self, account_id: int) -> Credentials:
        """As they are now. Raises `CredentialsUnreadable` where no key of the hub's opens them."""
        ...

    async def seal_anew(self) -> int:
        """Seals all credentials with the newest key, so that the older ones are needed no more; says how many.

        Raises `CredentialsUnreadable`, and leaves all as they were.
        """
        ...

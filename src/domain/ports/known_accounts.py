from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.model.credentials import Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAccount:
    """`id` is ours, `name` the provider's own. `senders` are its senders' addresses, by their ids."""

    id: int
    provider: str
    name: str
    has_credentials: bool
    limit: str | None
    senders: Mapping[int, str]


class KnownAccounts(Protocol):
    """The organisation's accounts at the providers, as its operators see them: without what is secret."""

    async def all(self) -> Sequence[KnownAccount]:
        """By provider and name."""
        ...

    async def set_credentials(self, account_id: int, credentials: Credentials) -> None:
        """In the place of those before. Raises `AccountNotFound`, and `InvalidValue` where the hub has no key to
        encrypt them with.
        """
        ...

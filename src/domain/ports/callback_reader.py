import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.errors import CallbackRefused, CredentialsUnreadable
from domain.model.callback import Callback, CallbackKind
from domain.model.credentials import Credentials
from domain.model.inbound_message import InboundText
from domain.model.receipt import Receipt
from domain.ports.provider_accounts import ProviderAccounts

_NAME = re.compile(r"[\w-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCall:
    """A call as it came, from whomever. `url` is what the provider was told to call, whatever the caller says it is;
    `headers` are by their names in lower case; `fields` those of the query, the form or the JSON object.
    """

    kind: CallbackKind
    url: str
    headers: Mapping[str, str] = field(repr=False)
    fields: Sequence[tuple[str, object]] = field(repr=False)
    body: bytes = field(repr=False)


class CallbackReader(Protocol):
    """What one interface of a provider's says when it calls."""

    async def genuine(self, call: ProviderCall, *, now_us: int) -> Callback:
        """The call as it is kept. Raises `CallbackRefused`, and `CallbackUnsigned` where a signed one will follow."""
        ...

    def receipt(self, callback: Callback) -> Receipt | None:
        """What a receipt of its own means; None where it cannot be understood."""
        ...

    def inbound(self, callback: Callback) -> InboundText | None:
        """What somebody texted, by an inbound callback of its own that came whole; None where it makes no sense."""
        ...

    def whole(self, parts: Sequence[Callback]) -> Mapping[str, object]:
        """The fields of a text that came in parts, as if it had come whole; `parts` are one or more, in their order,
        and each is there once. Of a provider whose texts come whole that is the first.
        """
        return parts[0].fields


async def account_called(accounts: ProviderAccounts, provider: str, *names: object) -> tuple[int, Credentials]:
    """The first account of one of these names, whatever a caller may have put in their place.

    Raises `CallbackRefused`.
    """
    for name in names:
        if isinstance(name, str) and _NAME.fullmatch(name):
            account_id = await accounts.find(provider, name)
            if account_id is not None:
                try:
                    return account_id, await accounts.credentials(account_id)
                except CredentialsUnreadable:
                    raise CallbackRefused("credentials-unreadable") from None
    raise CallbackRefused("unknown-account")

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from domain.errors import InvalidValue, UnknownProvider
from domain.model.credentials import NO_CREDENTIALS, Credentials, ProviderAccount
from domain.model.delivery import MAIL
from domain.model.message_body import MessageBody
from domain.model.phone_number import PhoneNumber
from domain.model.send_outcome import EnquiryAnswer, SendOutcome
from domain.model.sender import SenderAddress
from domain.ports.due_deliveries import Enquiry


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingText:
    """`delivery_id` travels with the text, so that receipts find their delivery even if the answer was lost.
    `account_id` is the provider account's. `valid_s` is for how long it is worth delivering; None: as long as the
    provider tries. `mail_to` is the e-mail address that gets it where nobody is to be texted.
    """

    delivery_id: int
    attempt: int
    account_id: int
    sender: SenderAddress
    number: PhoneNumber = field(repr=False)
    body: MessageBody = field(repr=False)
    valid_s: int | None = None
    mail_to: str | None = field(default=None, repr=False)


class NotLeaving(Exception):
    """The text must not go any more: its slot has passed, or the dispatcher is being stopped."""


class Departure(Protocol):
    """The last word before a text leaves the hub, and the moment that its sender's pace is counted by."""

    async def __call__(self) -> None:
        """Waits until the sender may send. Raises `NotLeaving`."""
        ...


class SmsProvider(Protocol):
    """A company that delivers texts, or what stands in for one."""

    async def prepare(self) -> None:
        """Gets ready to send. One that was not asked to does so with its first text, which may be late then."""
        ...

    def account_of(self, credentials: Credentials) -> str:
        """The provider's own name of the account that they belong to, such as its SID.

        Raises `InvalidValue` for credentials that it cannot work with.
        """
        ...

    async def send(self, text: OutgoingText, departure: Departure) -> SendOutcome:
        """Calls the provider once. `departure` is awaited once, right before the request is written: with a connection
        that stands, and nothing left to wait for. What it raises is passed on, and nothing was written.

        Never raises for what a provider or a network can do; every call ends in time.
        """
        ...

    async def look_up(self, enquiry: Enquiry) -> EnquiryAnswer:
        """Asks what became of a delivery."""
        ...

    async def close(self) -> None:
        """Lets go of what it holds. Nothing is asked of it after that."""
        ...


async def account_at(
    providers: Mapping[str, SmsProvider], provider: str, credentials: Credentials | None
) -> ProviderAccount | None:
    """The account that the credentials belong to; None where none are given to a provider that needs some.

    Raises `UnknownProvider`, and `InvalidValue` for credentials that the provider cannot work with.
    """
    known = providers.keys() - {MAIL}  # No sender's.
    if provider not in known:
        raise UnknownProvider(name=provider, known=sorted(known))
    await providers[provider].prepare()
    if credentials is not None:
        # To read a private key takes its time, in which others are not to wait.
        name = await asyncio.to_thread(providers[provider].account_of, credentials)
        return ProviderAccount(name, credentials)
    with suppress(InvalidValue):
        return ProviderAccount(providers[provider].account_of(NO_CREDENTIALS), NO_CREDENTIALS)
    return None

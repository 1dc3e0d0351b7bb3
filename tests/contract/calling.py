"""What tests of providers have in common: accounts, departures, texts, and strangers where a provider should be."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from domain.errors import CredentialsUnreadable
from domain.model.credentials import Credentials
from domain.model.message_body import MessageBody
from domain.model.phone_number import PhoneNumber
from domain.model.sender import SenderAddress
from domain.ports.provider_accounts import ProviderAccounts
from domain.ports.sms_provider import NotLeaving, OutgoingText
from tests.builders import SENDER, a_number
from tests.patience import PATIENCE_S

NUMBER = a_number(7)
BODY = MessageBody("Your code is 4711: naïve & «quoted» + 100 % 🙂")
SERVICE = SenderAddress("MG" + "0123456789abcdef" * 2)


@dataclass
class Accounts(ProviderAccounts):
    """One, whose credentials may change."""

    values: Mapping[str, str] = field(repr=False)
    readable: bool = True

    async def find(self, provider: str, account: str) -> int | None:  # noqa: ARG002 - the port's own
        return 1 if account in self.values.values() else None

    async def seal_anew(self) -> int:
        raise NotImplementedError

    async def credentials(self, account_id: int) -> Credentials:
        assert account_id == 1
        if not self.readable:
            raise CredentialsUnreadable
        return Credentials(self.values)


@dataclass
class Departures:
    """Counts them; `wait` is what each does."""

    wait: Callable[[], Awaitable[None]] | None = None
    count: int = 0

    async def __call__(self) -> None:
        self.count += 1
        if self.wait is not None:
            await self.wait()


async def never() -> None:
    raise NotLeaving


def a_text_to(
    number: PhoneNumber = NUMBER,
    *,
    sender: SenderAddress = SENDER,
    body: MessageBody = BODY,
    valid_s: int | None = None,
    delivery_id: int = 7,
) -> OutgoingText:
    return OutgoingText(
        delivery_id=delivery_id, attempt=1, account_id=1, sender=sender, number=number, body=body, valid_s=valid_s
    )


class Stranger(asyncio.Protocol):
    """Takes connections, says what it always says, and then nothing."""

    def __init__(self, greeting: bytes, transports: list[asyncio.Transport]) -> None:
        self._greeting = greeting
        self._transports = transports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transports.append(transport)
        transport.write(self._greeting)


@asynccontextmanager
async def a_stranger(greeting: bytes = b"", *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Its port."""
    transports: list[asyncio.Transport] = []
    server = await asyncio.get_running_loop().create_server(
        lambda: Stranger(greeting, transports), "127.0.0.1", 0, ssl=tls
    )
    async with server:
        yield server.sockets[0].getsockname()[1]
        for transport in transports:
            transport.abort()


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not reached():  # noqa: ASYNC110 - a stand-in raises no event
            await asyncio.sleep(0.001)

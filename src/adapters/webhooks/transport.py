import asyncio
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorSSLError,
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from adapters.webhooks.destinations import AddressRefused, Destinations
from domain.errors import UrlRefused
from domain.model.webhook_retry import Answer
from domain.ports.webhook_transport import WebhookTransport

_TIMEOUT_S = 15.0
_LOOKUP_TIMEOUT_S = 2.0
# So that the connection can be used again; what is longer is hung up on.
_READ_OF_BODY = 1_024
# Look-ups of names that nobody answers for take seconds, and texts need the event loop's own threads.
_MOST_LOOKUPS = 32
_LONGEST_RETRY_AFTER_S = 7 * 86_400


# What a name leads to, as `socket.getaddrinfo` says it.
Lookup: TypeAlias = Callable[..., list[tuple[Any, ...]]]


class HttpWebhookTransport(WebhookTransport):
    """Whatever a name leads to is checked, and so is each address again when a socket to it is made: there is no second
    look-up that could say something else. TLS is checked against the name.
    """

    def __init__(
        self, destinations: Destinations, *, timeout_s: float = _TIMEOUT_S, lookup: Lookup = socket.getaddrinfo
    ) -> None:
        self._destinations = destinations
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(_MOST_LOOKUPS, thread_name_prefix="webhook-lookup")
        self._timeout = ClientTimeout(total=timeout_s)
        # By scheme, as not every address may be called without TLS.
        self._sessions: dict[str, ClientSession] = {}

    async def check(self, url: str) -> None:
        parts = self._destinations.parsed(url)
        resolver = _CheckedResolver(self._destinations, self._threads, self._lookup, encrypted=parts.scheme == "https")
        try:
            async with asyncio.timeout(_LOOKUP_TIMEOUT_S):
                await resolver.resolve(str(parts.hostname))
        except AddressRefused:
            raise UrlRefused("leads to a network that is not public") from None
        except (OSError, TimeoutError, UnicodeError):
            """The name may be given out later."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        began_s = time.monotonic()
        status: int | None = None
        error: str | None = None
        retry_after: str | None = None
        try:
            scheme = self._destinations.parsed(url).scheme
            async with self._session(scheme).post(
                URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
            ) as response:
                status = response.status
                retry_after = response.headers.get("Retry-After")
                # What comes after the status changes nothing any more.
                with suppress(ClientError, TimeoutError, OSError):
                    await response.content.read(_READ_OF_BODY)
        except UrlRefused:
            error = "address-refused"
        except TimeoutError:
            error = "timeout"
        except (ClientError, OSError, ValueError) as fault:
            error = _error(fault)
        if status is not None:
            error = None
        took_us = int((time.monotonic() - began_s) * 1_000_000)
        return Answer(took_us=took_us, status=status, error=error, retry_after_s=_seconds(retry_after))

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _session(self, scheme: str) -> ClientSession:
        """Made at the first call, as it belongs to the event loop that runs then."""
        if scheme not in self._sessions:
            encrypted = scheme == "https"
            connector = TCPConnector(
                limit=0,
                use_dns_cache=False,
                resolver=_CheckedResolver(self._destinations, self._threads, self._lookup, encrypted=encrypted),
                socket_factory=partial(self._socket, encrypted=encrypted),
            )
            self._sessions[scheme] = ClientSession(
                connector=connector, cookie_jar=DummyCookieJar(), timeout=self._timeout, auto_decompress=False
            )
        return self._sessions[scheme]

    def _socket(self, address: tuple[Any, ...], *, encrypted: bool) -> socket.socket:
        family, kind, protocol, _, name = address
        self._destinations.check_connection(str(name[0]), encrypted=encrypted)
        return socket.socket(family=family, type=kind, proto=protocol)


class _CheckedResolver(AbstractResolver):
    def __init__(
        self, destinations: Destinations, threads: ThreadPoolExecutor, lookup: Lookup, *, encrypted: bool
    ) -> None:
        self._destinations = destinations
        self._threads = threads
        self._lookup = lookup
        self._encrypted = encrypted

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises `AddressRefused` where any of what it leads to is not to be connected to."""
        look_up = partial(self._lookup, host, port, family=family, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        for *_, address in found:
            self._destinations.check_connection(str(address[0]), encrypted=self._encrypted)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=its_family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for its_family, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """The threads are shared."""


def _error(fault: BaseException) -> str:
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return "address-refused"
        cause = cause.__cause__
    match fault:
        case ClientConnectorDNSError():
            return "name-unknown"
        case ClientConnectorCertificateError() | ClientConnectorSSLError():
            return "tls"
        case _:
            return "connection"


def _seconds(retry_after: str | None) -> int | None:
    """None where it says none, or a date, which few send."""
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return None
    return min(int(retry_after[:9]), _LONGEST_RETRY_AFTER_S)

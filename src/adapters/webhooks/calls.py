import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

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
from adapters.webhooks.names import Names

# So that the connection can be used again; what is longer is hung up on.
_READ_OF_BODY = 1_024


class Calls:
    def __init__(self, destinations: Destinations, names: Names, *, timeout_s: float) -> None:
        self._destinations = destinations
        self._names = names
        self._timeout = ClientTimeout(total=timeout_s)
        # With TLS and without: not every address may be called without.
        self._sessions: dict[bool, ClientSession] = {}

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, encrypted: bool
    ) -> tuple[int | None, str | None, str | None]:
        """The status or why there is none, and Retry-After."""
        status: int | None = None
        retry_after: str | None = None
        try:
            async with self._session(encrypted=encrypted).post(
                URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
            ) as response:
                status, retry_after = response.status, response.headers.get("Retry-After")
                # What comes after the status changes nothing any more.
                with suppress(ClientError, TimeoutError, OSError):
                    await response.content.read(_READ_OF_BODY)
        except Exception as fault:  # noqa: BLE001 - whatever others make up must end nothing but this call
            if status is None:
                return None, _error(fault), None
        return status, None, retry_after

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()

    def _session(self, *, encrypted: bool) -> ClientSession:
        if encrypted not in self._sessions:
            connector = TCPConnector(
                limit=0,
                use_dns_cache=False,
                resolver=_CheckedResolver(self._names, encrypted=encrypted),
                socket_factory=partial(self._socket, encrypted=encrypted),
            )
            self._sessions[encrypted] = ClientSession(
                connector=connector, cookie_jar=DummyCookieJar(), timeout=self._timeout, auto_decompress=False
            )
        return self._sessions[encrypted]

    def _socket(self, address: tuple[Any, ...], *, encrypted: bool) -> socket.socket:
        family, kind, protocol, _, name = address
        self._destinations.check_connection(str(name[0]), encrypted=encrypted)
        return socket.socket(family=family, type=kind, proto=protocol)


class _CheckedResolver(AbstractResolver):
    def __init__(self, names: Names, *, encrypted: bool) -> None:
        self._names = names
        self._encrypted = encrypted

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=its_family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for its_family, _, protocol, _, address in await self._names.addresses(
                host, port, family, encrypted=self._encrypted
            )
        ]

    async def close(self) -> None:
        """The names are closed by whoever has them."""


def _error(fault: BaseException) -> str:
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return "address-refused"
        cause = cause.__cause__
    match fault:
        case TimeoutError():
            return "timeout"
        case ClientConnectorDNSError():
            return "name-unknown"
        case ClientConnectorCertificateError() | ClientConnectorSSLError():
            return "tls"
        case _:
            return "connection"

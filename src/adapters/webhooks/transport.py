import asyncio
import socket
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from adapters.webhooks.destinations import AddressRefused, Destinations
from adapters.webhooks.names import Lookup, Names
from domain.errors import UrlRefused
from domain.model.webhook_retry import Answer
from domain.ports.webhook_transport import WebhookTransport

if TYPE_CHECKING:
    from adapters.webhooks.calls import Calls

_TIMEOUT_S = 15.0
_LOOKUP_TIMEOUT_S = 2.0
_LONGEST_RETRY_AFTER_S = 7 * 86_400


class HttpWebhookTransport(WebhookTransport):
    """Whatever a name leads to is checked, and so is each address again when a socket to it is made: there is no second
    look-up that could say something else. TLS is checked against the name.
    """

    def __init__(
        self, destinations: Destinations, *, timeout_s: float = _TIMEOUT_S, lookup: Lookup = socket.getaddrinfo
    ) -> None:
        self._destinations = destinations
        self._timeout_s = timeout_s
        self._names = Names(destinations, lookup)
        self._calls: Calls | None = None

    async def check(self, url: str) -> None:
        parts = self._destinations.parsed(url)
        try:
            async with asyncio.timeout(_LOOKUP_TIMEOUT_S):
                await self._names.addresses(str(parts.hostname), encrypted=parts.scheme == "https")
        except AddressRefused:
            raise UrlRefused("leads to a network that is not public") from None
        except (OSError, TimeoutError, UnicodeError):
            """The name may be given out later."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            parts = self._destinations.parsed(url)
        except UrlRefused:
            return Answer(took_us=0, error="address-refused")
        began_s = time.monotonic()
        status, error, retry_after = await self._opened().post(url, headers, body, encrypted=parts.scheme == "https")
        took_us = int((time.monotonic() - began_s) * 1_000_000)
        return Answer(took_us=took_us, status=status, error=error, retry_after_s=_seconds(retry_after))

    async def close(self) -> None:
        if self._calls is not None:
            await self._calls.close()
            self._calls = None
        self._names.close()

    def _opened(self) -> "Calls":
        """Made at the first call: its library takes memory that processes which call nobody can do without."""
        if self._calls is None:
            from adapters.webhooks.calls import Calls  # noqa: PLC0415

            self._calls = Calls(self._destinations, self._names, timeout_s=self._timeout_s)
        return self._calls


def _seconds(retry_after: str | None) -> int | None:
    """None where it says none, or a date, which few send."""
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return None
    return min(int(retry_after[:9]), _LONGEST_RETRY_AFTER_S)

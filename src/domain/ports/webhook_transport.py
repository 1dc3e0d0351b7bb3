from collections.abc import Mapping
from typing import Protocol

from domain.model.webhook_retry import Answer


class WebhookTransport(Protocol):
    """Calls addresses that others have chosen, and none that only the hub's own network reaches."""

    async def check(self, url: str) -> None:
        """Raises `UrlRefused` for an address that would never be called. One whose name is not known as yet may be."""
        ...

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Never raises for what the other side does, and follows nobody elsewhere. Whatever else is said at creation,
        the address that is connected to is checked.
        """
        ...

    async def close(self) -> None: ...

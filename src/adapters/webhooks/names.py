"""What names lead to, checked."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeAlias

from adapters.webhooks.destinations import Destinations

# Look-ups of names that nobody answers for take seconds, and texts need the event loop's own threads.
_MOST_LOOKUPS = 32

# As `socket.getaddrinfo` takes it and answers it.
Lookup: TypeAlias = Callable[..., list[tuple[Any, ...]]]


class Names:
    def __init__(self, destinations: Destinations, lookup: Lookup = socket.getaddrinfo) -> None:
        self._destinations = destinations
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(_MOST_LOOKUPS, thread_name_prefix="webhook-lookup")

    async def addresses(
        self, host: str, port: int = 0, family: int = socket.AF_UNSPEC, *, encrypted: bool
    ) -> Sequence[tuple[Any, ...]]:
        """Raises `AddressRefused` where any of these is not to be connected to, and what a look-up raises."""
        look_up = partial(self._lookup, host, port, family=family, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        for *_, address in found:
            self._destinations.check_connection(str(address[0]), encrypted=encrypted)
        return found

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

"""One call to Vonage: a worker's thread makes it, and the event loop lets it go."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from adapters.providers.vonage.connection import Answer, Connection, ConnectionGone

T = TypeVar("T")


class Stayed(Exception):
    """The text must not be written, or not again."""


class Call:
    """From `departed` on, a text may have reached Vonage, whatever happens.

    `answer` is None until one was read as a whole; `fault` is what the thread met instead, or after that.
    """

    def __init__(self, *, answer_timeout_s: float) -> None:
        self.departed = False
        self.answer: Answer | None = None
        self.fault: BaseException | None = None
        self._answer_timeout_s = answer_timeout_s
        self._loop = asyncio.get_running_loop()
        self._standing: asyncio.Future[bool] = self._loop.create_future()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._decided = threading.Event()
        self._connection: Connection | None = None
        self._request = self._unwritten = b""

    # What the event loop does.

    async def stands(self) -> bool:
        """Waits until a connection does; False where the call was over before."""
        return await self._standing

    def leaves(self) -> None:
        """Writes the request, here and now: nothing comes between the departure and that.

        Raises `ConnectionGone`, and nothing was written.
        """
        if self._connection is None or not self._connection.stands():
            raise ConnectionGone
        self.departed = True
        self._unwritten = self._connection.write(self._request)
        self._decided.set()

    def stays(self) -> None:
        """Unless it has left, it never will."""
        self._decided.set()

    async def ends(self) -> None:
        await self._over

    # What the worker's thread does.

    def make(self, job: Callable[[], object], *, then: Callable[[], None]) -> None:
        """`then` is called in the event loop."""
        try:
            job()
        except BaseException as fault:  # noqa: BLE001 - the event loop judges it
            self.fault = fault
        # A loop that is closed has nobody who waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end, then)

    def exchange(self, connection: Connection, request: bytes) -> Answer:
        """Waits for the departure. Raises `Stayed`, and what the connection raises."""
        if self._decided.is_set():
            raise Stayed
        self._connection, self._request = connection, request
        self._loop.call_soon_threadsafe(_settle, self._standing, True)
        self._decided.wait()
        if not self.departed:
            raise Stayed
        self.answer = connection.exchange(self._unwritten, timeout_s=self._answer_timeout_s)
        return self.answer

    def _end(self, then: Callable[[], None]) -> None:
        _settle(self._standing, False)
        _settle(self._over, None)
        then()


def _settle(future: asyncio.Future[T], result: T) -> None:
    """Whoever waited for it may have been cancelled."""
    if not future.done():
        future.set_result(result)

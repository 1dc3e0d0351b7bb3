"""The threads that Vonage's library works in, since it waits for answers and can do nothing else meanwhile."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Thread

from adapters.providers.vonage.account import VonageAccount
from adapters.providers.vonage.call import Call
from adapters.providers.vonage.library import Client, Written
from adapters.providers.vonage.transport import Transport

_JOINED_WITHIN_S = 1.0
_LONGEST_IDLE_S = 60.0


class Worker:
    """A thread with connections and clients of its own, one client for each account: none is made for several threads.

    It makes one call after the other.
    """

    def __init__(self, transport: Transport, new_client: Callable[[VonageAccount, Transport], Client]) -> None:
        self._transport = transport
        self._new_client = new_client
        self._clients: dict[int, tuple[VonageAccount, Client]] = {}
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="vonage", daemon=True)
        self._thread.start()

    def begin(
        self, call: Call, account_id: int, account: VonageAccount, message: Written, *, then: Callable[[], None]
    ) -> None:
        """`then` is called in the event loop, when the worker is free again."""
        self._tasks.put(partial(self._make, call, partial(self._send, account_id, account, message), then))

    def dismiss(self) -> None:
        """It ends when it has made the call that it is at."""
        self._tasks.put(None)

    def join(self) -> None:
        self._thread.join(_JOINED_WITHIN_S)

    def _work(self) -> None:
        while self._next():
            pass
        self._transport.close()

    def _next(self) -> bool:
        task = self._tasks.get()
        if task is not None:
            task()
        return task is not None

    def _make(self, call: Call, job: Callable[[], None], then: Callable[[], None]) -> None:
        self._transport.call = call
        call.make(job, then=then)
        self._transport.call = None

    def _send(self, account_id: int, account: VonageAccount, message: Written) -> None:
        known = self._clients.get(account_id)
        if known is None or known[0] != account:
            known = self._clients[account_id] = account, self._new_client(account, self._transport)
        known[1].send(message)


class Workers:
    """No more than `most`. Who was busy last is busy next, as its connection is the likeliest to stand; who has had
    nothing to do for long is dismissed.
    """

    def __init__(self, most: int, new_worker: Callable[[], Worker]) -> None:
        self._room = asyncio.Semaphore(most)
        self._new_worker = new_worker
        self._idle: deque[tuple[float, Worker]] = deque()
        self._closed = False

    async def one(self) -> Worker:
        """To be given back."""
        await self._room.acquire()
        return self._idle.pop()[1] if self._idle else self._new_worker()

    def give_back(self, worker: Worker) -> None:
        self._room.release()
        now_s = time.monotonic()
        self._idle.append((now_s, worker))
        while self._idle and (self._closed or self._idle[0][0] < now_s - _LONGEST_IDLE_S):
            self._idle.popleft()[1].dismiss()

    def close(self) -> None:
        """Those that still wait for an answer end when they have it."""
        self._closed = True
        workers = [worker for _, worker in self._idle]
        self._idle.clear()
        for worker in workers:
            worker.dismiss()
        for worker in workers:
            worker.join()

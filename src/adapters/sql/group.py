"""Group commit: what concurrent callers want stored shares transactions."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from domain.errors import HubBusy

T = TypeVar("T")
R = TypeVar("R")


class Group(Generic[T, R]):
    """Lets callers share one piece of work after the other: who comes while one is under way is in the next.

    No time is waited for company: a caller alone is served at once. `work` gives for each item, in their order, its
    result or the error that its caller gets. What it raises is the fault of no item: all who wait by then get it, so
    that nobody waits for one failure after the other. `at_once` bounds the items of one piece of work, `room` those
    that wait.
    """

    def __init__(
        self, work: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]], *, at_once: int, room: int
    ) -> None:
        self._work = work
        self._at_once = at_once
        self._room = room
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._working: asyncio.Task[None] | None = None

    async def __call__(self, item: T) -> R:
        """Raises `HubBusy` where too many wait already. A caller who is cancelled leaves its item to its fate."""
        if len(self._waiting) >= self._room:
            raise HubBusy
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work_off())
        return await answer

    async def drained(self) -> None:
        """Returns when nothing waits and no work is under way."""
        while self._working is not None and not self._working.done():
            await asyncio.wait([self._working])

    async def _work_off(self) -> None:
        while self._waiting:
            together = [self._waiting.popleft() for _ in range(min(self._at_once, len(self._waiting)))]
            results: Sequence[R | Exception]
            try:
                results = await self._work([item for item, _ in together])
            except Exception as error:  # noqa: BLE001 - each caller gets it
                together += self._waiting
                self._waiting.clear()
                results = [error] * len(together)
            except BaseException:
                # The process is coming to its end: nobody is left waiting for what will not be.
                for _, answer in [*together, *self._waiting]:
                    answer.cancel()
                self._waiting.clear()
                raise
            for (_, answer), result in zip(together, results, strict=True):
                if answer.done():
                    continue
                if isinstance(result, Exception):
                    answer.set_exception(result)
                else:
                    answer.set_result(result)

"""A load of HTTP requests over a fixed number of connections, cheap enough to share two cores with what it measures.

Each connection has one request in flight. Of an answer only the status and the length are read.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from tests.benchmarks.posts import Post

_PATIENCE_S = 60.0
_CLOSED = "closed"
_OK = {b"200", b"204"}
_EMPTY = b"204"
_HEAD_ENDS = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a load came to. `took_s` holds answers with 200 or 204 alone; `failures` counts all others by status."""

    took_s: Sequence[float]
    failures: Mapping[str, int]
    seconds: float

    @property
    def answered(self) -> int:
        return len(self.took_s)

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds


def joined(loads: Sequence[Load]) -> Load:
    return Load(
        took_s=[took_s for load in loads for took_s in load.took_s],
        failures=sum((Counter(load.failures) for load in loads), Counter()),
        seconds=sum(load.seconds for load in loads),
    )


async def post_for(seconds: float, port: int, post: Post, *, connections: int) -> Load:
    until = time.perf_counter() + seconds
    async with asyncio.timeout(seconds + _PATIENCE_S):
        return await _load(port, post, connections=connections, is_over=lambda now, _: now >= until)


async def post_times(times: int, port: int, post: Post) -> Load:
    """One after another, on one connection."""
    async with asyncio.timeout(times * _PATIENCE_S):
        return await _load(port, post, connections=1, is_over=lambda _, posted: posted >= times)


async def post_times_beside(
    times: int, port: int, post: Post, beside: Post, *, connections: int, pause_s: float
) -> tuple[Load, Load]:
    """`post` as `post_times` does, while other connections post `beside`, each with a pause after every answer."""
    main = asyncio.create_task(post_times(times, port, post))
    other = _load(port, beside, connections=connections, is_over=lambda *_: main.done(), pause_s=pause_s)
    async with asyncio.timeout(times * _PATIENCE_S):
        return await asyncio.gather(main, other)


async def post_with_pauses(seconds: float, port: int, post: Post, *, connections: int, pause_s: float) -> Load:
    until = time.perf_counter() + seconds
    async with asyncio.timeout(seconds + _PATIENCE_S):
        return await _load(port, post, connections=connections, is_over=lambda now, _: now >= until, pause_s=pause_s)


@dataclass(kw_only=True)
class _Tally:
    post: Post
    is_over: Callable[[float, int], bool]
    pause_s: float
    open: int
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    posted: int = 0
    took_s: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


async def _load(
    port: int, post: Post, *, connections: int, is_over: Callable[[float, int], bool], pause_s: float = 0.0
) -> Load:
    tally = _Tally(post=post, is_over=is_over, pause_s=pause_s, open=connections)
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    await asyncio.gather(
        *(loop.create_connection(lambda: _Connection(tally), "127.0.0.1", port) for _ in range(connections))
    )
    await tally.ended.wait()
    return Load(took_s=tally.took_s, failures=tally.failures, seconds=time.perf_counter() - started)


class _Connection(asyncio.Protocol):
    """Once the server closes it, it stays closed: that is counted as a failure, and the load is the less for it."""

    def __init__(self, tally: _Tally) -> None:
        self._tally = tally
        self._received = b""
        self._answer_ends = 0
        self._waits = False
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Uvloop's own are none by inheritance.
        self._transport = cast("asyncio.Transport", transport)
        self._post()

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        if not self._answer_ends:
            self._answer_ends = end_of_answer(received)
        if not self._answer_ends or len(received) < self._answer_ends:
            self._received = received
            return
        took_s = time.perf_counter() - self._sent_at
        status = received[9:12]
        if status in _OK:
            self._tally.took_s.append(took_s)
        else:
            self._tally.failures[status.decode("ascii")] += 1
        self._received = b""
        self._answer_ends = 0
        self._waits = False
        if self._tally.pause_s:
            asyncio.get_running_loop().call_later(self._tally.pause_s, self._post)
        else:
            self._post()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._waits:
            self._tally.failures[_CLOSED] += 1
        self._tally.open -= 1
        if not self._tally.open:
            self._tally.ended.set()

    def _post(self) -> None:
        tally = self._tally
        if tally.is_over(time.perf_counter(), tally.posted):
            self._transport.close()
            return
        tally.posted += 1
        content = tally.post()
        self._waits = True
        self._sent_at = time.perf_counter()
        self._transport.write(content)


def end_of_answer(received: bytes) -> int:
    """Where the answer ends, 0 while its head is not there in full. All answers of ours but 204 have a length."""
    head_ends = received.find(_HEAD_ENDS)
    if head_ends < 0:
        return 0
    if received[9:12] == _EMPTY:
        return head_ends + len(_HEAD_ENDS)
    start = received.find(_LENGTH, 0, head_ends)
    if start < 0:
        start = received.lower().index(_LENGTH, 0, head_ends)
    start += len(_LENGTH)
    line_ends = received.index(b"\r\n", start, head_ends + 2)
    return head_ends + len(_HEAD_ENDS) + int(received[start:line_ends])

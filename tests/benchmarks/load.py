"""A load of HTTP requests over a fixed number of connections, cheap enough to share two cores with what it measures."""

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a load came to. Times in milliseconds."""

    answered: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds


async def post(
    port: int, path: str, *, token: str, body: Callable[[int], bytes], connections: int, seconds: float
) -> Load:
    """Posts JSON as fast as the server answers. `body` makes the n-th request's body; all but 200 is a failure."""
    headers = f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    head = f"POST {path} HTTP/1.1\r\n{headers}"
    took: list[float] = []
    failed = 0
    numbers = iter(range(1_000_000_000))
    until = time.perf_counter() + seconds

    async def one_connection() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < until:
            content = body(next(numbers))
            started = time.perf_counter()
            writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
            answer = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_content_length(answer))
            took.append(time.perf_counter() - started)
            failed += not answer.startswith(b"HTTP/1.1 200")
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(one_connection() for _ in range(connections)))
    elapsed = time.perf_counter() - started
    percentiles = statistics.quantiles(took, n=100)
    return Load(
        answered=len(took) - failed,
        failed=failed,
        seconds=elapsed,
        p50_ms=percentiles[49] * 1_000,
        p99_ms=percentiles[98] * 1_000,
    )


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0

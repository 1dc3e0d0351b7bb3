"""Somebody who is called by providers, on a port of this machine."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from tests.patience import PATIENCE_S
from tests.ports import free_port


@dataclass(frozen=True, slots=True)
class Received:
    """A call as it came; `url` is as it was asked for. `headers` are by their names in small letters."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> Mapping[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def query(self) -> Mapping[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))


@dataclass
class Receiver:
    """Answers with the next of `statuses`, and with 204 when there are none left; 0 is to hang up."""

    url: str
    calls: list[Received] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    async def until(self, count: int, *, within_s: float = PATIENCE_S) -> list[Received]:
        """The calls, once there are so many. No more come within a moment."""
        async with asyncio.timeout(within_s):
            while len(self.calls) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert len(self.calls) == count, self.calls
        return self.calls

    async def _hear(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        url = f"{request.scheme}://{request.host}{request.raw_path}"
        self.calls.append(Received(request.method, url, headers, await request.read()))
        status = self.statuses.pop(0) if self.statuses else 204
        if status == 0 and request.transport is not None:
            request.transport.abort()
        return web.Response(status=status or 204)


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    port = free_port()
    receiver = Receiver(f"http://127.0.0.1:{port}")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver._hear)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield receiver
    finally:
        await runner.cleanup()

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from entrypoints.http.problems import Problem
from entrypoints.http.telemetry import PROBLEM


class CsvDownload(Response):
    """A file of any length, which is made while it is sent: no more of it is held than a piece."""

    media_type = "text/csv"

    def __init__(self, first: str, others: AsyncIterator[str], *, name: str) -> None:
        super().__init__(headers={"Content-Disposition": f'attachment; filename="{name}"'})
        del self.headers["content-length"]
        self._first = first
        self._others = others

    @classmethod
    async def of(cls, pieces: AsyncIterator[str], *, name: str) -> "CsvDownload":
        """What goes wrong before the first piece is there can be answered with a problem still."""
        return cls(await anext(pieces), pieces, name=name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            gone = asyncio.ensure_future(_gone(receive))
            try:
                piece: str | None = self._first
                while piece is not None and not gone.done():
                    await send({"type": "http.response.body", "body": piece.encode(), "more_body": True})
                    piece = await anext(self._others, None)
            except Exception as error:
                # It is too late for another status: the server ends the connection before the end of the file.
                scope["extensions"][PROBLEM] = Problem.of(error).slug
                raise
            finally:
                gone.cancel()
        await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

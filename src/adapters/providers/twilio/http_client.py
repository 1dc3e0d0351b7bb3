"""What Twilio's library speaks HTTP with: one request for each call, never a second, and a moment in between at which
a text may still stay.

Nothing is logged here: the library's own client logs the numbers that are asked about.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from urllib.parse import urlencode

from aiohttp import (
    ClientConnectionError,
    ClientError,
    ClientRequest,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    encode_basic_auth,
)
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from domain.ports.sms_provider import Departure

# A page of 50 messages with the longest texts has far less.
_LONGEST_ANSWER = 4 * 2**20

# Ours end before the session's own timeouts, which would count the waiting for the departure.
_NO_TIMEOUTS = ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


class ConnectionGone(ClientConnectionError):
    """It dropped while the text waited for its departure: nothing was written."""


class AnswerTooLong(ClientError):
    pass


@dataclass(slots=True, eq=False)
class Call:
    """One call to Twilio. From `departed` on, a text may have reached it, whatever happens.

    `stayed` is what the departure raised. `status` and `retry_after` are those of the latest answer.
    """

    departure: Departure | None = None
    departed: bool = False
    stayed: BaseException | None = None
    status: int | None = None
    retry_after: str | None = None
    deadline: asyncio.Timeout = field(init=False)

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Whatever the library asks for in this context belongs to the call."""
        token = _call.set(self)
        try:
            yield
        finally:
            _call.reset(token)

    async def departs(self, connection: Connection) -> None:
        """Raises what the departure raises, and `ConnectionGone`."""
        if self.departure is None:
            return
        self.deadline.reschedule(None)
        try:
            await self.departure()
        except BaseException as error:
            self.stayed = error
            raise
        # A server that hangs up may say why, which would pass for an answer.
        if connection.protocol is None or connection.closed or connection.protocol.should_close:
            raise ConnectionGone
        self.departed = True


_call: ContextVar[Call] = ContextVar("_call")


class DepartureConnector(TCPConnector):
    """Hands a connection out when it stands and the call's departure has come."""

    def __init__(self, *, limit: int, answer_timeout_s: float) -> None:
        super().__init__(limit=limit)
        self._answer_timeout_s = answer_timeout_s

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:  # noqa: ASYNC109 - the base class's own
        call = _call.get()
        if call.departed:
            # The text may have been written on the connection that went before.
            raise ClientConnectionError
        connection = await super().connect(req, traces, timeout)
        try:
            await call.departs(connection)
            call.deadline.reschedule(asyncio.get_running_loop().time() + self._answer_timeout_s)
        except BaseException:
            connection.release()
            raise
        return connection


class HttpClient(AsyncHttpClient):
    """Raises what `aiohttp` raises, and `TimeoutError`."""

    def __init__(self, *, connections: int, connect_timeout_s: float, answer_timeout_s: float) -> None:
        super().__init__(logging.getLogger("twilio.async_http_client"), is_async=True)
        self._connections = connections
        self._connect_timeout_s = connect_timeout_s
        self._answer_timeout_s = answer_timeout_s
        self._session: ClientSession | None = None

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, str | int] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the library's own signature
        allow_redirects: bool = False,  # noqa: ARG002, FBT001, FBT002 - never followed: a text would be sent twice
    ) -> Response:
        call = _call.get()
        call.status = call.retry_after = None
        async with asyncio.timeout(self._connect_timeout_s) as call.deadline:
            async with self._opened().request(
                method,
                uri,
                params=params,
                data=urlencode(data).encode() if data else None,
                headers={**(headers or {}), **({"Authorization": encode_basic_auth(*auth)} if auth else {})},
                allow_redirects=False,
            ) as answer:
                body = bytearray()
                async for chunk in answer.content.iter_any():
                    body += chunk
                    if len(body) > _LONGEST_ANSWER:
                        raise AnswerTooLong
        call.status = answer.status
        call.retry_after = answer.headers.get("Retry-After")
        return Response(answer.status, body.decode(errors="replace"), answer.headers)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> ClientSession:
        """Made at the first call, as it belongs to the event loop that runs then."""
        if self._session is None:
            connector = DepartureConnector(limit=self._connections, answer_timeout_s=self._answer_timeout_s)
            self._session = ClientSession(connector=connector, cookie_jar=DummyCookieJar(), timeout=_NO_TIMEOUTS)
        return self._session

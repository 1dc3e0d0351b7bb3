"""HTTP as far as stand-ins need it: texts arrive over connections, and what was said over them may be kept."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol, cast

import httptools

Headers = Mapping[str, str]


@dataclass(slots=True)
class Arrival:
    """One POST. `at_ns` is the monotonic time at which its last byte was read; `status` is 0 where none was answered,
    `sid` None where the text was not taken. What `asks` for texts is none itself.
    `account` is whose text it is, where the provider has several.
    """

    at_ns: int
    sender: str
    to: str
    body: str
    sid: str | None = None
    status: int = 0
    form: Mapping[str, Any] = field(default_factory=dict)
    asks: bool = False
    account: str = ""


@dataclass(slots=True)
class Exchange:
    """What was read and answered, byte for byte as far as a contract is concerned."""

    method: str
    target: str
    headers: Headers
    body: bytes
    status: int = 0
    answer: bytes = b""


class Served(Protocol):
    """Whoever answers what comes over the connections."""

    connections: "set[Conversation]"
    connections_made: int

    def answer(self, conversation: "Conversation", request: Exchange, at_ns: int) -> None: ...

    def keep(self, exchange: Exchange) -> None: ...


class Conversation(asyncio.Protocol):
    """One connection: requests are answered one after the other."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._request = Exchange("", "", {}, b"")
        self._headers: dict[str, str] = {}
        self._read_ns = 0
        self.arrival: Arrival | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._served.connections.add(self)
        self._served.connections_made += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the base class's own
        self._transport = None
        self._served.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._read_ns = time.monotonic_ns()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.abort()

    def on_url(self, url: bytes) -> None:
        self._headers = {}
        self._request = Exchange("", url.decode(), self._headers, b"")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._request.body += body

    def on_message_complete(self) -> None:
        self._request.method = self._parser.get_method().decode()
        self.arrival = None
        self._served.answer(self, self._request, self._read_ns)

    def write(self, status: int, answer: object, headers: Headers | None = None) -> None:
        self.write_raw(status, json.dumps(answer).encode(), {"Content-Type": "application/json", **(headers or {})})

    def write_raw(self, status: int, body: bytes, headers: Headers) -> None:
        self.put(response(status, body, headers))
        self._request.status, self._request.answer = status, body
        self._served.keep(self._request)

    def put(self, data: bytes) -> None:
        if self.arrival is not None:
            self.arrival.status = int(data[9:12]) if data.startswith(b"HTTP/1.1 ") else self.arrival.status
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def response(status: int, body: bytes, headers: Headers) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body

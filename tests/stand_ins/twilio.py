"""Twilio's Messages resource as far as the hub uses it, on a port of this machine.

    python -m tests.stand_ins.twilio --port 0

prints `{"port": …}` when it listens. What it does wrong is told to it by `POST /_control`, or follows from Twilio's
magic numbers; what it was sent is told by `GET /_control/log`. Nothing of it is a secret: anybody may control it.
"""

import argparse
import asyncio
import base64
import contextlib
import hmac
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import httptools

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN = "fedcba9876543210" * 2
API_KEY = "SK" + "0123456789abcdef" * 2
API_SECRET = "the-secret-of-an-api-key"

# https://www.twilio.com/docs/iam/test-credentials
MAGIC_RECIPIENTS = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
MAGIC_SENDERS = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}

_API = "/2010-04-01/Accounts/"
_DEFAULT_PAGE = 50
_LARGEST_PAGE = 1_000

_Headers = Mapping[str, str]


@dataclass(slots=True)
class Behaviour:
    """What is done to the next `count` texts, None for all; to those of one number where `to` is set.

    `name` is one of `BEHAVIOURS`. `code` and `status` are the error's; `retry_after` is the header as it is sent.
    """

    name: str
    count: int | None = 1
    to: str | None = None
    code: int = 21211
    status: int = 400
    retry_after: str | None = None
    delay_s: float = 0.02


@dataclass(slots=True)
class Arrival:
    """One POST. `at_ns` is the monotonic time at which its last byte was read; `status` is 0 where none was answered,
    `sid` None where the text was not taken.
    """

    at_ns: int
    sender: str
    to: str
    body: str
    sid: str | None = None
    status: int = 0
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Exchange:
    """What was read and answered, byte for byte as far as a contract is concerned."""

    method: str
    target: str
    headers: _Headers
    body: bytes
    status: int = 0
    answer: bytes = b""


class TwilioStandIn:
    """`credentials` are passwords by user names. `intervals_us` are the shortest times between two texts of a sender,
    `interval_us` that of all others; a text that comes earlier is refused as Twilio refuses one too many.
    """

    def __init__(
        self,
        *,
        credentials: Mapping[str, str] | None = None,
        intervals_us: Mapping[str, int] | None = None,
        interval_us: int | None = None,
        delay_ms: float = 0,
        keep_exchanges: bool = False,
    ) -> None:
        self.credentials = dict(credentials or {ACCOUNT_SID: AUTH_TOKEN, API_KEY: API_SECRET})
        self.intervals_us = dict(intervals_us or {})
        self.interval_us = interval_us
        self.delay_s = delay_ms / 1_000
        self.behaviours: list[Behaviour] = []
        self.arrivals: list[Arrival] = []
        self.exchanges: list[Exchange] = []
        self.messages: dict[str, dict[str, Any]] = {}
        self.connections: set[Conversation] = set()
        self.connections_made = 0
        self.port = 0
        self._keep_exchanges = keep_exchanges
        self._latest_ns: dict[str, int] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sids(self) -> list[str]:
        return list(self.messages)

    def does(self, name: str, **how: Any) -> None:  # noqa: ANN401 - a behaviour's own fields
        assert name in BEHAVIOURS, name
        self.behaviours.append(Behaviour(name, **how))

    @asynccontextmanager
    async def running(self, *, port: int = 0) -> AsyncIterator["TwilioStandIn"]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Conversation(self), "127.0.0.1", port, backlog=1_024)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.hang_up()
            await server.wait_closed()

    def hang_up(self) -> None:
        """Ends every connection, idle or not."""
        for conversation in list(self.connections):
            conversation.abort()

    def answer(self, conversation: "Conversation", request: Exchange, at_ns: int) -> None:
        path = urlsplit(request.target).path
        if path == "/_control":
            self.behaviours.append(Behaviour(**_behaviour(json.loads(request.body))))
            conversation.write(HTTPStatus.OK, {})
        elif path == "/_control/log":
            conversation.write(HTTPStatus.OK, [asdict(arrival) for arrival in self.arrivals])
        elif not self._knows(request.headers.get("authorization", "")):
            conversation.write(*_error(20003, HTTPStatus.UNAUTHORIZED))
        elif path == f"{_API}{ACCOUNT_SID}/Messages.json" and request.method == "POST":
            self._take(conversation, request, at_ns)
        elif path == f"{_API}{ACCOUNT_SID}/Messages.json":
            self._behave(conversation, None, lambda: conversation.write(HTTPStatus.OK, self._page(request.target)))
        elif path.startswith(f"{_API}{ACCOUNT_SID}/Messages/"):
            message = self.messages.get(path.rpartition("/")[2].removesuffix(".json"))
            found = (HTTPStatus.OK, message) if message else _error(20404, HTTPStatus.NOT_FOUND)
            self._behave(conversation, None, lambda: conversation.write(*found))
        else:
            conversation.write(*_error(20404, HTTPStatus.NOT_FOUND))

    def keep(self, exchange: Exchange) -> None:
        if self._keep_exchanges:
            self.exchanges.append(exchange)

    def take(self, arrival: Arrival) -> Mapping[str, Any]:
        """Twilio has the text from here on, whether it says so or not."""
        arrival.sid = f"SM{uuid4().hex}"
        message = _message(arrival)
        self.messages[arrival.sid] = message
        return message

    def _take(self, conversation: "Conversation", request: Exchange, at_ns: int) -> None:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        sender = form.get("From") or form.get("MessagingServiceSid", "")
        arrival = Arrival(at_ns, sender, form.get("To", ""), form.get("Body", ""), form=form)
        self.arrivals.append(arrival)
        conversation.arrival = arrival
        self._behave(conversation, arrival, lambda: conversation.write(*self._verdict(arrival)))

    def _verdict(self, arrival: Arrival) -> tuple[HTTPStatus, object, _Headers]:
        early_us = self._early_us(arrival)
        if early_us > 0:
            return _error(20429, HTTPStatus.TOO_MANY_REQUESTS, retry_after=str(-(-early_us // 1_000_000)))
        code = MAGIC_RECIPIENTS.get(arrival.to) or MAGIC_SENDERS.get(arrival.sender) or _fault(arrival)
        return _error(code) if code else (HTTPStatus.CREATED, self.take(arrival), {})

    def _early_us(self, arrival: Arrival) -> int:
        """A text that is refused leaves the pace as it was."""
        interval_us = self.intervals_us.get(arrival.sender, self.interval_us)
        latest_ns = self._latest_ns.get(arrival.sender)
        early_ns = 0
        if interval_us is not None and latest_ns is not None:
            early_ns = latest_ns + interval_us * 1_000 - arrival.at_ns
        if early_ns <= 0:
            self._latest_ns[arrival.sender] = arrival.at_ns
        return -(-early_ns // 1_000)

    def _behave(self, conversation: "Conversation", arrival: Arrival | None, usual: Callable[[], None]) -> None:
        if self.behaviours:
            to = None if arrival is None else arrival.to
            for behaviour in self.behaviours:
                if behaviour.to in {None, to} and behaviour.count != 0:
                    if behaviour.count is not None:
                        behaviour.count -= 1
                    BEHAVIOURS[behaviour.name](self, conversation, arrival, behaviour)
                    return
        if self.delay_s:
            asyncio.get_running_loop().call_later(self.delay_s, usual)
        else:
            usual()

    def _knows(self, authorization: str) -> bool:
        kind, _, encoded = authorization.partition(" ")
        try:
            name, _, password = base64.b64decode(encoded).decode().partition(":")
        except ValueError:
            return False
        return kind == "Basic" and bool(name) and self.credentials.get(name) == password

    def _page(self, target: str) -> Mapping[str, object]:
        """The newest first, as Twilio lists them."""
        asked = dict(parse_qsl(urlsplit(target).query))
        found = [message for message in reversed(self.messages.values()) if _is_asked_for(message, asked)]
        size = min(int(asked.get("PageSize", _DEFAULT_PAGE)), _LARGEST_PAGE)
        number = int(asked.get("Page", 0))
        shown = found[number * size : (number + 1) * size]

        def uri(page: int) -> str:
            query = {**asked, "PageSize": size, "Page": page}
            return f"{_API}{ACCOUNT_SID}/Messages.json?{urlencode(query)}"

        return {
            "first_page_uri": uri(0),
            "next_page_uri": uri(number + 1) if len(found) > (number + 1) * size else None,
            "previous_page_uri": uri(number - 1) if number else None,
            "uri": uri(number),
            "page": number,
            "page_size": size,
            "start": number * size,
            "end": number * size + max(len(shown) - 1, 0),
            "messages": shown,
        }


class Conversation(asyncio.Protocol):
    """One connection: requests are answered one after the other."""

    def __init__(self, twilio: TwilioStandIn) -> None:
        self._twilio = twilio
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._request = Exchange("", "", {}, b"")
        self._headers: dict[str, str] = {}
        self._read_ns = 0
        self.arrival: Arrival | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]
        self._twilio.connections.add(self)
        self._twilio.connections_made += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the base class's own
        self._transport = None
        self._twilio.connections.discard(self)

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
        self._twilio.answer(self, self._request, self._read_ns)

    def write(self, status: int, answer: object, headers: _Headers | None = None) -> None:
        self.write_raw(status, json.dumps(answer).encode(), {"Content-Type": "application/json", **(headers or {})})

    def write_raw(self, status: int, body: bytes, headers: _Headers) -> None:
        self.send(response(status, body, headers))
        self._request.status, self._request.answer = status, body
        self._twilio.keep(self._request)

    def send(self, data: bytes) -> None:
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


def signature(url: str, form: Mapping[str, str], secret: str, *, digest: str = "sha1") -> str:
    """As Twilio's documentation has it: the address, then each field's name and value, in their order."""
    signed = url + "".join(f"{name}{value}" for name, value in sorted(form.items()))
    return base64.b64encode(hmac.digest(secret.encode(), signed.encode(), digest)).decode()


def response(status: int, body: bytes, headers: _Headers) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _behaviour(told: Mapping[str, Any]) -> dict[str, Any]:
    rest = dict(told)
    name = rest.pop("behaviour")
    if name not in BEHAVIOURS:
        raise ValueError(name)
    return {"name": name, **rest}


_Deed = Callable[[TwilioStandIn, Conversation, Arrival | None, Behaviour], None]


def _ok(twilio: TwilioStandIn, conversation: Conversation, arrival: Arrival | None, _how: Behaviour) -> None:
    conversation.write(HTTPStatus.CREATED, twilio.take(arrival) if arrival else {})


def _hang(_twilio: TwilioStandIn, _conversation: Conversation, _arrival: Arrival | None, _how: Behaviour) -> None:
    """Neither takes the text nor answers."""


def _hang_but_taken(twilio: TwilioStandIn, _conversation: Conversation, arrival: Arrival | None, _: Behaviour) -> None:
    if arrival:
        twilio.take(arrival)


def _drip(twilio: TwilioStandIn, conversation: Conversation, arrival: Arrival | None, how: Behaviour) -> None:
    """Takes it, and answers byte by byte."""
    left = list(response(201, json.dumps(twilio.take(arrival) if arrival else {}).encode(), {}))

    def next_byte() -> None:
        conversation.send(bytes([left.pop(0)]))
        if left:
            asyncio.get_running_loop().call_later(how.delay_s, next_byte)

    next_byte()


def _reset_before_answer(
    twilio: TwilioStandIn, conversation: Conversation, arrival: Arrival | None, _how: Behaviour
) -> None:
    if arrival:
        twilio.take(arrival)
    conversation.abort()


def _reset_without_taking(
    _twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival | None, _how: Behaviour
) -> None:
    conversation.abort()


def _html_200(_twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival | None, _how: Behaviour) -> None:
    conversation.write_raw(200, b"<html><body>Welcome to this Wi-Fi</body></html>", {"Content-Type": "text/html"})


def _no_http(_twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival | None, _how: Behaviour) -> None:
    conversation.send(b"220 mail.example ESMTP\r\n\r\n")
    conversation.close()


def _cut_json(twilio: TwilioStandIn, conversation: Conversation, arrival: Arrival | None, _how: Behaviour) -> None:
    whole = json.dumps(twilio.take(arrival) if arrival else {"messages": []}).encode()
    conversation.write_raw(201 if arrival else 200, whole[: len(whole) // 2], {"Content-Type": "application/json"})


def _cut_answer(twilio: TwilioStandIn, conversation: Conversation, arrival: Arrival | None, _how: Behaviour) -> None:
    """Hangs up in the middle of it."""
    conversation.send(response(201, json.dumps(twilio.take(arrival) if arrival else {}).encode(), {})[:-40])
    conversation.close()


def _no_sid(twilio: TwilioStandIn, conversation: Conversation, arrival: Arrival | None, _how: Behaviour) -> None:
    conversation.write(201, {**(twilio.take(arrival) if arrival else {}), "sid": None})


def _huge(twilio: TwilioStandIn, conversation: Conversation, arrival: Arrival | None, _how: Behaviour) -> None:
    whole = json.dumps(twilio.take(arrival) if arrival else {"messages": []}).encode() + b" " * (8 * 2**20)
    conversation.write_raw(201 if arrival else 200, whole, {"Content-Type": "application/json"})


def _error_500(_twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival | None, _how: Behaviour) -> None:
    conversation.write(*_error(20500, HTTPStatus.INTERNAL_SERVER_ERROR))


def _error_500_but_taken(
    twilio: TwilioStandIn, conversation: Conversation, arrival: Arrival | None, _how: Behaviour
) -> None:
    if arrival:
        twilio.take(arrival)
    conversation.write(*_error(20500, HTTPStatus.INTERNAL_SERVER_ERROR))


def _too_many(_twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival | None, how: Behaviour) -> None:
    conversation.write(*_error(20429, HTTPStatus.TOO_MANY_REQUESTS, retry_after=how.retry_after))


def _unauthorized(_twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival | None, _: Behaviour) -> None:
    conversation.write(*_error(20003, HTTPStatus.UNAUTHORIZED))


def _any_error(_twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival | None, how: Behaviour) -> None:
    conversation.write(*_error(how.code, HTTPStatus(how.status), retry_after=how.retry_after))


def _problem(_twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival | None, how: Behaviour) -> None:
    """As newer services of Twilio's say what is wrong (RFC 9457)."""
    body = {"type": "about:blank", "title": "Bad", "status": how.status, "code": how.code}
    conversation.write(
        how.status, body, {"Content-Type": "application/problem+json", **_asking_to_wait(how.retry_after)}
    )


def _redirect(_twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival | None, how: Behaviour) -> None:
    conversation.write_raw(how.status, b"", {"Location": f"{_API}{ACCOUNT_SID}/Messages.json"})


BEHAVIOURS: Mapping[str, _Deed] = {
    "ok": _ok,
    "hang": _hang,
    "hang-but-taken": _hang_but_taken,
    "drip": _drip,
    "reset-before-answer": _reset_before_answer,
    "reset-without-taking": _reset_without_taking,
    "html-200": _html_200,
    "no-http": _no_http,
    "cut-json": _cut_json,
    "cut-answer": _cut_answer,
    "no-sid": _no_sid,
    "huge": _huge,
    "500": _error_500,
    "500-but-taken": _error_500_but_taken,
    "429": _too_many,
    "401": _unauthorized,
    "error": _any_error,
    "problem": _problem,
    "redirect": _redirect,
}


def _error(
    code: int, status: HTTPStatus = HTTPStatus.BAD_REQUEST, *, retry_after: str | None = None
) -> tuple[HTTPStatus, object, _Headers]:
    body = {
        "code": code,
        "message": status.phrase,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": int(status),
    }
    return status, body, _asking_to_wait(retry_after)


def _asking_to_wait(retry_after: str | None) -> _Headers:
    return {} if retry_after is None else {"Retry-After": retry_after}


def _fault(arrival: Arrival) -> int | None:
    if not arrival.to.startswith("+"):
        return 21211
    if not arrival.sender:
        return 21603
    if not arrival.body:
        return 21602
    return 21617 if len(arrival.body) > 1_600 else None


def _message(arrival: Arrival) -> dict[str, Any]:
    by_service = arrival.sender.startswith("MG")
    uri = f"{_API}{ACCOUNT_SID}/Messages/{arrival.sid}"
    now = format_datetime(datetime.now(UTC))
    return {
        "account_sid": ACCOUNT_SID,
        "api_version": "2010-04-01",
        "body": arrival.body,
        "date_created": now,
        "date_sent": None,
        "date_updated": now,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": None if by_service else arrival.sender,
        "messaging_service_sid": arrival.sender if by_service else None,
        "num_media": "0",
        "num_segments": "0" if by_service else str(-(-len(arrival.body) // 153)),
        "price": None,
        "price_unit": "USD",
        "sid": arrival.sid,
        "status": "accepted" if by_service else "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": arrival.to,
        "uri": f"{uri}.json",
    }


def _is_asked_for(message: Mapping[str, Any], asked: Mapping[str, str]) -> bool:
    if message["to"] != asked.get("To", message["to"]) or message["from"] != asked.get("From", message["from"]):
        return False
    dates = {name: day for name, day in asked.items() if name.startswith("DateSent")}
    if not dates:
        return True
    if message["date_sent"] is None:
        return False
    sent = datetime.strptime(message["date_sent"], "%a, %d %b %Y %H:%M:%S %z").date().isoformat()
    return all(
        sent[:10] == day[:10] if name == "DateSent" else (sent <= day[:10] if name == "DateSent<" else sent >= day[:10])
        for name, day in dates.items()
    )


def take_precedence() -> None:
    """Before all other processes, where the system allows it: what a busy machine reads late would seem to have been
    sent late.
    """
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


async def serve(twilio: TwilioStandIn, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with twilio.running(port=port):
        print(json.dumps({"port": twilio.port}), flush=True)
        await stopped.wait()


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description="A stand-in for Twilio.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--interval-us", type=int, help="the shortest time between two texts of a sender")
    parser.add_argument("--intervals-us", type=json.loads, default={}, help='{"+19705550100": 1000000}')
    options = parser.parse_args(arguments)
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: PLC0415 - not on every platform

        uvloop.install()
    take_precedence()
    twilio = TwilioStandIn(
        delay_ms=options.delay_ms, interval_us=options.interval_us, intervals_us=options.intervals_us
    )
    asyncio.run(serve(twilio, options.port))


if __name__ == "__main__":
    main(sys.argv[1:])

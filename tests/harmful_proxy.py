"""A proxy between clients and a hub, which does harm to a call where it is told to."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import jwt

from entrypoints.settings import Settings
from tests.http import SIGNING_KEYS, Credentials, RunningHub, a_running_hub
from tests.patience import PATIENCE_S
from tests.ports import free_port

TEXTS = "/api/TextMessages"
LOGIN = "/api/Login"
SUBSCRIBERS = "/api/Subscribers"


class Harm(Enum):
    EXPIRED_TOKEN = "the hub is shown the same token as it is when it has expired"
    LOST_ANSWER = "the hub takes the text, and the connection is cut before its answer"


@dataclass(frozen=True, slots=True)
class Call:
    """What a client asked of the hub, by the path inside its prefix, and the status of the hub's answer."""

    method: str
    path: str
    status: int


@dataclass
class HarmfulProxy:
    """At `url`, before the hub at the address `hub`. The next posts of texts come to the `harms`, one each."""

    url: str
    prefix: str
    hub: str = ""
    calls: list[Call] = field(default_factory=list)
    harms: deque[Harm] = field(default_factory=deque)

    def forget(self) -> None:
        self.calls.clear()
        self.harms.clear()

    @property
    def public_url(self) -> str:
        """The hub's, as its clients know it."""
        return f"{self.url}{self.prefix}"

    def statuses(self, path: str) -> list[int]:
        """What posts to the path were answered with."""
        return [call.status for call in self.calls if (call.method, call.path) == ("POST", path)]


@contextmanager
def a_harmful_proxy(*, prefix: str = "") -> Iterator[HarmfulProxy]:
    """Its `hub` is to be set before anybody calls it."""
    port = free_port()
    proxy = HarmfulProxy(f"http://127.0.0.1:{port}", prefix)

    class Forwards(_Forwards):
        before = proxy

    with ThreadingHTTPServer(("127.0.0.1", port), Forwards) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True, slots=True)
class ProxiedHub:
    """A hub whose address, as its clients know it, is that of a proxy."""

    running: RunningHub
    proxy: HarmfulProxy

    def texts_of(self, credentials: Credentials) -> Sequence[Mapping[str, Any]]:
        """All that the program has sent, newest first."""
        token = self.running.log_in(credentials)
        read = self.running.client.get(TEXTS, headers={"Authorization": f"Bearer {token}"})
        items: Sequence[Mapping[str, Any]] = read.json()["Items"]
        return items


@contextmanager
def a_proxied_hub(database_url: str, *, prefix: str = "", **settings: object) -> Iterator[ProxiedHub]:
    """As `a_running_hub` takes them."""
    with (
        a_harmful_proxy(prefix=prefix) as proxy,
        a_running_hub(database_url, prefix=prefix, public_url=proxy.public_url, **settings) as hub,
    ):
        proxy.hub = hub.url
        yield ProxiedHub(hub, proxy)


class _Forwards(BaseHTTPRequestHandler):
    before: HarmfulProxy
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_S

    def do_GET(self) -> None:
        self._forward()

    def do_POST(self) -> None:
        self._forward()

    def do_OPTIONS(self) -> None:
        self._forward()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass

    def _forward(self) -> None:
        proxy = self.before
        path = self.path.removeprefix(proxy.prefix)
        harm = proxy.harms.popleft() if proxy.harms and (self.command, path) == ("POST", TEXTS) else None
        response, content = self._ask(harm)
        proxy.calls.append(Call(self.command, path, response.status))
        if harm is Harm.LOST_ANSWER:
            self.close_connection = True
            return
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in {"connection", "content-length", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _ask(self, harm: Harm | None) -> tuple[HTTPResponse, bytes]:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = HTTPConnection(str(urlsplit(self.before.hub).netloc), timeout=PATIENCE_S)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() == "authorization" and harm is Harm.EXPIRED_TOKEN:
                    connection.putheader(name, _expired(value))
                elif name.lower() not in {"connection", "expect"}:
                    connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()


def _expired(header: str) -> str:
    """The token, with a scheme or without, as the hub would have issued it long ago."""
    *scheme, token = header.split(" ")
    settings = Settings.from_environment(database_url="sqlite://", signing_keys=SIGNING_KEYS)
    claims = jwt.decode(token, options={"verify_signature": False}) | {"iat": 0, "nbf": 0, "exp": 1}
    return " ".join([*scheme, jwt.encode(claims, settings.signing_ring()["tests"], "HS256", {"kid": "tests"})])

"""What must not be seen, in every form in which it might be; and providers that repeat whatever they are told."""

import base64
import json
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from urllib.parse import quote, quote_plus


@dataclass(frozen=True, slots=True)
class Mark:
    """`name` says what it is; `text` is what is looked for. `is_number`: its digits are looked for."""

    name: str
    text: str
    is_number: bool = False

    @property
    def forms(self) -> frozenset[str]:
        """As it is, and as base64, in percent and in JSON's escapes, in hexadecimal digits and in capitals."""
        # Of a number without its country code, too: that is how people write it.
        text = self.text[-10:] if self.is_number else self.text
        data = text.encode()
        found = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
        found |= {quote(text, safe=""), quote_plus(text), data.hex()}
        if self.is_number:
            found |= {f"({text[:3]}) {text[3:6]}-{text[6:]}", "-".join((text[:3], text[3:6], text[6:]))}
        # Wherever it stands in what is encoded, the same letters are in the middle.
        for before in range(3):
            encoded = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
            middle = encoded[(before * 8 + 5) // 6 :][:-1]
            found |= {middle, middle.replace("+", "-").replace("/", "_")}
        return frozenset(found)

    def stands_in(self, text: str) -> bool:
        return any(form in text for form in self.forms)


def seen(marks: Sequence[Mark], text: str) -> Sequence[str]:
    """What of it is seen there, with what stands around it."""
    return [
        f"{mark.name}: …{text[max(0, at - 200) : at + 100]}…"
        for mark in marks
        for form in sorted(mark.forms)
        if (at := text.find(form)) >= 0
    ]


class _Echo(BaseHTTPRequestHandler):
    """Refuses, fails and answers nonsense, one after the other; all of it repeats the request."""

    protocol_version = "HTTP/1.1"
    turns: Iterator[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(errors="replace")
        said = f"{self.path} {body} {self.headers}"
        match next(self.turns):
            case 0:
                self._answer(400, "application/json", json.dumps({"code": 21211, "message": said, "more_info": said}))
            case 1:
                self._answer(500, "text/html", f"<html>{said}</html>")
            case 2:
                self._answer(200, "application/json", json.dumps({"sid": said, "messages": [{"status": said}]})[:-9])
            case _:
                self._answer(422, "application/problem+json", json.dumps({"type": said, "title": said, "detail": said}))

    do_GET = do_POST  # noqa: N815

    def _answer(self, status: int, media_type: str, text: str) -> None:
        data = text.encode()
        self.send_response(status, "".join(filter(str.isalnum, text))[:500])
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Said", quote(text)[:2_000])
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_said: object) -> None:
        pass


@contextmanager
def echoing(port: int, tls: ssl.SSLContext | None = None) -> Iterator[None]:
    """A provider, or a program's endpoint, on that port."""
    handler = type("Echo", (_Echo,), {"turns": cycle(range(4))})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def columns_with(marks: Sequence[Mark], tables: Mapping[str, Sequence[Mapping[str, object]]]) -> Mapping[str, set[str]]:
    """Where in a database each of them stands: names of columns by names of marks."""
    found: dict[str, set[str]] = {}
    for table, rows in tables.items():
        for row in rows:
            for column, value in row.items():
                for mark in marks:
                    if value is not None and mark.stands_in(str(value)):
                        found.setdefault(mark.name, set()).add(f"{table}.{column}")
    return found

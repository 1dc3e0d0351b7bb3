"""A connection to Vonage: HTTP/1.1 over TLS, one request after the other.

A worker's thread makes it and reads answers from it; the event loop writes to it. They never do so at the same time.
"""

import socket
import ssl
import time
from dataclasses import dataclass, field

from httptools import HttpParserError, HttpResponseParser

_AT_ONCE = 65_536
# An answer has some hundred bytes.
_LONGEST_ANSWER = 2**20


class ConnectionGone(OSError):
    """It dropped while the text waited for its departure: nothing was written."""


class UnreadableAnswer(Exception):
    pass


@dataclass(slots=True)
class Answer:
    """`headers` are by their names in small letters."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


class Connection:
    """Raises `OSError` where it cannot be made, `ssl.SSLError` among them where encryption fails."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext, *, timeout_s: float) -> None:
        plain = socket.create_connection((host, port), timeout_s)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = tls.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise
        self.reusable = True
        self._used_s = time.monotonic()

    @property
    def idle_s(self) -> float:
        """Since it was made, or its last answer was read."""
        return time.monotonic() - self._used_s

    def stands(self) -> bool:
        """Whether a request may be written: a server that has hung up, or speaks unasked, will not answer it.

        What TLS itself has to say, such as a session's ticket, is heard on the way.
        """
        if not self.reusable:
            return False
        self._socket.settimeout(0)
        try:
            self._socket.recv(1)
        except (ssl.SSLWantReadError, BlockingIOError):
            return True
        except OSError:
            pass
        self.reusable = False
        return False

    def write(self, request: bytes) -> bytes:
        """Writes as much as it can at once, and says what is left to be written; a fault comes to light then."""
        self.reusable = False
        self._socket.settimeout(0)
        try:
            return request[self._socket.send(request) :]
        except OSError:
            return request

    def exchange(self, unwritten: bytes, *, timeout_s: float) -> Answer:
        """Writes the rest of a request and reads the answer, all within the time.

        Raises `OSError`, `TimeoutError` among them, and `UnreadableAnswer`.
        """
        until_s = time.monotonic() + timeout_s
        self._socket.settimeout(timeout_s)
        self._socket.sendall(unwritten)
        reader = _Reader()
        while not reader.complete:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            self._socket.settimeout(left_s)
            received = self._socket.recv(_AT_ONCE)
            if not received and not reader.ends_with_the_connection:
                raise ConnectionError
            if not received:
                return reader.answer
            reader.read(received)
        self.reusable, self._used_s = reader.keeps_alive, time.monotonic()
        return reader.answer

    def close(self) -> None:
        self.reusable = False
        self._socket.close()


class _Reader:
    """One answer, from the pieces that it comes in. Its methods are called by the parser."""

    def __init__(self) -> None:
        self.answer = Answer()
        self.complete = False
        self.keeps_alive = False
        self._parser = HttpResponseParser(self)
        self._announced = False

    def read(self, received: bytes) -> None:
        """Raises `UnreadableAnswer`."""
        try:
            self._parser.feed_data(received)
        except HttpParserError:
            self.keeps_alive = False
            # What comes after an answer does not make it another.
            if not self.complete:
                raise UnreadableAnswer from None
        if len(self.answer.body) > _LONGEST_ANSWER:
            raise UnreadableAnswer

    @property
    def ends_with_the_connection(self) -> bool:
        sized = {"content-length", "transfer-encoding"} & self.answer.headers.keys()
        return self._announced and not sized

    def on_message_begin(self) -> None:
        if self.complete:
            raise ValueError

    def on_header(self, name: bytes, value: bytes) -> None:
        self.answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.answer.status = self._parser.get_status_code()
        self._announced = self.answer.status >= 200

    def on_body(self, body: bytes) -> None:
        self.answer.body += body

    def on_message_complete(self) -> None:
        # Those before 200 only say that an answer will come.
        self.complete, self.keeps_alive = self._announced, self._parser.should_keep_alive()
        if not self._announced:
            self.answer.headers.clear()

"""What Vonage's library speaks HTTP with: a transport adapter of `requests`, which is what that library is made of."""

import ssl
from io import BytesIO
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from adapters.providers.vonage.call import Call, Stayed
from adapters.providers.vonage.connection import Answer, Connection

_HTTPS_PORT = 443
# A server may hang up on a connection that is idle in the very moment in which a text is written to it, and then nobody
# could tell whether the text was sent.
_LONGEST_IDLE_S = 15.0


class Transport(BaseAdapter):
    """Carries out the requests of one worker: those of its present `call`, which lets one of them go.

    It keeps one connection to each host, and writes to none that the host has let go meanwhile.
    """

    def __init__(self, tls: ssl.SSLContext, *, connect_timeout_s: float) -> None:
        super().__init__()
        self.call: Call | None = None
        self._tls = tls
        self._connect_timeout_s = connect_timeout_s
        self._connections: dict[tuple[str, int], Connection] = {}

    def send(self, request: PreparedRequest, *_: object, **__: object) -> Response:
        """Raises what the connection and the call raise."""
        if self.call is None:
            raise Stayed
        url = urlsplit(str(request.url))
        address = url.hostname or "", url.port or _HTTPS_PORT
        connection = self._connection_to(address)
        try:
            answer = self.call.exchange(connection, _written(request, url.netloc))
        finally:
            if not connection.reusable:
                self._let_go(address)
        return _response(request, answer)

    def close(self) -> None:
        for address in tuple(self._connections):
            self._let_go(address)

    def _connection_to(self, address: tuple[str, int]) -> Connection:
        known = self._connections.get(address)
        if known is not None and known.idle_s <= _LONGEST_IDLE_S and known.stands():
            return known
        self._let_go(address)
        self._connections[address] = Connection(*address, self._tls, timeout_s=self._connect_timeout_s)
        return self._connections[address]

    def _let_go(self, address: tuple[str, int]) -> None:
        connection = self._connections.pop(address, None)
        if connection is not None:
            connection.close()


class Question(BaseAdapter):
    """Carries out one request that no text depends on, over a connection of its own. `status` is that of its answer,
    None where there was none.
    """

    def __init__(self, tls: ssl.SSLContext, *, connect_timeout_s: float, answer_timeout_s: float) -> None:
        super().__init__()
        self.status: int | None = None
        self._tls = tls
        self._connect_timeout_s = connect_timeout_s
        self._answer_timeout_s = answer_timeout_s

    def send(self, request: PreparedRequest, *_: object, **__: object) -> Response:
        """Raises what the connection raises."""
        url = urlsplit(str(request.url))
        address = url.hostname or "", url.port or _HTTPS_PORT
        connection = Connection(*address, self._tls, timeout_s=self._connect_timeout_s)
        try:
            answer = connection.exchange(_written(request, url.netloc), timeout_s=self._answer_timeout_s)
        finally:
            connection.close()
        self.status = answer.status
        return _response(request, answer)

    def close(self) -> None:
        """It holds nothing."""


def _written(request: PreparedRequest, host: str) -> bytes:
    headers = {"Host": host, **request.headers}
    lines = [f"{request.method} {request.path_url} HTTP/1.1", *(f"{name}: {_text(headers[name])}" for name in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + _bytes(request.body)


def _bytes(body: object) -> bytes:
    """JSON comes as bytes and a form as a string; the library writes nothing else."""
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else b""


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _response(request: PreparedRequest, answer: Answer) -> Response:
    response = Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response.encoding = "utf-8"
    response.raw = BytesIO(answer.body)
    response.url = str(request.url)
    response.request = request
    return response

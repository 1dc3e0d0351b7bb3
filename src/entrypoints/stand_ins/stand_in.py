"""What stand-ins for providers have in common: a port of this machine, and the ways in which they go wrong."""

import asyncio
import json
import ssl
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, ClassVar, Self

from entrypoints.stand_ins.http import Arrival, Conversation, Exchange


@dataclass(slots=True)
class Behaviour:
    """What is done to the next `count` texts, None for all; to those of one number where `to` is set.

    `name` is one of the stand-in's `DEEDS`. `code` and `status` are the error's, None for the usual ones; `retry_after`
    is the header as it is sent.
    """

    name: str
    count: int | None = 1
    to: str | None = None
    code: Any = None
    status: int | None = None
    retry_after: str | None = None
    delay_s: float = 0.02


Deed = Callable[[Any, Conversation, Arrival, Behaviour], None]
"""What a stand-in does over a conversation, to a text or to what asks for texts."""


class UnknownBehaviour(ValueError):
    pass


class StandIn(ABC):
    """A provider on a port of this machine, with `tls` over TLS. `intervals_us` are the shortest times between two
    texts of a sender, `interval_us` that of all others; a text that comes earlier is refused as one too many.
    """

    DEEDS: ClassVar[Mapping[str, Deed]]

    def __init__(
        self,
        *,
        intervals_us: Mapping[str, int] | None = None,
        interval_us: int | None = None,
        delay_ms: float = 0,
        keep_exchanges: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.intervals_us = dict(intervals_us or {})
        self.interval_us = interval_us
        self.delay_s = delay_ms / 1_000
        self.behaviours: list[Behaviour] = []
        self.arrivals: list[Arrival] = []
        self.exchanges: list[Exchange] = []
        self.connections: set[Conversation] = set()
        self.connections_made = 0
        self.port = 0
        self._keep_exchanges = keep_exchanges
        self._tls = tls
        self._latest_ns: dict[str, int] = {}

    @abstractmethod
    def answer(self, conversation: "Conversation", request: Exchange, at_ns: int) -> None: ...

    @abstractmethod
    def success(self, arrival: Arrival) -> tuple[int, object]:
        """The provider has the text from here on, whether it says so or not. What asks is told that there is none."""

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def does(self, name: str, **how: Any) -> None:  # noqa: ANN401 - a behaviour's own fields
        if name not in self.DEEDS:
            raise UnknownBehaviour(name)
        self.behaviours.append(Behaviour(name, **how))

    @asynccontextmanager
    async def running(self, *, port: int = 0) -> AsyncIterator[Self]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Conversation(self), "127.0.0.1", port, backlog=1_024, ssl=self._tls)
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

    def keep(self, exchange: Exchange) -> None:
        if self._keep_exchanges:
            self.exchanges.append(exchange)

    def controlled(self, conversation: "Conversation", request: Exchange) -> bool:
        """Does what it is told by its control, if that is what is spoken to."""
        if request.target == "/_control":
            self._be_told(conversation, json.loads(request.body))
        elif request.target == "/_control/log":
            conversation.write(HTTPStatus.OK, [asdict(arrival) for arrival in self.arrivals])
        return request.target.startswith("/_control")

    def _be_told(self, conversation: "Conversation", told: dict[str, Any]) -> None:
        try:
            self.does(told.pop("behaviour"), **told)
        except (KeyError, TypeError, UnknownBehaviour):
            conversation.write(HTTPStatus.BAD_REQUEST, {"behaviours": sorted(self.DEEDS)})
        else:
            conversation.write(HTTPStatus.OK, {})

    def early_us(self, arrival: Arrival) -> int:
        """A text that is refused leaves the pace as it was."""
        interval_us = self.intervals_us.get(arrival.sender, self.interval_us)
        latest_ns = self._latest_ns.get(arrival.sender)
        early_ns = 0
        if interval_us is not None and latest_ns is not None:
            early_ns = latest_ns + interval_us * 1_000 - arrival.at_ns
        if early_ns <= 0:
            self._latest_ns[arrival.sender] = arrival.at_ns
        return -(-early_ns // 1_000)

    def behave(self, conversation: "Conversation", arrival: Arrival, usual: Callable[[], None]) -> None:
        if self.behaviours:
            for behaviour in self.behaviours:
                if behaviour.to in {None, arrival.to} and behaviour.count != 0:
                    if behaviour.count is not None:
                        behaviour.count -= 1
                    self.DEEDS[behaviour.name](self, conversation, arrival, behaviour)
                    return
        if self.delay_s:
            asyncio.get_running_loop().call_later(self.delay_s, usual)
        else:
            usual()

"""What stand-ins for providers have in common: a port of this machine, and the ways in which they go wrong."""

import asyncio
import json
import ssl
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl

from entrypoints.stand_ins.calls import Answer, Call, Caller, Patience
from entrypoints.stand_ins.fates import Behaviour, Fate, Receipt
from entrypoints.stand_ins.http import Arrival, Conversation, Exchange

Deed = Callable[[Any, Conversation, Arrival, Behaviour], None]
"""What a stand-in does over a conversation, to a text or to what asks for texts."""


class UnknownBehaviour(ValueError):
    pass


class StandIn(ABC):
    """A provider at a port, with `tls` over TLS. `intervals_us` are the shortest times between two texts of a sender,
    `interval_us` that of all others; a text that comes earlier is refused as one too many.

    `receipt_delay_s` is how long it takes from each status of a text to the next; None: they all stay as they are.
    What people text back is told to `inbound_url`. `heard` is told how each call was answered.
    """

    DEEDS: ClassVar[Mapping[str, Deed]]
    PATIENCE: ClassVar[Patience] = Patience((), with_any_failure=False)

    def __init__(
        self,
        *,
        intervals_us: Mapping[str, int] | None = None,
        interval_us: int | None = None,
        delay_ms: float = 0,
        keep_exchanges: bool = False,
        tls: ssl.SSLContext | None = None,
        receipt_delay_s: float | None = None,
        inbound_url: str | None = None,
        heard: Callable[[Call, Answer], None] = lambda call, answer: None,  # noqa: ARG005 - nobody wants to be told
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
        self._receipt_delay_s = receipt_delay_s
        self._inbound_url = inbound_url
        self._caller = Caller(self.PATIENCE, heard)
        self._met: Counter[tuple[str, str]] = Counter()

    @abstractmethod
    def answer(self, conversation: "Conversation", request: Exchange, at_ns: int) -> None: ...

    @abstractmethod
    def success(self, arrival: Arrival) -> tuple[int, object]:
        """The provider has the text from here on, whether it says so or not. What asks is told that there is none."""

    def fate_of(self, arrival: Arrival) -> Fate:  # noqa: ARG002 - what others go by
        return Fate()

    def receipt_call(self, reference: str, receipt: Receipt) -> Call | None:
        """The text has this status from here on; None where nobody is to be told."""
        raise NotImplementedError

    def inbound_calls(self, url: str, *, sender: str, to: str, text: str) -> Sequence[Call]:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def does(self, name: str, **how: Any) -> None:  # noqa: ANN401 - a behaviour's own fields
        if name not in self.DEEDS:
            raise UnknownBehaviour(name)
        self.behaviours.append(Behaviour(name, **how))

    @asynccontextmanager
    async def running(self, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Self]:
        """Raises `OSError` where it cannot listen."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Conversation(self), host, port, backlog=1_024, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        async with self._caller:
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
            self._be_told(conversation, dict(_read(request)))
        elif request.target == "/_control/log":
            conversation.write(HTTPStatus.OK, [asdict(arrival) for arrival in self.arrivals])
        elif request.target == "/_control/inbound":
            self._text_back(conversation, request)
        return request.target.startswith("/_control")

    def _be_told(self, conversation: "Conversation", told: dict[str, Any]) -> None:
        try:
            self.does(told.pop("behaviour"), **told)
        except (KeyError, TypeError, UnknownBehaviour):
            conversation.write(HTTPStatus.BAD_REQUEST, {"behaviours": sorted(self.DEEDS)})
        else:
            conversation.write(HTTPStatus.OK, {})

    def _text_back(self, conversation: "Conversation", request: Exchange) -> None:
        form = _read(request)
        sender, to, text = (str(form.get(name, "")) for name in ("From", "To", "Body"))
        if self._inbound_url is None:
            conversation.write(HTTPStatus.CONFLICT, {"Error": "It was told nobody who wants to hear of inbound texts."})
        elif not (sender and to):
            conversation.write(HTTPStatus.BAD_REQUEST, {"Error": "From, To and Body are needed."})
        else:
            calls = self.inbound_calls(self._inbound_url, sender=sender, to=to, text=text)
            self._caller.start(self._pass_on(conversation, calls))

    async def _pass_on(self, conversation: "Conversation", calls: Sequence[Call]) -> None:
        answers = [await self._caller.make_once(call) for call in calls]
        told = [{"Status": answer.status, "Body": answer.body} for answer in answers]
        conversation.write(HTTPStatus.OK, {"Answers": told})

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

    def meet(self, conversation: "Conversation", arrival: Arrival, usual: Callable[[], None]) -> None:
        """Does to the text what its number or its sender has in store, which for most is the usual."""
        answers = self.fate_of(arrival).answers
        call = 0
        if len(answers) > 1:
            call = self._met[arrival.to, arrival.body]
            self._met[arrival.to, arrival.body] += 1
        behaviour = answers[call % len(answers)]
        if behaviour is None:
            usual()
        else:
            self.DEEDS[behaviour.name](self, conversation, arrival, behaviour)

    def follow(self, reference: str, receipts: Sequence[Receipt]) -> None:
        """A text that was taken has one status after the other from here on."""
        if self._receipt_delay_s is not None:
            self._caller.start(self._go_through(reference, receipts, self._receipt_delay_s))

    async def _go_through(self, reference: str, receipts: Sequence[Receipt], delay_s: float) -> None:
        for receipt in receipts:
            await asyncio.sleep(delay_s)
            call = self.receipt_call(reference, receipt)
            if call is not None:
                # One that has to be repeated holds none of the others up.
                self._caller.start(self._caller.make(call))


def _read(request: Exchange) -> Mapping[str, Any]:
    """A form or JSON; nothing where it is neither."""
    try:
        told = json.loads(request.body)
    except ValueError:
        return dict(parse_qsl(request.body.decode(errors="replace")))
    return told if isinstance(told, dict) else {}

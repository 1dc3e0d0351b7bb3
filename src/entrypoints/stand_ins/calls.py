"""A provider's calls to whoever is to be told: of what became of a text, and of what people text back."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from entrypoints.stand_ins.http import Headers

# As Twilio waits; Vonage waits less.
_ANSWER_TIMEOUT_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`what` names it wherever neither a number nor a text may be shown."""

    what: str
    url: str
    method: str = "POST"
    headers: Headers = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is None where nobody has answered."""

    status: int | None
    body: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is repeated, and after how many seconds each time: one that nobody answered or, if
    `with_any_failure`, one with any other answer than a 2xx.
    """

    waits_s: tuple[float, ...]
    with_any_failure: bool

    def has_failed(self, answer: Answer) -> bool:
        if answer.status is None:
            return True
        return self.with_any_failure and not 200 <= answer.status < 300


class Caller:
    """Makes calls, and is told nothing of those that are under way when it ends. `heard` is told of every answer."""

    def __init__(self, patience: Patience, heard: Callable[[Call, Answer], None]) -> None:
        self._patience = patience
        self._heard = heard
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Goes on with it beside everything else, until it is done or the caller ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def make(self, call: Call) -> None:
        """As often as it takes, within the patience."""
        for wait_s in (*self._patience.waits_s, None):
            answer = await self.make_once(call)
            if wait_s is None or not self._patience.has_failed(answer):
                return
            await asyncio.sleep(wait_s)

    async def make_once(self, call: Call) -> Answer:
        answer = Answer(None)
        with suppress(ClientError, TimeoutError, OSError, ValueError):
            # What was signed is the address as it is written.
            async with self._opened().request(
                call.method,
                URL(call.url, encoded=True),
                data=call.body or None,
                headers=call.headers,
                allow_redirects=False,
            ) as response:
                answer = Answer(response.status, (await response.read()).decode(errors="replace"))
        self._heard(call, answer)
        return answer

    def _opened(self) -> ClientSession:
        """Made at the first call, as it belongs to the event loop that runs then."""
        if self._session is None:
            self._session = ClientSession(
                # One that was idle may be hung up on in the very moment of the next call.
                connector=TCPConnector(force_close=True),
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=_ANSWER_TIMEOUT_S),
            )
        return self._session

"""Texts to Twilio from an event loop, so many at once, by one client or another.

    python -m tests.benchmarks.twilio_calls threads|adapter URL CONCURRENCY WARM_UP_S SECONDS

sends as long as it is told, and prints as JSON what came of it after the warm-up: `took_s`, `departed_ns` (the moment
of the last check, of the monotonic clock, by the text's number), `seconds`, `cpu_s` of the process, and `failures` by
their kind; `resident_mb` is what it takes after the warm-up (Linux).
"""

import asyncio
import itertools
import json
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import twilio.rest.api  # noqa: F401 - its library would load this with the first text
import uvloop
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from adapters.providers.twilio.provider import TwilioProvider
from domain.model.credentials import Credentials
from domain.model.message_body import MessageBody
from domain.model.phone_number import PhoneNumber
from domain.model.send_outcome import Accepted
from domain.model.sender import SenderAddress
from domain.ports.provider_accounts import ProviderAccounts
from domain.ports.sms_provider import OutgoingText
from entrypoints.stand_ins.twilio import ACCOUNT_SID, AUTH_TOKEN
from tests.benchmarks.posts import SHORT_TEXT

_SENDER = SenderAddress("+17205550000")
_BODY = MessageBody(SHORT_TEXT)
_FIRST_NUMBER = 2_000_000
_ANSWER_TIMEOUT_S = 10.0
# Calls that begin together go on in step, which no paced texts do.
_BEGUN_WITHIN_S = 0.2


class NotAccepted(Exception):
    pass


class Caller(Protocol):
    async def send(self, number: PhoneNumber) -> int:
        """Its departure's moment, in nanoseconds of the monotonic clock. Raises where the text was not accepted."""
        ...

    async def close(self) -> None: ...


class Threads(Caller):
    """Twilio's synchronous client with its own pooled session, one for each thread, since none is made for several.

    The last check would come right before the client is called: what it does then lies between check and write.
    """

    def __init__(self, url: str, concurrency: int) -> None:
        self._url = url
        self._pool = ThreadPoolExecutor(concurrency)
        self._own = threading.local()

    async def send(self, number: PhoneNumber) -> int:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._create, number.e164)

    async def close(self) -> None:
        self._pool.shutdown()

    def _create(self, to: str) -> int:
        messages = self._messages()
        departed_ns = time.monotonic_ns()
        messages.create(from_=_SENDER.value, to=to, body=_BODY.text)
        return departed_ns

    def _messages(self) -> Any:  # noqa: ANN401 - Twilio's library has no types
        if not hasattr(self._own, "messages"):
            http = TwilioHttpClient(timeout=_ANSWER_TIMEOUT_S)
            # Else it looks for proxies in the environment with each request.
            http.session.trust_env = False
            client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=http)
            client.api.base_url = self._url
            self._own.messages = client.messages
        return self._own.messages


class OneAccount(ProviderAccounts):
    async def find(self, provider: str, account: str) -> int | None:
        raise NotImplementedError

    async def credentials(self, account_id: int) -> Credentials:  # noqa: ARG002 - the port's own
        return _CREDENTIALS

    async def seal_anew(self) -> int:
        return 0


_CREDENTIALS = Credentials({"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN})


class Adapter(Caller):
    """The hub's own."""

    def __init__(self, url: str, concurrency: int) -> None:
        self._provider = TwilioProvider(
            OneAccount(), api_base_url=url, connections=concurrency, timeout_s=_ANSWER_TIMEOUT_S
        )

    async def send(self, number: PhoneNumber) -> int:
        departed_ns = 0

        async def departure() -> None:
            nonlocal departed_ns
            departed_ns = time.monotonic_ns()

        text = OutgoingText(delivery_id=1, attempt=1, account_id=1, sender=_SENDER, number=number, body=_BODY)
        outcome = await self._provider.send(text, departure)
        if not isinstance(outcome, Accepted):
            raise NotAccepted(outcome)
        return departed_ns

    async def close(self) -> None:
        await self._provider.close()


CALLERS: Mapping[str, type[Threads] | type[Adapter]] = {"threads": Threads, "adapter": Adapter}


@dataclass(kw_only=True)
class Sent:
    took_s: list[float] = field(default_factory=list)
    departed_ns: dict[str, int] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)


async def send_for(seconds: float, caller: Caller, numbers: Iterator[int], concurrency: int) -> Sent:
    sent = Sent()
    until = time.perf_counter() + seconds

    async def work(turn: int) -> None:
        await asyncio.sleep(turn / concurrency * _BEGUN_WITHIN_S)
        while (begun := time.perf_counter()) < until:
            number = PhoneNumber(f"+1970{next(numbers)}")
            try:
                departed_ns = await caller.send(number)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                sent.failures[type(error).__name__] += 1
                continue
            sent.took_s.append(time.perf_counter() - begun)
            sent.departed_ns[number.e164] = departed_ns

    await asyncio.gather(*map(work, range(concurrency)))
    return sent


async def measure(kind: str, url: str, concurrency: int, warm_up_s: float, seconds: float) -> None:
    caller, numbers = CALLERS[kind](url, concurrency), itertools.count(_FIRST_NUMBER)
    try:
        await send_for(warm_up_s, caller, numbers, concurrency)
        # Before many texts are kept in mind.
        resident_mb = _resident_mb()
        started_s, started_cpu_s = time.perf_counter(), time.process_time()
        sent = await send_for(seconds, caller, numbers, concurrency)
        cpu_s, took_s = time.process_time() - started_cpu_s, time.perf_counter() - started_s
    finally:
        await caller.close()
    print(json.dumps({**vars(sent), "seconds": took_s, "cpu_s": cpu_s, "resident_mb": resident_mb}))


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    _, kind, url, concurrency, warm_up_s, seconds = sys.argv
    uvloop.run(measure(kind, url, int(concurrency), float(warm_up_s), float(seconds)))

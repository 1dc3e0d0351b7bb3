"""What holds for every provider, whatever it is: the real libraries, against what stands in for the company behind.

Whatever a network or a provider does, a text is written once at the most, and only after its departure.
"""

import asyncio
import itertools
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from adapters.providers.on_demand import OnDemand
from adapters.providers.sandbox.provider import SandboxProvider
from adapters.providers.twilio.provider import TwilioProvider
from adapters.providers.vonage.library import Hosts
from adapters.providers.vonage.provider import VonageProvider
from domain.errors import InvalidValue
from domain.model.credentials import Credentials
from domain.model.send_outcome import Accepted, Barred, NotSent, SendOutcome, Unknown
from domain.ports.sms_provider import NotLeaving, SmsProvider
from entrypoints.stand_ins import twilio, vonage
from entrypoints.stand_ins.certificates import Certificate
from entrypoints.stand_ins.http import Arrival, Conversation, Exchange
from entrypoints.stand_ins.stand_in import Deed, StandIn
from entrypoints.stand_ins.twilio import TwilioStandIn
from entrypoints.stand_ins.vonage import VonageStandIn
from tests.contract.calling import BODY, NUMBER, Accounts, Departures, a_stranger, a_text_to, closed_port, never, until

TIMEOUT_S = 1.0
SECRETS = {twilio.AUTH_TOKEN, vonage.API_SECRET, vonage.application_key()[0]}


@dataclass(frozen=True)
class Bounds:
    """How many calls at once, and how long an answer and a connection may take."""

    calls: int = 20
    timeout_s: float = 30.0
    connect_timeout_s: float = 30.0


HASTY = Bounds(timeout_s=TIMEOUT_S, connect_timeout_s=TIMEOUT_S)


@dataclass(frozen=True)
class Kind:
    """`provider_at` makes one that calls this address."""

    credentials: Mapping[str, str]
    stand_in: Callable[[Certificate], StandIn]
    provider_at: Callable[[str, Accounts, ssl.SSLContext, Bounds], SmsProvider]


def a_twilio(_certificate: Certificate) -> StandIn:
    return TwilioStandIn(keep_exchanges=True)


def a_vonage(certificate: Certificate) -> StandIn:
    return VonageStandIn(keep_exchanges=True, tls=certificate.server())


def twilio_at(url: str, accounts: Accounts, _tls: ssl.SSLContext, bounds: Bounds) -> SmsProvider:
    return TwilioProvider(
        accounts,
        api_base_url=url,
        timeout_s=bounds.timeout_s,
        connect_timeout_s=bounds.connect_timeout_s,
        connections=bounds.calls,
    )


def vonage_at(url: str, accounts: Accounts, tls: ssl.SSLContext, bounds: Bounds) -> SmsProvider:
    host = urlsplit(url).netloc
    return VonageProvider(
        accounts,
        hosts=Hosts(host, host),
        tls=tls,
        timeout_s=bounds.timeout_s,
        connect_timeout_s=bounds.connect_timeout_s,
        most_threads=bounds.calls,
    )


BY_KEY = {"api_key": vonage.API_KEY, "api_secret": vonage.API_SECRET}
BY_APPLICATION = {"application_id": vonage.APPLICATION_ID, "private_key": vonage.application_key()[0]}
KINDS = {
    "twilio": Kind({"account_sid": twilio.ACCOUNT_SID, "auth_token": twilio.AUTH_TOKEN}, a_twilio, twilio_at),
    "vonage-messages": Kind(BY_KEY, a_vonage, vonage_at),
    "vonage-messages-by-application": Kind(BY_APPLICATION, a_vonage, vonage_at),
    "vonage-sms": Kind({**BY_KEY, "api": "sms"}, a_vonage, vonage_at),
}


class Nobody(StandIn):
    """Whom the sandbox calls."""

    DEEDS: ClassVar[Mapping[str, Deed]] = {}

    def answer(self, conversation: Conversation, request: Exchange, at_ns: int) -> None:
        raise NotImplementedError

    def success(self, arrival: Arrival | None) -> tuple[int, object]:
        raise NotImplementedError


SANDBOX = Kind({}, lambda _: Nobody(), lambda *_: SandboxProvider())


class Line:
    """A provider with what it calls."""

    def __init__(self, kind: Kind, stand_in: StandIn, certificate: Certificate) -> None:
        self.stand_in = stand_in
        self.accounts = Accounts(kind.credentials)
        self._kind = kind
        self._tls = certificate.client()
        self.provider = self.provider_at(stand_in.url)

    def provider_at(self, url: str, bounds: Bounds | None = None, accounts: Accounts | None = None) -> SmsProvider:
        """Loaded on demand, as the hub has it."""
        return OnDemand(lambda: self._kind.provider_at(url, accounts or self.accounts, self._tls, bounds or Bounds()))

    def hurry(self) -> None:
        """For what is never answered; before anything is sent."""
        self.provider = self.provider_at(self.stand_in.url, HASTY)

    @property
    def other_credentials(self) -> Mapping[str, str]:
        """In the right form, and of nobody's."""
        right = self.accounts.values
        if "application_id" in right:
            return {**right, "application_id": right["application_id"].replace("0", "f")}
        return {**right, **dict.fromkeys({"auth_token", "api_secret"} & right.keys(), "another-secret")}

    async def send(self, departures: Departures | None = None) -> SendOutcome:
        return await self.provider.send(a_text_to(), departures or Departures())

    async def sent(self) -> str:
        outcome = await self.send()
        assert isinstance(outcome, Accepted)
        return outcome.reference


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("vonage"))


@asynccontextmanager
async def a_line(kind: Kind, certificate: Certificate) -> AsyncIterator[Line]:
    async with kind.stand_in(certificate).running() as stand_in:
        line = Line(kind, stand_in, certificate)
        yield line
        await line.provider.close()


@pytest.fixture(params=KINDS)
async def line(request: pytest.FixtureRequest, certificate: Certificate) -> AsyncIterator[Line]:
    """To each provider that calls somebody."""
    async with a_line(KINDS[request.param], certificate) as line:
        yield line


@pytest.fixture(params=[SANDBOX, *KINDS.values()], ids=["sandbox", *KINDS])
async def any_line(request: pytest.FixtureRequest, certificate: Certificate) -> AsyncIterator[Line]:
    async with a_line(request.param, certificate) as line:
        yield line


# What callers rely on.


async def test_every_text_has_a_reference_of_its_own(any_line: Line) -> None:
    outcomes = [await any_line.provider.send(a_text_to(delivery_id=each), Departures()) for each in range(3)]

    assert len({outcome.reference for outcome in outcomes if isinstance(outcome, Accepted)}) == 3


async def test_every_call_departs_once(any_line: Line) -> None:
    departures = Departures()

    for count in range(1, 4):
        await any_line.send(departures)
        assert departures.count == count


@pytest.mark.parametrize("error", [NotLeaving(), TimeoutError("its own"), OSError("its own"), KeyError("its own")])
async def test_what_the_departure_raises_is_passed_on_and_nothing_is_written(any_line: Line, error: Exception) -> None:
    async def refuse() -> None:
        await asyncio.sleep(0.01)
        raise error

    departures = Departures(refuse)

    with pytest.raises(type(error)) as caught:
        await any_line.send(departures)

    assert caught.value is error
    assert departures.count == 1
    await asyncio.sleep(0.01)
    assert any_line.stand_in.arrivals == []


def test_credentials_of_another_kind_are_refused_and_not_shown(any_line: Line) -> None:
    with pytest.raises(InvalidValue) as caught:
        any_line.provider.account_of(Credentials({"token": "a-secret-of-ours"}))

    assert "a-secret-of-ours" not in str(caught.value)


# What may have been taken.


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("hang", "no-answer"),
        ("hang-but-taken", "no-answer"),
        ("drip", "no-answer"),
        ("reset-before-answer", "connection-lost"),
        ("reset-without-taking", "connection-lost"),
        ("close-before-answer", "connection-lost"),
        ("cut-answer", "connection-lost"),
        ("html-200", "unreadable-answer"),
        ("no-http", "unreadable-answer"),
        ("cut-json", "unreadable-answer"),
        ("huge", "unreadable-answer"),
        ("500", "server-error"),
        ("500-but-taken", "server-error"),
        ("502-but-taken", "server-error"),
    ],
)
@pytest.mark.parametrize("kept_alive", [False, True])
async def test_what_may_have_been_taken_is_unknown_and_was_written_once(
    line: Line, behaviour: str, reason: str, *, kept_alive: bool
) -> None:
    if reason == "no-answer":
        line.hurry()
    if kept_alive:
        await line.sent()
    line.stand_in.does(behaviour)
    before = len(line.stand_in.arrivals)

    assert await line.send() == Unknown(reason)
    await asyncio.sleep(0.01)
    assert len(line.stand_in.arrivals) - before == 1
    await line.sent()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_text_is_sent_elsewhere(line: Line, status: int) -> None:
    line.stand_in.does("redirect", status=status)

    assert await line.send() == Unknown("unreadable-answer")
    assert [exchange.status for exchange in line.stand_in.exchanges] == [status]


async def test_no_text_is_doubled_over_connections_that_drop(line: Line) -> None:
    """Some while they are idle, some with a text on them, taken or not."""
    names = itertools.cycle(["ok", "reset-before-answer", "ok", "close-before-answer", "ok", "reset-without-taking"])
    outcomes: list[SendOutcome] = []
    departures = Departures()
    for turn in range(20):
        line.stand_in.behaviours = []
        for _ in range(10):
            line.stand_in.does(next(names))
        outcomes += await asyncio.gather(*(line.send(departures) for _ in range(10)))
        if turn % 3 == 0:
            line.stand_in.hang_up()

    assert len(outcomes) == departures.count == 200
    written = [outcome for outcome in outcomes if not isinstance(outcome, NotSent)]
    assert len(line.stand_in.arrivals) <= len(written)
    accepted = {outcome.reference for outcome in outcomes if isinstance(outcome, Accepted)}
    assert accepted <= {arrival.sid for arrival in line.stand_in.arrivals}
    assert set(outcomes) >= {Unknown("connection-lost")}


# Before the departure.


async def assert_not_sent(line: Line, url: str, reason: str) -> None:
    provider, departures = line.provider_at(url, HASTY), Departures()
    try:
        outcome = await provider.send(a_text_to(), departures)
    finally:
        await provider.close()
    assert outcome == NotSent(reason)
    assert departures.count == 0


async def test_nothing_is_sent_where_nobody_listens(line: Line) -> None:
    await assert_not_sent(line, f"https://127.0.0.1:{closed_port()}", "no-connection")


async def test_nothing_is_sent_to_a_name_that_nobody_has(line: Line) -> None:
    await assert_not_sent(line, "https://provider.invalid", "no-connection")


async def test_nothing_is_sent_where_encryption_fails(line: Line) -> None:
    async with a_stranger(b"220 mail.example ESMTP\r\n") as port:
        await assert_not_sent(line, f"https://127.0.0.1:{port}", "no-secure-connection")


async def test_nothing_is_sent_to_one_who_cannot_prove_to_be_the_provider(line: Line, tmp_path: Path) -> None:
    async with a_stranger(tls=Certificate(tmp_path).server()) as port:
        await assert_not_sent(line, f"https://127.0.0.1:{port}", "no-secure-connection")


async def test_nothing_is_sent_while_the_connection_is_being_made(line: Line) -> None:
    async with a_stranger() as port:
        await assert_not_sent(line, f"https://127.0.0.1:{port}", "no-connection")


async def test_nothing_is_sent_where_as_many_calls_as_may_be_are_under_way(line: Line) -> None:
    provider = line.provider_at(line.stand_in.url, Bounds(1, connect_timeout_s=TIMEOUT_S))
    holding, leave = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        holding.set()
        await leave.wait()

    first = asyncio.create_task(provider.send(a_text_to(), Departures(hold)))
    await holding.wait()
    departures = Departures()

    assert await provider.send(a_text_to(), departures) == NotSent("no-connection")
    assert departures.count == 0
    leave.set()
    assert isinstance(await first, Accepted)
    await provider.close()


@pytest.mark.parametrize(
    ("accounts", "reason"),
    [
        (Accounts({}, readable=False), "credentials-unreadable"),
        (Accounts({"account_sid": "nonsense", "api_key": "nonsense!"}), "credentials-unusable"),
    ],
)
async def test_nothing_is_sent_without_credentials(line: Line, accounts: Accounts, reason: str) -> None:
    provider, departures = line.provider_at(line.stand_in.url, accounts=accounts), Departures()

    assert await provider.send(a_text_to(), departures) == Barred(reason)
    assert departures.count == 0
    assert line.stand_in.connections_made == 0
    await provider.close()


async def test_credentials_that_change_are_used_from_the_next_text_on(line: Line) -> None:
    await line.sent()
    right = line.accounts.values
    line.accounts.values = line.other_credentials
    assert await line.send() == Barred("credentials-refused")
    line.accounts.values = right

    await line.sent()


# The departure.


async def test_the_departure_comes_when_the_connection_stands_and_nothing_is_written(line: Line) -> None:
    seen: list[tuple[int, int]] = []

    async def wait() -> None:
        await asyncio.sleep(0.02)
        seen.append((len(line.stand_in.connections), len(line.stand_in.arrivals)))

    departures = Departures(wait)

    assert isinstance(await line.send(departures), Accepted)
    assert seen == [(1, 0)]
    assert departures.count == 1


async def test_a_connection_that_was_not_used_is_used_by_the_next(line: Line) -> None:
    for _ in range(50):
        with pytest.raises(NotLeaving):
            await line.send(Departures(never))
        await asyncio.sleep(0.001)
    await line.sent()

    # One would do, if threads always ended as soon as they could.
    assert line.stand_in.connections_made < 40


async def test_a_call_may_be_given_up_while_it_waits(line: Line) -> None:
    waiting = asyncio.Event()

    async def wait() -> None:
        waiting.set()
        await asyncio.Event().wait()

    call = asyncio.create_task(line.send(Departures(wait)))
    await waiting.wait()
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    await line.sent()
    assert len(line.stand_in.arrivals) == 1


async def test_a_call_may_be_given_up_while_it_is_answered(line: Line) -> None:
    line.hurry()
    line.stand_in.does("hang-but-taken")
    call = asyncio.create_task(line.send())
    await until(lambda: bool(line.stand_in.arrivals))
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    await line.sent()
    assert len(line.stand_in.arrivals) == 2


async def test_the_wait_for_the_departure_is_not_the_providers(line: Line) -> None:
    line.hurry()
    departures = Departures(lambda: asyncio.sleep(2 * TIMEOUT_S))
    line.stand_in.delay_s = TIMEOUT_S / 2

    assert isinstance(await line.send(departures), Accepted)


@pytest.mark.parametrize("kept_alive", [False, True])
async def test_a_connection_that_drops_during_the_wait_is_not_written_to(line: Line, *, kept_alive: bool) -> None:
    async def drop() -> None:
        await asyncio.sleep(0.01)
        line.stand_in.hang_up()
        await asyncio.sleep(0.02)

    if kept_alive:
        await line.sent()
    before, departures = len(line.stand_in.arrivals), Departures(drop)

    assert await line.send(departures) == NotSent("no-connection")
    assert departures.count == 1
    assert len(line.stand_in.arrivals) == before
    await line.sent()


async def test_a_connection_that_dropped_while_it_was_idle_is_not_written_to(line: Line) -> None:
    await line.sent()
    line.stand_in.hang_up()
    await asyncio.sleep(0.02)

    await line.sent()
    assert (len(line.stand_in.arrivals), line.stand_in.connections_made) == (2, 2)


async def test_what_a_server_says_unasked_is_no_answer(line: Line) -> None:
    async def speak() -> None:
        await asyncio.sleep(0.01)
        for conversation in line.stand_in.connections:
            conversation.put(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(0.02)

    assert await line.send(Departures(speak)) == NotSent("no-connection")
    assert line.stand_in.arrivals == []


async def test_calls_at_the_same_time_have_departures_of_their_own(line: Line) -> None:
    all_departures = [Departures(never if index % 2 else None) for index in range(20)]

    outcomes = await asyncio.gather(*(line.send(departures) for departures in all_departures), return_exceptions=True)

    assert [isinstance(outcome, NotLeaving) for outcome in outcomes] == [False, True] * 10
    assert {departures.count for departures in all_departures} == {1}
    assert len(line.stand_in.arrivals) == 10


async def test_the_hubs_environment_is_not_the_providers(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TWILIO_EDGE", "TWILIO_REGION", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://nowhere.invalid")

    await line.sent()


# Silence.


async def test_no_number_no_text_and_no_secret_is_logged_or_shown(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    line.hurry()
    outcomes: list[object] = [await line.send()]
    for behaviour in ("hang", "cut-json", "no-http", "reset-before-answer", "401", "429", "500", "error"):
        line.stand_in.does(behaviour)
        outcomes.append(await line.send())
    with pytest.raises(NotLeaving) as caught:
        await line.send(Departures(never))

    shown = caplog.text + repr(outcomes) + repr(line.provider) + repr(vars(line.provider)) + repr(caught.value)
    for secret in (NUMBER.e164, NUMBER.e164[1:], BODY.text, "4711", *SECRETS):
        assert secret not in shown

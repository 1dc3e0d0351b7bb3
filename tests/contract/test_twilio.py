"""Twilio's provider with Twilio's own library, against a stand-in on this machine."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import ClientConnectionError

from adapters.providers.http_answers import retry_after_us
from adapters.providers.twilio.error_codes import OUTCOMES, outcome_of
from adapters.providers.twilio.http_client import Call
from adapters.providers.twilio.provider import TwilioProvider
from domain.errors import InvalidValue
from domain.model.credentials import Credentials
from domain.model.delivery import DeliveryState
from domain.model.message_body import MessageBody
from domain.model.pace import SECOND_US
from domain.model.phone_number import PhoneNumber
from domain.model.send_outcome import (
    Accepted,
    Barred,
    CannotTell,
    EnquiryAnswer,
    Found,
    NotFound,
    NotSent,
    Refused,
    SendOutcome,
    Throttled,
    Unknown,
)
from domain.model.sender import SenderAddress
from domain.ports.due_deliveries import Enquiry
from domain.ports.sms_provider import NotLeaving, OutgoingText
from entrypoints.stand_ins.twilio import ACCOUNT_SID, API_KEY, API_SECRET, AUTH_TOKEN, TwilioStandIn
from tests.builders import SENDER, a_delivery
from tests.contract.calling import BODY, NUMBER, SERVICE, Accounts, Departures, a_text_to, closed_port, never

TIMEOUT_S = 1.5
# Longer than a busy machine takes for a connection of its own.
CONNECT_TIMEOUT_S = 30.0
ASK_AGAIN_US = 60 * SECOND_US

WITH_TOKEN = {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN}
WITH_KEY = {"account_sid": ACCOUNT_SID, "api_key": API_KEY, "api_secret": API_SECRET}

CURLY = MessageBody("\u201cDon\u2019t\u201d \u2013 naïve\u2026")


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioStandIn]:
    async with TwilioStandIn(keep_exchanges=True).running() as twilio:
        yield twilio


@pytest.fixture
def accounts() -> Accounts:
    return Accounts(WITH_TOKEN)


@pytest.fixture
async def provider(twilio: TwilioStandIn, accounts: Accounts) -> AsyncIterator[TwilioProvider]:
    provider = at(twilio.url, accounts)
    yield provider
    await provider.close()


def at(
    url: str, accounts: Accounts | None = None, *, status_callback: str | None = None, smart_encoding: bool = False
) -> TwilioProvider:
    return TwilioProvider(
        accounts or Accounts(WITH_TOKEN),
        api_base_url=url,
        timeout_s=TIMEOUT_S,
        connect_timeout_s=CONNECT_TIMEOUT_S,
        connections=20,
        status_callback=status_callback,
        smart_encoding=smart_encoding,
    )


def an_enquiry(
    *,
    reference: str | None = None,
    sender: SenderAddress = SENDER,
    body: MessageBody = BODY,
    attempted: datetime | None = None,
    others: frozenset[str] = frozenset(),
) -> Enquiry:
    """About a text that was sent where there is a reference, about one unknown where there is none."""
    state = DeliveryState.UNKNOWN if reference is None else DeliveryState.SENT
    return Enquiry(
        delivery=replace(a_delivery(NUMBER, delivery_id=7, state=state), provider_reference=reference),
        provider="twilio",
        account_id=1,
        sender=sender,
        body=body,
        attempted_us=int((attempted or datetime.now(UTC)).timestamp() * SECOND_US),
        others=others,
    )


async def send(provider: TwilioProvider, text: OutgoingText | None = None) -> SendOutcome:
    return await provider.send(text or a_text_to(), Departures())


async def sent(provider: TwilioProvider, text: OutgoingText | None = None) -> str:
    outcome = await send(provider, text)
    assert isinstance(outcome, Accepted)
    return outcome.reference


# What is written.


async def test_a_text_is_sent_as_it_is(provider: TwilioProvider, twilio: TwilioStandIn) -> None:
    outcome = await send(provider)

    assert [outcome] == [Accepted(sid) for sid in twilio.sids]
    assert [arrival.form for arrival in twilio.arrivals] == [
        {"From": SENDER.value, "To": NUMBER.e164, "Body": BODY.text},
    ]


async def test_twilio_is_told_to_call_with_what_becomes_of_each_text(twilio: TwilioStandIn, accounts: Accounts) -> None:
    provider = at(twilio.url, accounts, status_callback="https://hub.example/callbacks/twilio/status")
    for values in (WITH_TOKEN, {**WITH_KEY, "signature_secret": "a-shared-key"}, WITH_KEY):
        accounts.values = values
        await sent(provider, replace(a_text_to(), delivery_id=17, attempt=2))
    await provider.close()

    url = "https://hub.example/callbacks/twilio/status?Delivery=17&Attempt=2"
    # With an API key alone its calls could not be told from anybody's.
    assert [arrival.form.get("StatusCallback") for arrival in twilio.arrivals] == [url, url, None]


async def test_twilio_replaces_what_makes_a_text_long_where_it_is_to(twilio: TwilioStandIn) -> None:
    provider = at(twilio.url, smart_encoding=True)
    await sent(provider)
    await provider.close()

    assert twilio.arrivals[0].form["SmartEncoded"] == "true"
    assert twilio.arrivals[0].form["Body"] == BODY.text


@pytest.mark.parametrize("sender", ["12345", "City Hall", "MegaPizza"])
async def test_a_short_code_or_a_name_is_a_sender(provider: TwilioProvider, twilio: TwilioStandIn, sender: str) -> None:
    await sent(provider, a_text_to(sender=SenderAddress(sender)))

    assert twilio.arrivals[0].form["From"] == sender


async def test_a_messaging_service_is_named_as_one(provider: TwilioProvider, twilio: TwilioStandIn) -> None:
    await sent(provider, a_text_to(sender=SERVICE))

    assert "From" not in twilio.arrivals[0].form
    assert twilio.arrivals[0].form["MessagingServiceSid"] == SERVICE.value


@pytest.mark.parametrize(
    ("valid_s", "written"), [(1, "1"), (600, "600"), (36_000, "36000"), (90_000, "36000"), (0, "1")]
)
async def test_a_text_is_worth_delivering_for_a_while(
    provider: TwilioProvider, twilio: TwilioStandIn, valid_s: int, written: str
) -> None:
    await sent(provider, a_text_to(valid_s=valid_s))

    assert twilio.arrivals[0].form["ValidityPeriod"] == written


# Outcomes.


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        ("+15005550001", Refused("invalid-recipient")),
        ("+15005550002", Refused("unroutable")),
        ("+15005550003", Refused("country-not-allowed")),
        ("+15005550004", Refused("opted-out-at-provider", opted_out=True)),
        ("+15005550009", Refused("not-textable")),
    ],
)
async def test_a_magic_number_is_refused(provider: TwilioProvider, number: str, outcome: SendOutcome) -> None:
    assert await send(provider, a_text_to(PhoneNumber(number))) == outcome


@pytest.mark.parametrize(
    ("sender", "outcome"),
    [
        ("+15005550001", Barred("sender-refused")),
        ("+15005550007", Barred("sender-refused")),
        ("+15005550008", Throttled(60 * SECOND_US)),
    ],
)
async def test_a_magic_sender_is_refused(provider: TwilioProvider, sender: str, outcome: SendOutcome) -> None:
    assert await send(provider, a_text_to(sender=SenderAddress(sender))) == outcome


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        ({"code": 21614}, Refused("not-textable")),
        ({"code": 21617}, Refused("content-refused")),
        ({"code": 99999}, Refused("refused-by-provider")),
        ({"code": 99999, "status": 404}, Barred("account-not-found")),
        ({"code": 20003, "status": 401}, Barred("credentials-refused")),
        ({"code": 20003, "status": 403}, Barred("credentials-refused")),
        ({"code": 99999, "status": 403}, Barred("not-permitted")),
        ({"code": 30002, "status": 403}, Barred("account-suspended")),
        ({"code": 10001}, Barred("account-suspended")),
        ({"code": 21703}, Barred("no-sender-in-service")),
        ({"code": 30034}, Barred("sender-not-registered")),
        ({"code": 20429}, Throttled()),
        ({"code": 99999, "status": 429}, Throttled()),
        ({"code": 21211, "status": 429}, Throttled()),
        ({"code": 20429, "status": 429, "retry_after": "7"}, Throttled(7 * SECOND_US)),
        ({"code": 21611, "retry_after": "90"}, Throttled(90 * SECOND_US)),
        ({"code": 20429, "status": 429, "retry_after": "soon"}, Throttled()),
        ({"code": 30450}, NotSent("taken-for-fraud")),
        ({"code": 21211, "status": 408}, Refused("invalid-recipient")),
        ({"code": 99999, "status": 408}, Unknown("no-answer")),
        ({"code": 20503, "status": 503}, Unknown("server-error")),
        ({"code": 21211, "status": 500}, Unknown("server-error")),
    ],
)
@pytest.mark.parametrize("form", ["error", "problem"])
async def test_an_error_has_its_outcome(
    provider: TwilioProvider, twilio: TwilioStandIn, form: str, how: dict[str, Any], outcome: SendOutcome
) -> None:
    twilio.does(form, **how)

    assert await send(provider) == outcome
    assert len(twilio.arrivals) == 1


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES.keys())
def test_reasons_are_words(outcome: SendOutcome) -> None:
    reason = getattr(outcome, "reason", "none")

    assert reason.replace("-", "").isalpha()
    assert reason == reason.lower()


@pytest.mark.parametrize("code", [None, "21211 ", "x" * 30, [21211], {}, 2.5, True, -1, "٢١٢١١"])
def test_a_code_of_any_kind_is_read(code: object) -> None:
    assert outcome_of(400, code) == Refused("refused-by-provider")


def test_a_code_may_be_written_as_a_text() -> None:
    assert outcome_of(400, "21610") == Refused("opted-out-at-provider", opted_out=True)


@pytest.mark.parametrize(
    ("header", "wait_us"),
    [
        ("1", SECOND_US),
        (" 30 ", 30 * SECOND_US),
        ("86400", 3_600 * SECOND_US),
        ("9" * 5_000, 3_600 * SECOND_US),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3_600 * SECOND_US),
        *((nonsense, None) for nonsense in ("0", "-5", "1.5", "soon", "", "٣", "Fri, 99 Foo 2026", "1e3")),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00 -0000", None),
        (None, None),
    ],
)
def test_a_wait_is_read_and_has_its_bounds(header: str | None, wait_us: int | None) -> None:
    assert retry_after_us(header) == wait_us


def test_a_wait_may_be_a_date() -> None:
    wait_us = retry_after_us(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=False))

    assert wait_us is not None
    assert 58 * SECOND_US < wait_us <= 60 * SECOND_US


async def test_an_answer_without_a_sid_is_unknown(provider: TwilioProvider, twilio: TwilioStandIn) -> None:
    twilio.does("no-sid")

    assert await send(provider) == Unknown("unreadable-answer")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_question_is_asked_elsewhere(provider: TwilioProvider, twilio: TwilioStandIn, status: int) -> None:
    twilio.does("redirect", status=status)

    assert await provider.look_up(an_enquiry()) == CannotTell("unreadable-answer", ASK_AGAIN_US)
    assert [exchange.status for exchange in twilio.exchanges] == [status]


async def test_no_password_that_twilio_knows_bars_the_sender(provider: TwilioProvider, accounts: Accounts) -> None:
    accounts.values = {**WITH_TOKEN, "auth_token": "another-token"}

    assert await send(provider) == Barred("credentials-refused")


@pytest.mark.parametrize("accounts", [Accounts(WITH_TOKEN, readable=False), Accounts({"account_sid": "nonsense"})])
async def test_nothing_is_told_without_credentials(twilio: TwilioStandIn, accounts: Accounts) -> None:
    assert await at(twilio.url, accounts).look_up(an_enquiry()) == CannotTell("credentials-unreadable", ASK_AGAIN_US)
    assert twilio.connections_made == 0


async def test_nothing_is_sent_to_no_address() -> None:
    provider, departures = at("http://"), Departures()

    assert await provider.send(a_text_to(), departures) == NotSent("no-connection")
    assert departures.count == 0
    await provider.close()


# The departure.


async def test_a_call_that_has_departed_gets_no_second_connection(
    provider: TwilioProvider, twilio: TwilioStandIn
) -> None:
    """Whatever the HTTP library may take for safe to repeat."""
    departures = Departures()
    call = Call(departures)
    messages = (await provider._account(1)).messages
    with call.under_way():
        await messages.create_async(to=NUMBER.e164, from_=SENDER.value, body=BODY.text)
        with pytest.raises(ClientConnectionError):
            await messages.create_async(to=NUMBER.e164, from_=SENDER.value, body=BODY.text)

    assert departures.count == 1
    assert len(twilio.arrivals) == 1


# Credentials.


@pytest.mark.parametrize("values", [WITH_TOKEN, WITH_KEY, {**WITH_KEY, "signature_secret": AUTH_TOKEN}])
async def test_an_account_is_known_by_its_sid(values: Mapping[str, str], twilio: TwilioStandIn) -> None:
    provider = at(twilio.url, Accounts(values))

    assert provider.account_of(Credentials(values)) == ACCOUNT_SID
    await sent(provider)
    await provider.close()


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, {"missing: account_sid, auth_token"}),
        ({"account_sid": ACCOUNT_SID}, {"missing: auth_token"}),
        ({"account_sid": ACCOUNT_SID, "api_key": API_KEY}, {"missing: api_secret"}),
        ({**WITH_TOKEN, "account_sid": "AC" + "g" * 32}, {"malformed: account_sid"}),
        ({**WITH_TOKEN, "account_sid": ACCOUNT_SID + "\n"}, {"malformed: account_sid"}),
        ({**WITH_TOKEN, "auth_token": ""}, {"malformed: auth_token"}),
        ({**WITH_TOKEN, "auth_token": "with blanks in it"}, {"malformed: auth_token"}),
        ({**WITH_KEY, "api_key": ACCOUNT_SID}, {"malformed: api_key"}),
        ({**WITH_TOKEN, "signature_secret": "short"}, {"malformed: signature_secret"}),
        ({**WITH_TOKEN, "AuthToken": "x", "region": "y"}, {"unknown: AuthToken, region"}),
        ({"account_sid": "x", "token": "y"}, {"missing: auth_token", "unknown: token", "malformed: account_sid"}),
    ],
)
def test_what_is_no_account_is_named_and_not_shown(
    provider: TwilioProvider, values: Mapping[str, str], named: set[str]
) -> None:
    with pytest.raises(InvalidValue) as caught:
        provider.account_of(Credentials(values))

    told = str(caught.value)
    assert set(told.partition("Found ")[2].removesuffix(".").split("; ")) == named
    assert not any(value in told for value in values.values() if len(value) > 1)


# Look-ups.


@pytest.mark.parametrize(
    ("status", "error_code", "state", "reason"),
    [
        *((each, None, None, None) for each in ("accepted", "scheduled", "queued", "sending", "sent")),
        ("delivered", None, DeliveryState.DELIVERED, None),
        ("read", None, DeliveryState.DELIVERED, None),
        ("undelivered", 30003, DeliveryState.UNDELIVERED, "unreachable"),
        ("undelivered", 99999, DeliveryState.UNDELIVERED, "not-delivered"),
        ("undelivered", None, DeliveryState.UNDELIVERED, "not-delivered"),
        ("failed", 30007, DeliveryState.FAILED, "filtered"),
        ("failed", 30036, DeliveryState.EXPIRED, "expired"),
        ("failed", "odd", DeliveryState.FAILED, "failed-at-provider"),
        ("canceled", None, DeliveryState.FAILED, "canceled-at-provider"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
async def test_a_text_is_found_as_it_stands(
    provider: TwilioProvider,
    twilio: TwilioStandIn,
    status: str,
    error_code: object,
    state: DeliveryState | None,
    reason: str | None,
    *,
    known: bool,
) -> None:
    sid = await sent(provider)
    twilio.messages[sid].update(status=status, error_code=error_code)

    answer = await provider.look_up(an_enquiry(reference=sid if known else None))

    assert answer == Found(sid, state, reason)


async def test_a_text_that_twilio_has_forgotten_is_not_found(provider: TwilioProvider) -> None:
    assert await provider.look_up(an_enquiry(reference="SM" + "0" * 32)) == NotFound()


async def test_a_text_of_another_kind_is_no_answer(provider: TwilioProvider, twilio: TwilioStandIn) -> None:
    sid = await sent(provider)
    twilio.messages[sid]["status"] = "on its way"

    assert await provider.look_up(an_enquiry(reference=sid)) == CannotTell("unreadable-answer", ASK_AGAIN_US)


async def test_what_was_never_taken_is_not_found(provider: TwilioProvider, twilio: TwilioStandIn) -> None:
    twilio.does("reset-without-taking")
    await send(provider)

    assert await provider.look_up(an_enquiry()) == NotFound()


@pytest.mark.parametrize("behaviour", ["hang-but-taken", "reset-before-answer", "500-but-taken", "cut-json", "no-sid"])
async def test_what_was_taken_without_an_answer_is_found(
    provider: TwilioProvider, twilio: TwilioStandIn, behaviour: str
) -> None:
    attempted = datetime.now(UTC)
    twilio.does(behaviour)
    await send(provider)

    assert await provider.look_up(an_enquiry(attempted=attempted)) == Found(twilio.sids[0])


async def test_a_text_by_a_messaging_service_is_found(provider: TwilioProvider, twilio: TwilioStandIn) -> None:
    sid = await sent(provider, a_text_to(sender=SERVICE))
    twilio.messages[sid]["from"] = "+19705550199"

    assert await provider.look_up(an_enquiry(sender=SERVICE)) == Found(sid)


async def test_equal_texts_to_one_number_are_told_apart(provider: TwilioProvider, twilio: TwilioStandIn) -> None:
    attempted = datetime.now(UTC)
    sids = [await sent(provider) for _ in range(3)]
    for seconds, sid in enumerate(sids):
        created(twilio, sid, attempted + timedelta(seconds=seconds))

    assert await provider.look_up(an_enquiry(attempted=attempted)) == Found(sids[0])
    others = frozenset(sids[:1])
    assert await provider.look_up(an_enquiry(attempted=attempted, others=others)) == Found(sids[1])
    later = attempted + timedelta(seconds=2)
    assert await provider.look_up(an_enquiry(attempted=later)) == Found(sids[2])
    assert await provider.look_up(an_enquiry(attempted=attempted, others=frozenset(sids))) == NotFound()


def created(twilio: TwilioStandIn, sid: str, at: datetime) -> None:
    twilio.messages[sid]["date_created"] = format_datetime(at)


@pytest.mark.parametrize(("seconds", "is_found"), [(0, True), (100, True), (122, False), (3_600, False)])
async def test_what_came_before_the_attempt_is_another_text(
    provider: TwilioProvider, twilio: TwilioStandIn, seconds: int, *, is_found: bool
) -> None:
    attempted = datetime.now(UTC)
    sid = await sent(provider)
    created(twilio, sid, attempted - timedelta(seconds=seconds))

    answer = await provider.look_up(an_enquiry(attempted=attempted))

    assert answer == (Found(sid) if is_found else NotFound())


async def test_of_texts_before_the_attempt_the_nearest_is_it(provider: TwilioProvider, twilio: TwilioStandIn) -> None:
    attempted = datetime.now(UTC)
    sids = [await sent(provider) for _ in range(2)]
    for seconds, sid in zip([90, 5], sids, strict=True):
        created(twilio, sid, attempted - timedelta(seconds=seconds))

    assert await provider.look_up(an_enquiry(attempted=attempted)) == Found(sids[1])


@pytest.mark.parametrize(
    "change",
    [
        {"direction": "inbound"},
        {"direction": "outbound-reply"},
        {"from": "+19705550111"},
        {"body": "Another text"},
        {"sid": "nonsense"},
    ],
)
async def test_another_text_is_not_found(
    provider: TwilioProvider, twilio: TwilioStandIn, change: Mapping[str, str]
) -> None:
    twilio.messages[await sent(provider)].update(change)

    assert await provider.look_up(an_enquiry()) == NotFound()


@pytest.mark.parametrize(
    "body", [f"{BODY.text}\r\n", f"Sent from your Twilio trial account - {BODY.text}", BODY.text.replace(" ", "\n")]
)
async def test_a_text_is_found_however_twilio_keeps_it(
    provider: TwilioProvider, twilio: TwilioStandIn, body: str
) -> None:
    sid = await sent(provider)
    twilio.messages[sid]["body"] = body

    assert await provider.look_up(an_enquiry()) == Found(sid)


@pytest.mark.parametrize("body", ["", None])
async def test_of_an_account_that_keeps_no_texts_nothing_can_be_told(
    provider: TwilioProvider, twilio: TwilioStandIn, body: str | None
) -> None:
    twilio.messages[await sent(provider)]["body"] = body

    assert await provider.look_up(an_enquiry()) == CannotTell("texts-not-kept")


@pytest.mark.parametrize("smart_encoding", [False, True])
async def test_a_text_is_found_although_its_characters_were_replaced(
    twilio: TwilioStandIn, *, smart_encoding: bool
) -> None:
    provider = at(twilio.url, smart_encoding=smart_encoding)
    sid = await sent(provider, a_text_to(body=CURLY))
    twilio.messages[sid]["body"] = '"Don\'t" - naïve...'

    assert await provider.look_up(an_enquiry(body=CURLY)) == Found(sid)
    await provider.close()


async def test_what_was_replaced_otherwise_is_not_taken_for_another_text(twilio: TwilioStandIn) -> None:
    provider = at(twilio.url, smart_encoding=True)
    sid = await sent(provider)
    twilio.messages[sid]["body"] = "Who knows what they make of it"

    assert await provider.look_up(an_enquiry()) == CannotTell("texts-not-kept")
    await provider.close()


async def test_a_text_without_a_date_counts_as_new(provider: TwilioProvider, twilio: TwilioStandIn) -> None:
    sid = await sent(provider)
    twilio.messages[sid]["date_created"] = None

    assert await provider.look_up(an_enquiry()) == Found(sid)


@dataclass(frozen=True)
class Crowd:
    """Other texts that went to the number after ours."""

    size: int
    age_s: int
    answer: Callable[[str], EnquiryAnswer]


@pytest.mark.parametrize(
    "crowd",
    [
        Crowd(49, 0, Found),
        Crowd(120, 0, Found),
        Crowd(199, 0, Found),
        Crowd(200, 0, lambda _: CannotTell("too-many-texts")),
        Crowd(200, 600, lambda _: NotFound()),
    ],
)
async def test_pages_are_turned_as_far_as_it_takes(
    provider: TwilioProvider, twilio: TwilioStandIn, crowd: Crowd
) -> None:
    attempted = datetime.now(UTC)
    sid = await sent(provider)
    for index in range(crowd.size):
        other = f"SM{index:032x}"
        twilio.messages[other] = {**twilio.messages[sid], "sid": other, "body": "Another text"}
        created(twilio, other, attempted - timedelta(seconds=crowd.age_s))

    assert await provider.look_up(an_enquiry(attempted=attempted)) == crowd.answer(sid)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("hang", "no-answer"),
        ("html-200", "unreadable-answer"),
        ("cut-json", "unreadable-answer"),
        ("no-http", "unreadable-answer"),
        ("huge", "unreadable-answer"),
        ("500", "server-error"),
        ("429", "throttled"),
        ("401", "credentials-refused"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
async def test_without_an_answer_nothing_is_told(
    provider: TwilioProvider, twilio: TwilioStandIn, behaviour: str, reason: str, *, known: bool
) -> None:
    sid = await sent(provider)
    twilio.does(behaviour)

    answer = await provider.look_up(an_enquiry(reference=sid if known else None))

    assert answer == CannotTell(reason, ASK_AGAIN_US)


async def test_a_list_that_is_not_there_does_not_say_that_the_text_is_not(
    provider: TwilioProvider, twilio: TwilioStandIn
) -> None:
    twilio.does("error", code=20404, status=404)

    assert await provider.look_up(an_enquiry()) == CannotTell("unreadable-answer", ASK_AGAIN_US)


async def test_nobody_to_ask_tells_nothing() -> None:
    provider = at(f"http://127.0.0.1:{closed_port()}")

    assert await provider.look_up(an_enquiry()) == CannotTell("connection-lost", ASK_AGAIN_US)
    await provider.close()


async def test_a_question_may_be_asked_twice_over_a_connection_that_dropped(
    provider: TwilioProvider, twilio: TwilioStandIn
) -> None:
    sid = await sent(provider)
    twilio.does("reset-without-taking")

    assert await provider.look_up(an_enquiry(reference=sid)) == Found(sid)


# Silence.


async def test_no_number_no_text_and_no_secret_is_logged_or_shown(
    provider: TwilioProvider, twilio: TwilioStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    outcomes: list[object] = []
    sid = await sent(provider)
    for behaviour in ("hang", "cut-json", "no-http", "reset-before-answer", "401", "429", "500", "error"):
        twilio.does(behaviour)
        outcomes.append(await send(provider))
        twilio.does(behaviour)
        outcomes.append(await provider.look_up(an_enquiry()))
    outcomes.append(await provider.look_up(an_enquiry(reference=sid)))
    with pytest.raises(NotLeaving) as caught:
        await provider.send(a_text_to(), Departures(never))

    shown = caplog.text + repr(outcomes) + repr(provider) + repr(provider._known) + repr(caught.value)
    for secret in (NUMBER.e164, NUMBER.e164[1:], BODY.text, "4711", AUTH_TOKEN):
        assert secret not in shown

"""Vonage's provider with Vonage's own library, against a stand-in on this machine. What holds for every provider is in
`test_sms_provider`.
"""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from adapters.providers.vonage import transport, workers
from adapters.providers.vonage.account import Api, VonageAccount
from adapters.providers.vonage.answers import Reading, read
from adapters.providers.vonage.call import Call, Stayed
from adapters.providers.vonage.connection import Answer, UnreadableAnswer, _Reader
from adapters.providers.vonage.library import Hosts
from adapters.providers.vonage.provider import VonageProvider
from adapters.providers.vonage.transport import Transport
from domain.errors import InvalidValue
from domain.model.credentials import Credentials
from domain.model.message_body import MessageBody
from domain.model.pace import SECOND_US
from domain.model.send_outcome import Accepted, Barred, CannotTell, NotSent, Refused, SendOutcome, Throttled, Unknown
from domain.model.sender import SenderAddress
from domain.ports.due_deliveries import Enquiry
from domain.ports.sms_provider import NotLeaving, OutgoingText
from entrypoints.stand_ins.certificates import Certificate
from entrypoints.stand_ins.vonage import API_KEY, API_SECRET, APPLICATION_ID, VonageStandIn, application_key
from tests.builders import NOW_US, SENDER, a_body, a_delivery
from tests.contract.calling import NUMBER, SERVICE, Accounts, Departures, a_text_to, never, until

BY_MESSAGES = {"api_key": API_KEY, "api_secret": API_SECRET}
BY_SMS = {**BY_MESSAGES, "api": "sms"}
BY_APPLICATION = {"application_id": APPLICATION_ID, "private_key": application_key()[0]}
SIGNING = {"signature_secret": "what-calls-are-signed-with"}
BOTH_APIS = pytest.mark.parametrize("accounts", [Accounts(BY_MESSAGES), Accounts(BY_SMS)], ids=["messages", "sms"])

PLAIN = MessageBody("Your code is 4711 {€}")
FOREIGN = MessageBody("Ваш код 4711 & + % 🙂")
# Alone 160 letters fit into a segment, joined 153.
TWO_PARTS = MessageBody("x" * 161)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("vonage"))


@pytest.fixture
async def vonage(certificate: Certificate) -> AsyncIterator[VonageStandIn]:
    async with VonageStandIn(keep_exchanges=True, tls=certificate.server()).running() as vonage:
        yield vonage


@pytest.fixture
def accounts() -> Accounts:
    return Accounts(BY_MESSAGES)


@pytest.fixture
def unlisted() -> list[tuple[int, str]]:
    """Codes that the provider tells of."""
    return []


ProviderWith = Callable[..., VonageProvider]


@pytest.fixture
async def provider_with(
    vonage: VonageStandIn, certificate: Certificate, accounts: Accounts, unlisted: list[tuple[int, str]]
) -> AsyncIterator[ProviderWith]:
    made: list[VonageProvider] = []

    def provider_with(**options: Any) -> VonageProvider:  # noqa: ANN401
        provider = VonageProvider(
            accounts,
            hosts=Hosts(vonage.host, vonage.host),
            tls=certificate.client(),
            timeout_s=2,
            unlisted=lambda *told: unlisted.append(told),
            **options,
        )
        made.append(provider)
        return provider

    yield provider_with
    for each in made:
        await each.close()


@pytest.fixture
def provider(provider_with: ProviderWith) -> VonageProvider:
    return provider_with()


async def send(provider: VonageProvider, text: OutgoingText | None = None) -> SendOutcome:
    return await provider.send(text or a_text_to(body=PLAIN), Departures())


# What is written.


async def test_a_text_by_the_messages_api_is_sent_as_it_is(provider: VonageProvider, vonage: VonageStandIn) -> None:
    outcome = await send(provider)

    assert [outcome] == [Accepted(sid) for sid in vonage.sids]
    assert [arrival.form for arrival in vonage.arrivals] == [
        {
            "channel": "sms",
            "message_type": "text",
            "from": SENDER.value[1:],
            "to": NUMBER.e164[1:],
            "text": PLAIN.text,
            "client_ref": "7.1",
            "sms": {"encoding_type": "text"},
        }
    ]


@pytest.mark.parametrize("accounts", [Accounts(BY_SMS)])
async def test_a_text_by_the_sms_api_is_sent_as_it_is(provider: VonageProvider, vonage: VonageStandIn) -> None:
    outcome = await send(provider)

    assert [outcome] == [Accepted(sid) for sid in vonage.sids]
    assert [arrival.form for arrival in vonage.arrivals] == [
        {"from": SENDER.value[1:], "to": NUMBER.e164[1:], "text": PLAIN.text, "client-ref": "7.1", "type": "text"}
    ]


@BOTH_APIS
async def test_the_hub_says_how_a_text_is_encoded(provider: VonageProvider, vonage: VonageStandIn) -> None:
    await send(provider, a_text_to(body=FOREIGN))
    await send(provider, a_text_to(body=PLAIN))

    assert [arrival.body for arrival in vonage.arrivals] == [FOREIGN.text, PLAIN.text]
    assert [said(arrival.form) for arrival in vonage.arrivals] == ["unicode", "text"]


def said(form: Mapping[str, Any]) -> str:
    return str(form["sms"]["encoding_type"] if "sms" in form else form["type"])


@BOTH_APIS
async def test_the_longest_text_arrives_whole(provider: VonageProvider, vonage: VonageStandIn) -> None:
    body = MessageBody("🙂" * 1_600)

    assert await send(provider, a_text_to(body=body)) == Accepted(vonage.sids[0])
    assert vonage.arrivals[0].body == body.text


@BOTH_APIS
@pytest.mark.parametrize("sender", ["12345", "City Hall", "MegaPizza"])
async def test_a_short_code_or_a_name_is_a_sender(provider: VonageProvider, vonage: VonageStandIn, sender: str) -> None:
    await send(provider, a_text_to(sender=SenderAddress(sender)))

    assert vonage.arrivals[0].sender == sender


@BOTH_APIS
async def test_a_messaging_service_is_nobody_whom_vonage_knows(provider: VonageProvider, vonage: VonageStandIn) -> None:
    departures = Departures()

    assert await provider.send(a_text_to(sender=SERVICE), departures) == Barred("sender-refused")
    assert (departures.count, vonage.connections_made) == (0, 0)


@BOTH_APIS
@pytest.mark.parametrize(("valid_s", "life_s"), [(0, 20), (1, 20), (20, 20), (600, 600), (999_999, 604_800)])
async def test_a_text_is_worth_delivering_for_a_while(
    provider: VonageProvider, vonage: VonageStandIn, valid_s: int, life_s: int
) -> None:
    """In seconds by the one API, in milliseconds by the other."""
    await send(provider, a_text_to(valid_s=valid_s))

    assert vonage.arrivals[0].form["ttl"] in {life_s, f"{life_s}000"}
    assert (vonage.arrivals[0].form["ttl"] == life_s) is ("channel" in vonage.arrivals[0].form)


@pytest.mark.parametrize("accounts", [Accounts({**BY_MESSAGES, **SIGNING}), Accounts({**BY_APPLICATION, **SIGNING})])
async def test_a_text_says_where_its_receipts_are_to_go(provider_with: ProviderWith, vonage: VonageStandIn) -> None:
    await send(provider_with(callback_urls={Api.MESSAGES: "https://hub.example/callbacks"}))

    form = vonage.arrivals[0].form
    assert (form["webhook_url"], form["webhook_version"]) == ("https://hub.example/callbacks", "v1")


@BOTH_APIS
async def test_where_calls_cannot_be_checked_none_is_asked_for(
    provider_with: ProviderWith, vonage: VonageStandIn
) -> None:
    await send(provider_with(callback_urls=dict.fromkeys(Api, "https://hub.example/callbacks")))

    assert not {"webhook_url", "webhook_version", "callback"} & vonage.arrivals[0].form.keys()


@pytest.mark.parametrize("accounts", [Accounts({**BY_SMS, **SIGNING})])
@pytest.mark.parametrize(("length", "is_said"), [(100, True), (101, False)])
async def test_the_sms_api_takes_addresses_of_100_characters(
    provider_with: ProviderWith, vonage: VonageStandIn, length: int, *, is_said: bool
) -> None:
    url = "https://hub.example/".ljust(length, "x")

    assert await send(provider_with(callback_urls={Api.SMS: url})) == Accepted(vonage.sids[0])
    assert vonage.arrivals[0].form.get("callback") == (url if is_said else None)


@pytest.mark.parametrize("accounts", [Accounts(BY_APPLICATION)])
async def test_each_text_of_an_application_is_signed_anew(provider: VonageProvider, vonage: VonageStandIn) -> None:
    await send(provider)
    await send(provider)

    tokens = [exchange.headers["authorization"].removeprefix("Bearer ") for exchange in vonage.exchanges]
    claims = [jwt.decode(token, application_key()[1], algorithms=["RS256"]) for token in tokens]
    assert {each["application_id"] for each in claims} == {APPLICATION_ID}
    assert len({each["jti"] for each in claims}) == 2
    assert all(0 < each["exp"] - each["iat"] <= 900 for each in claims)


async def test_an_account_may_change_its_api(
    provider: VonageProvider, vonage: VonageStandIn, accounts: Accounts
) -> None:
    for values in (BY_MESSAGES, BY_SMS, BY_APPLICATION, BY_MESSAGES):
        accounts.values = values
        assert isinstance(await send(provider), Accepted)

    assert [exchange.target for exchange in vonage.exchanges] == [
        "/v1/messages",
        "/sms/json",
        "/v1/messages",
        "/v1/messages",
    ]
    kinds = [exchange.headers["content-type"] for exchange in vonage.exchanges]
    assert [kind.partition(";")[0] for kind in kinds] == [
        "application/json",
        "application/x-www-form-urlencoded",
        "application/json",
        "application/json",
    ]
    assert vonage.connections_made == 1


# Outcomes.


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        ({"code": "1170"}, Refused("invalid-recipient")),
        ({"code": "1240"}, Refused("opted-out-at-provider", opted_out=True)),
        ({"code": "1482"}, Refused("blocked-by-regulation")),
        ({"code": "invalid-params"}, Refused("request-refused")),
        ({"code": "1420"}, Barred("sender-refused")),
        ({"code": "low-balance", "status": 402}, Barred("no-credit")),
        ({"code": "unauthorized", "status": 401}, Barred("credentials-refused")),
        ({"code": "1000"}, Throttled()),
        ({"code": "1000", "status": 429, "retry_after": "7"}, Throttled(7 * SECOND_US)),
        ({"code": "rate-limit", "status": 429, "retry_after": "15"}, Throttled(15 * SECOND_US)),
        ({"code": "1170", "status": 429}, Throttled()),
        ({"code": "1460", "retry_after": "soon"}, Throttled(900 * SECOND_US)),
        ({"code": "1331"}, NotSent("provider-error")),
        ({"code": "1320"}, Unknown("already-sent")),
        ({"code": "1030", "status": 500}, Unknown("server-error")),
        ({"code": "9999"}, Refused("refused-by-provider")),
        ({"code": "9999", "status": 404}, Barred("account-not-found")),
        ({"code": "9999", "status": 503}, Unknown("server-error")),
    ],
)
async def test_a_problem_of_the_messages_api_has_its_outcome(
    provider: VonageProvider, vonage: VonageStandIn, how: dict[str, Any], outcome: SendOutcome
) -> None:
    vonage.does("error", **how)

    assert await send(provider) == outcome
    assert len(vonage.arrivals) == 1


@pytest.mark.parametrize("accounts", [Accounts(BY_SMS)])
@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        ({"code": 1}, Throttled()),
        ({"code": 5}, NotSent("provider-error")),
        ({"code": 6}, Refused("invalid-recipient")),
        ({"code": 9}, Barred("no-credit")),
        ({"code": 99}, Refused("refused-by-provider")),
        ({"code": 1, "status": 429, "retry_after": "3"}, Throttled(3 * SECOND_US)),
        ({"code": 5, "status": 503}, Unknown("server-error")),
        ({"code": 4, "status": 401}, Barred("credentials-refused")),
    ],
)
async def test_a_status_of_the_sms_api_has_its_outcome(
    provider: VonageProvider, vonage: VonageStandIn, how: dict[str, Any], outcome: SendOutcome
) -> None:
    vonage.does("error", **how)

    assert await send(provider) == outcome
    assert len(vonage.arrivals) == 1


@BOTH_APIS
async def test_an_answer_without_a_reference_is_unknown(provider: VonageProvider, vonage: VonageStandIn) -> None:
    vonage.does("no-reference")

    assert await send(provider) == Unknown("unreadable-answer")


@BOTH_APIS
async def test_no_password_that_vonage_knows_bars_the_sender(provider: VonageProvider, vonage: VonageStandIn) -> None:
    vonage.secrets = {API_KEY: "another-secret"}

    assert await send(provider) == Barred("credentials-refused")


@BOTH_APIS
async def test_a_text_that_comes_too_early_is_throttled(provider: VonageProvider, vonage: VonageStandIn) -> None:
    vonage.interval_us = 60_000_000
    await send(provider)

    assert await send(provider) in {Throttled(), Throttled(60 * SECOND_US)}
    assert len(vonage.sids) == 1


@pytest.mark.parametrize("accounts", [Accounts(BY_SMS)])
async def test_a_long_text_is_known_by_its_first_part(provider: VonageProvider, vonage: VonageStandIn) -> None:
    assert await send(provider, a_text_to(body=TWO_PARTS)) == Accepted(vonage.sids[0])
    assert (len(vonage.arrivals), len(vonage.texts)) == (1, 2)


@pytest.mark.parametrize("accounts", [Accounts(BY_SMS)])
@pytest.mark.parametrize("code", [1, 5, 10, 6, 9, 99])
async def test_what_was_sent_in_part_is_never_sent_again(
    provider: VonageProvider, vonage: VonageStandIn, code: int
) -> None:
    vonage.does("partly", code=code)

    assert await send(provider, a_text_to(body=TWO_PARTS)) == Refused("partly-sent")


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"code": "9999"}, [(422, "9999")]),
        ({"code": "9999", "status": 404}, [(404, "9999")]),
        ({"code": "something-new", "status": 403}, [(403, "something-new")]),
        ({"code": "a\nb" * 30, "status": 400}, [(400, "unreadable")]),
        ({"code": "9999", "status": 500}, []),
        ({"code": "1170"}, []),
    ],
)
async def test_a_code_that_no_table_has_is_told_of(
    provider: VonageProvider,
    vonage: VonageStandIn,
    unlisted: list[tuple[int, str]],
    how: dict[str, Any],
    told: list[tuple[int, str]],
) -> None:
    vonage.does("error", **how)

    await send(provider)
    assert unlisted == told


@pytest.mark.parametrize("accounts", [Accounts(BY_SMS)])
async def test_a_status_that_no_table_has_is_told_of(
    provider: VonageProvider, vonage: VonageStandIn, unlisted: list[tuple[int, str]]
) -> None:
    vonage.does("error", code=99)

    await send(provider)
    assert unlisted == [(200, "99")]


@pytest.mark.parametrize(("accounts", "told"), [(Accounts(BY_SMS), [(1, 38.07243628)]), (Accounts(BY_MESSAGES), [])])
async def test_credit_is_told_where_vonage_says_what_is_left(
    provider_with: ProviderWith, told: list[tuple[int, float]]
) -> None:
    left: list[tuple[int, float]] = []

    await send(provider_with(credit_told=lambda *its: left.append(its)))

    assert left == told


@pytest.mark.parametrize("balance", ["", "lots", "1e9", "nan", "1" * 13, 7, None, "-0.5 EUR"])
def test_credit_that_is_no_amount_is_not_told(balance: object) -> None:
    part = {"status": "0", "message-id": "SM1", "remaining-balance": balance}
    answer = Answer(200, {}, json.dumps({"message-count": "1", "messages": [part]}).encode())

    assert read(Api.SMS, answer) == Reading(Accepted("SM1"))


# Answers that nobody expects.


TAKEN = {"status": "0", "message-id": "0A0000000123ABCD1"}
THROTTLED = {"status": "1", "error-text": "Throttled"}
REFUSED = {"status": "6", "error-text": "Refused"}

NO_PARTS: list[object] = [None, 0, "0", [], {}, {"status": "0"}, {"message-id": "0A01"}]
NO_REFERENCES: list[object] = [None, "", 7, [], "a b", "x" * 65]
NO_STATUSES: list[object] = [None, 0, 6, True, "", "zero", "-1", "٦", "6 ", "9" * 50]


def in_parts(*parts: object, count: object = None) -> bytes:
    return json.dumps({"message-count": str(len(parts)) if count is None else count, "messages": parts}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"0"',
        b"{}",
        b"{" * 100_000,
        b'{"message-count": "1"',
        b"\xff\xfe",
        b"9" * 5_000,
        in_parts(),
        in_parts(count="0"),
        in_parts(TAKEN, count="2"),
        in_parts(TAKEN, count=""),
        in_parts(TAKEN, count=[1]),
        b'{"messages": [{"status": "0", "message-id": "0A01"}]}',
        b'{"message-count": "1", "messages": {"status": "0"}}',
        *map(in_parts, NO_PARTS),
        *(in_parts({"status": "0", "message-id": wrong}) for wrong in NO_REFERENCES),
        *(in_parts({"status": wrong}) for wrong in NO_STATUSES),
        in_parts(REFUSED, {}),
    ],
)
def test_what_makes_no_sense_by_the_sms_api_is_unknown(body: bytes) -> None:
    assert read(Api.SMS, Answer(200, body=body)) == Reading(Unknown("unreadable-answer"))


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        ([TAKEN, {"status": "0", "message-id": "0A02"}], Accepted("0A0000000123ABCD1")),
        ([THROTTLED, THROTTLED], Throttled()),
        ([REFUSED, THROTTLED], Refused("invalid-recipient")),
        ([THROTTLED, TAKEN], Refused("partly-sent")),
        ([TAKEN, {}], Refused("partly-sent")),
    ],
)
def test_parts_are_judged_together(parts: list[object], outcome: SendOutcome) -> None:
    assert read(Api.SMS, Answer(200, body=in_parts(*parts))) == Reading(outcome)


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b"{}", b"<html>", b"\xff", b"[" * 100_000),
        *(json.dumps({"message_uuid": wrong}).encode() for wrong in NO_REFERENCES),
    ],
)
def test_what_makes_no_sense_by_the_messages_api_is_unknown(status: int, body: bytes) -> None:
    assert read(Api.MESSAGES, Answer(status, body=body)) == Reading(Unknown("unreadable-answer"))


@pytest.mark.parametrize(
    ("problem", "outcome"),
    [
        ({"type": "https://developer.nexmo.com/api-errors/#low-balance"}, Barred("no-credit")),
        ({"type": "https://developer.vonage.com/api-errors/messages#1240"}, Refused("opted-out-at-provider", True)),
        ({"type": "about:blank", "title": "1240"}, Refused("opted-out-at-provider", True)),
        ({"type": ["#1240"], "title": ["1240"]}, Refused("refused-by-provider")),
        ({"title": "Unprocessable"}, Refused("refused-by-provider")),
        ("1240", Refused("refused-by-provider")),
        (None, Refused("refused-by-provider")),
    ],
)
def test_a_problems_code_is_found_where_it_stands(problem: object, outcome: SendOutcome) -> None:
    assert read(Api.MESSAGES, Answer(422, body=json.dumps(problem).encode())) == Reading(outcome)


@pytest.mark.parametrize("api", Api)
@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0, Unknown("unreadable-answer")),
        (301, Unknown("unreadable-answer")),
        (400, Refused("refused-by-provider")),
        (401, Barred("credentials-refused")),
        (402, Barred("no-credit")),
        (403, Barred("not-permitted")),
        (404, Barred("account-not-found")),
        (408, Unknown("no-answer")),
        (429, Throttled()),
        (500, Unknown("server-error")),
        (504, Unknown("server-error")),
    ],
)
def test_without_a_code_the_status_is_judged(api: Api, status: int, outcome: SendOutcome) -> None:
    assert read(api, Answer(status, body=b"<html>")) == Reading(outcome)


def test_an_answer_is_read_from_any_pieces() -> None:
    whole = (
        b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"
        b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    )
    for size in (1, 7, len(whole)):
        reader = _Reader()
        for start in range(0, len(whole), size):
            reader.read(whole[start : start + size])
        assert reader.complete
        assert reader.keeps_alive
        assert reader.answer == Answer(202, {"transfer-encoding": "chunked"}, b"{}")


def test_an_answer_may_end_with_the_connection() -> None:
    reader = _Reader()
    reader.read(b"HTTP/1.1 202 Accepted\r\nX: y\r\n\r\n{}")

    assert reader.ends_with_the_connection
    assert not reader.keeps_alive
    assert reader.answer.body == b"{}"


def test_an_answer_that_is_announced_to_be_longer_does_not_end_with_the_connection() -> None:
    reader = _Reader()
    reader.read(b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\n{}")

    assert not reader.complete
    assert not reader.ends_with_the_connection


def test_what_follows_an_answer_is_no_part_of_it_and_nothing_follows_that() -> None:
    reader = _Reader()
    reader.read(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\nnot")

    assert (reader.answer.status, reader.answer.body) == (202, b"{}")
    assert not reader.keeps_alive


@pytest.mark.parametrize(
    "said", [b"220 mail.example ESMTP\r\n", b"\x00" * 10, b"HTTP/1.1 202 Accepted\r\nno header\r\n"]
)
def test_what_is_no_http_is_no_answer(said: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        _Reader().read(said)


# Threads.


_there_before: set[threading.Thread] = set()


@pytest.fixture(autouse=True)
def _those_that_are_there_before() -> None:
    """Other tests may have left some at calls that nobody answers."""
    _there_before.clear()
    _there_before.update(threading.enumerate())


def threads() -> int:
    return sum(thread.name == "vonage" for thread in set(threading.enumerate()) - _there_before)


async def test_there_are_no_more_threads_than_there_may_be(provider_with: ProviderWith, vonage: VonageStandIn) -> None:
    provider = provider_with(most_threads=3)
    vonage.delay_s = 0.02

    outcomes = await asyncio.gather(*(send(provider) for _ in range(20)))

    assert {outcome.reference for outcome in outcomes if isinstance(outcome, Accepted)} == set(vonage.sids)
    assert len(vonage.sids) == 20
    assert threads() == vonage.connections_made == 3
    await provider.close()
    assert threads() == 0


async def test_who_was_busy_last_is_busy_next(provider: VonageProvider, vonage: VonageStandIn) -> None:
    await asyncio.gather(*(send(provider) for _ in range(5)))
    vonage.hang_up()
    made = vonage.connections_made
    for _ in range(10):
        await send(provider)
        await asyncio.sleep(0.005)

    assert vonage.connections_made == made + 1


async def test_a_connection_that_was_idle_for_long_is_not_written_to(
    provider: VonageProvider, vonage: VonageStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(provider)
    monkeypatch.setattr(transport, "_LONGEST_IDLE_S", -1.0)

    assert isinstance(await send(provider), Accepted)
    assert vonage.connections_made == 2


async def test_threads_that_have_nothing_to_do_for_long_end(
    provider: VonageProvider, vonage: VonageStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    vonage.delay_s = 0.05
    await asyncio.gather(*(send(provider) for _ in range(5)))
    assert threads() == 5
    monkeypatch.setattr(workers, "_LONGEST_IDLE_S", 0.01)

    await send(provider)
    await until(lambda: threads() == 1)
    assert isinstance(await send(provider), Accepted)


async def test_a_thread_that_is_at_a_call_ends_after_it(provider: VonageProvider, vonage: VonageStandIn) -> None:
    vonage.does("hang")
    call = asyncio.create_task(send(provider))
    await until(lambda: bool(vonage.arrivals))
    await provider.close()
    assert threads() == 1

    vonage.hang_up()
    assert await call == Unknown("connection-lost")
    await until(lambda: threads() == 0)


async def test_a_call_lets_one_request_go(certificate: Certificate, vonage: VonageStandIn) -> None:
    """Whatever the library may take for safe to repeat."""
    made = Transport(certificate.client(), connect_timeout_s=1)
    connection = await asyncio.to_thread(made._connection_to, ("127.0.0.1", vonage.port))
    call = Call(answer_timeout_s=1)
    request = b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    first = asyncio.create_task(asyncio.to_thread(call.exchange, connection, request))
    assert await call.stands()
    call.leaves()
    assert await first is call.answer

    with pytest.raises(Stayed):
        await asyncio.to_thread(call.exchange, connection, request)
    assert len(vonage.arrivals) == 1
    made.close()


async def test_a_fault_of_ours_is_raised(provider: VonageProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it is told of; to the provider nothing was sent."""
    monkeypatch.setattr("adapters.providers.vonage.transport._written", lambda *_: 1 / 0)
    departures = Departures()

    with pytest.raises(ZeroDivisionError):
        await provider.send(a_text_to(), departures)
    assert departures.count == 0


# Credentials.


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (BY_MESSAGES, API_KEY),
        ({**BY_MESSAGES, "api": "messages", "signature_secret": "0123456789abcdef"}, API_KEY),
        (BY_SMS, API_KEY),
        (BY_APPLICATION, APPLICATION_ID),
        ({**BY_APPLICATION, "api": "messages", "signature_secret": "0123456789abcdef"}, APPLICATION_ID),
    ],
)
async def test_an_account_is_known_by_its_key_or_its_application(
    provider: VonageProvider, vonage: VonageStandIn, accounts: Accounts, values: Mapping[str, str], name: str
) -> None:
    accounts.values = values

    assert provider.account_of(Credentials(values)) == name
    assert isinstance(await send(provider), Accepted)
    assert "sig" not in vonage.arrivals[0].form


def a_key(form: PrivateFormat = PrivateFormat.PKCS8, *, bits: int = 2_048) -> str:
    key = rsa.generate_private_key(65_537, bits)
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


@pytest.mark.parametrize(
    "written",
    [
        lambda: a_key(PrivateFormat.TraditionalOpenSSL),
        lambda: a_key().replace("\n", "\r\n"),
        lambda: "\n " + a_key() + "\n\n",
    ],
)
def test_a_private_key_may_be_written_as_private_keys_are(written: Callable[[], str]) -> None:
    account = VonageAccount.of(Credentials({**BY_APPLICATION, "private_key": written()}))

    assert account.secret.startswith("-----BEGIN PRIVATE KEY-----\n")


SECRET_KEY = load_pem_private_key(application_key()[0].encode(), None)
NO_KEYS = {
    "nothing": "",
    "a path": "/home/hub/private.key",
    "a public key": application_key()[1],
    "half a key": application_key()[0][:900],
    "a short key": a_key(bits=1_024),
    "an elliptic key": ec.generate_private_key(ec.SECP256R1())
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode(),
    "a key under a password": SECRET_KEY.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame")
    ).decode(),
    "half a character": "\ud800",
}


@pytest.mark.parametrize("key", NO_KEYS.values(), ids=NO_KEYS)
def test_what_is_no_private_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        VonageAccount.of(Credentials({**BY_APPLICATION, "private_key": key}))

    told = str(caught.value)
    assert told.endswith("Found malformed: private_key.")
    assert not key or key not in told


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, {"missing: api_key, api_secret"}),
        ({"api_key": API_KEY}, {"missing: api_secret"}),
        ({"application_id": APPLICATION_ID}, {"missing: private_key"}),
        ({"private_key": application_key()[0]}, {"missing: application_id"}),
        ({**BY_MESSAGES, "api_key": "abcd123"}, {"malformed: api_key"}),
        ({**BY_MESSAGES, "api_key": "abcd1234\n"}, {"malformed: api_key"}),
        ({**BY_MESSAGES, "api_secret": "with blanks in it"}, {"malformed: api_secret"}),
        ({**BY_MESSAGES, "signature_secret": ""}, {"malformed: signature_secret"}),
        ({**BY_MESSAGES, "api": "voice"}, {"malformed: api"}),
        ({**BY_APPLICATION, "api": "sms"}, {"malformed: api"}),
        ({**BY_APPLICATION, "application_id": "my-app"}, {"malformed: application_id"}),
        ({**BY_APPLICATION, **BY_MESSAGES}, {"unknown: api_key, api_secret"}),
        ({**BY_MESSAGES, "ApiKey": "x", "region": "y"}, {"unknown: ApiKey, region"}),
    ],
)
def test_what_is_no_account_is_named_and_not_shown(values: Mapping[str, str], named: set[str]) -> None:
    with pytest.raises(InvalidValue) as caught:
        VonageAccount.of(Credentials(values))

    told = str(caught.value)
    assert set(told.partition("Found ")[2].removesuffix(".").split("; ")) == named
    assert not any(value in told for value in values.values() if len(value) > 5)


def test_an_account_does_not_show_its_secret() -> None:
    for values in (BY_MESSAGES, BY_APPLICATION):
        account = VonageAccount.of(Credentials(values))
        assert account.secret not in repr(account)


# Look-ups.


async def test_vonage_cannot_be_asked_so_that_its_receipt_is_waited_for(
    provider: VonageProvider, vonage: VonageStandIn
) -> None:
    enquiry = Enquiry(
        delivery=a_delivery(NUMBER, delivery_id=7),
        provider="vonage",
        account_id=1,
        sender=SENDER,
        body=a_body(),
        attempted_us=NOW_US,
    )

    assert await provider.look_up(enquiry) == CannotTell("no-receipt", 300 * SECOND_US)
    assert vonage.connections_made == 0


async def test_a_departure_that_does_not_come_leaves_the_thread_free(
    provider_with: ProviderWith, vonage: VonageStandIn
) -> None:
    provider = provider_with(most_threads=1)
    for _ in range(5):
        with pytest.raises(NotLeaving):
            await provider.send(a_text_to(), Departures(never))

    assert isinstance(await send(provider), Accepted)
    assert (len(vonage.arrivals), vonage.connections_made) == (1, 1)

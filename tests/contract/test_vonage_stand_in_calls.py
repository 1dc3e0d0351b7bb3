"""Whom the stand-in for Vonage calls, by each of its APIs: seen by Vonage's own library."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
import orjson
import pytest
from vonage_http_client import Auth, HttpClient, HttpClientOptions
from vonage_jwt import verify_signature
from vonage_messages import Messages
from vonage_messages.models import Sms as MessagesSms
from vonage_sms import Sms, SmsMessage

from entrypoints.stand_ins import fates, vonage_numbers
from entrypoints.stand_ins.certificates import Certificate
from entrypoints.stand_ins.vonage import (
    API_KEY,
    API_SECRET,
    APPLICATION_ID,
    SIGNATURE_SECRET,
    VonageStandIn,
    application_key,
)
from entrypoints.stand_ins.vonage_calls import METHODS, Signing, SmsForm
from tests.receiver import Received, Receiver

SENDER = "19705550100"
NUMBER = "19706904544"
BY_KEY = {"api_key": API_KEY, "api_secret": API_SECRET}
BY_APPLICATION = {"application_id": APPLICATION_ID, "private_key": application_key()[0]}

StandInWith = Callable[..., Any]


@pytest.fixture
def vonage_with(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInWith:
    certificate = Certificate(tmp_path)
    # What Vonage's own library goes by.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.file))

    @asynccontextmanager
    async def vonage_with(**options: Any) -> AsyncIterator[VonageStandIn]:  # noqa: ANN401
        inbound_url = f"{receiver.url}/callbacks/vonage/inbound"
        stand_in = VonageStandIn(tls=certificate.server(), receipt_delay_s=0.05, inbound_url=inbound_url, **options)
        async with stand_in.running():
            yield stand_in

    return vonage_with


def library_of(vonage: VonageStandIn, credentials: Mapping[str, str] = BY_KEY) -> HttpClient:
    hosts = {"api_host": vonage.host, "rest_host": vonage.host}
    return HttpClient(Auth(**credentials), HttpClientOptions(**hosts, pool_maxsize=1, max_retries=0))


async def message(
    vonage: VonageStandIn, receiver: Receiver, credentials: Mapping[str, str] = BY_KEY, **change: str
) -> str:
    """By the Messages API; its reference."""
    url = f"{receiver.url}/callbacks/vonage/status"
    text = {"from_": SENDER, "to": NUMBER, "text": "Hello", "client_ref": "17", "webhook_url": url, **change}
    library = Messages(library_of(vonage, credentials))
    sent = await asyncio.to_thread(lambda: library.send(MessagesSms(**text)))
    return str(sent.message_uuid)


async def sms(vonage: VonageStandIn, receiver: Receiver, **change: str) -> list[str]:
    """By the SMS API; the references of its parts."""
    url = f"{receiver.url}/callbacks/vonage/sms-status"
    text = {"from_": SENDER, "to": NUMBER, "text": "Hello", "client_ref": "17", "callback": url, **change}
    library = Sms(library_of(vonage))
    sent = await asyncio.to_thread(lambda: library.send(SmsMessage(**text)))
    return [part.message_id for part in sent.messages]


async def texts_back(vonage: VonageStandIn, **change: str) -> httpx.Response:
    text = {"From": f"+{NUMBER}", "To": f"+{SENDER}", "Body": "Yes & no = ü", **change}
    # Whom the machine believes is another test's matter.
    async with httpx.AsyncClient(base_url=vonage.url, verify=False) as client:
        return await client.post("/_control/inbound", json=text)


def claims_of(call: Received) -> Mapping[str, Any]:
    """Of a token that Vonage's own library believes, and of no other."""
    scheme, _, token = call.headers["authorization"].partition(" ")
    assert scheme == "Bearer"
    assert verify_signature(token, SIGNATURE_SECRET)
    assert not verify_signature(token, SIGNATURE_SECRET[::-1])
    return dict(jwt.decode(token, options={"verify_signature": False}))


class TestMessagesApi:
    @pytest.mark.parametrize(("credentials", "application"), [(BY_KEY, None), (BY_APPLICATION, APPLICATION_ID)])
    async def test_a_text_is_submitted_and_delivered_and_each_is_told_and_signed(
        self, vonage_with: StandInWith, receiver: Receiver, credentials: Mapping[str, str], application: str | None
    ) -> None:
        async with vonage_with() as vonage:
            reference = await message(vonage, receiver, credentials)
            calls = await receiver.until(2)

        told = [orjson.loads(call.body) for call in calls]
        assert [each["status"] for each in told] == ["submitted", "delivered"]
        for each, call in zip(told, calls, strict=True):
            assert call.url == f"{receiver.url}/callbacks/vonage/status"
            assert (each["message_uuid"], each["client_ref"], each["channel"]) == (reference, "17", "sms")
            assert (each["from"], each["to"]) == (SENDER, NUMBER)
            claims = claims_of(call)
            assert claims["payload_hash"] == hashlib.sha256(call.body).hexdigest()
            assert abs(claims["iat"] - time.time()) < 10
            assert (claims["iss"], claims["api_key"], claims.get("application_id")) == ("Vonage", API_KEY, application)
        assert len({claims_of(call)["jti"] for call in calls}) == 2

    @pytest.mark.parametrize(
        ("number", "statuses", "code"),
        [
            ("15005550004", ["submitted", "rejected"], "1240"),
            ("15005550020", ["submitted", "undeliverable"], "1260"),
            ("15005550021", ["submitted", "rejected"], "1210"),
            ("15005550022", ["submitted", "undeliverable"], "1360"),
            ("15005550023", ["submitted"], None),
            ("15005550024", ["delivered", "submitted", "delivered"], None),
        ],
    )
    async def test_a_magic_number_has_its_receipts(
        self, vonage_with: StandInWith, receiver: Receiver, number: str, statuses: list[str], code: str | None
    ) -> None:
        async with vonage_with() as vonage:
            await message(vonage, receiver, to=number)
            told = [orjson.loads(call.body) for call in await receiver.until(len(statuses))]

        assert [each["status"] for each in told] == statuses
        assert told[-1].get("error", {}).get("title") == code

    async def test_a_call_is_repeated_until_it_is_taken(self, vonage_with: StandInWith, receiver: Receiver) -> None:
        receiver.statuses = [500]
        async with vonage_with() as vonage:
            await message(vonage, receiver, to="15005550023")
            first, second = await receiver.until(2)

        assert first.body == second.body

    async def test_what_is_texted_back_is_told_and_signed(self, vonage_with: StandInWith, receiver: Receiver) -> None:
        async with vonage_with() as vonage:
            answer = await texts_back(vonage, Body="x" * 161)
            (call,) = await receiver.until(1)

        told = orjson.loads(call.body)
        assert answer.json() == {"Answers": [{"Status": 204, "Body": ""}]}
        assert call.url == f"{receiver.url}/callbacks/vonage/inbound"
        assert (told["from"], told["to"], told["text"]) == (NUMBER, SENDER, "x" * 161)
        assert told["sms"]["num_messages"] == "2"
        assert claims_of(call)["payload_hash"] == hashlib.sha256(call.body).hexdigest()


def fields_of(call: Received, form: SmsForm) -> dict[str, str]:
    match form:
        case SmsForm.GET:
            assert (call.method, call.body) == ("GET", b"")
            return dict(call.query)
        case SmsForm.JSON:
            assert (call.method, call.headers["content-type"]) == ("POST", "application/json")
            return dict(orjson.loads(call.body))
        case SmsForm.POST:
            assert (call.method, call.headers["content-type"]) == ("POST", "application/x-www-form-urlencoded")
            return dict(call.form)


def is_signed(fields: Mapping[str, str], method: str, secret: str = SIGNATURE_SECRET) -> bool:
    """As Vonage's own library sees it, which knows every method but the plain hash."""
    if method == "md5hash":
        given = {name: value.replace("&", "_").replace("=", "_") for name, value in fields.items() if name != "sig"}
        text = "".join(f"&{name}={given[name]}" for name in sorted(given))
        return hashlib.md5(f"{text}{secret}".encode()).hexdigest() == fields["sig"]
    auth = Auth(api_key=API_KEY, signature_secret=secret, signature_method=method)
    return bool(auth.check_signature(dict(fields)))


class TestSmsApi:
    @pytest.mark.parametrize("form", SmsForm)
    async def test_a_text_is_accepted_and_delivered_and_each_is_told_and_signed(
        self, vonage_with: StandInWith, receiver: Receiver, form: SmsForm
    ) -> None:
        async with vonage_with(sms_form=form) as vonage:
            (reference,) = await sms(vonage, receiver)
            told = [fields_of(call, form) for call in await receiver.until(2)]

        assert [(each["status"], each["err-code"]) for each in told] == [("accepted", "0"), ("delivered", "0")]
        for each in told:
            assert (each["messageId"], each["client-ref"], each["api-key"]) == (reference, "17", API_KEY)
            assert (each["to"], each["msisdn"]) == (SENDER, NUMBER)
            assert abs(int(each["timestamp"]) - time.time()) < 10
            assert is_signed(each, "md5hash")
            assert not is_signed(each, "md5hash", SIGNATURE_SECRET[::-1])

    @pytest.mark.parametrize("method", METHODS)
    async def test_it_is_signed_as_the_account_has_it(
        self, vonage_with: StandInWith, receiver: Receiver, method: str
    ) -> None:
        async with vonage_with(signing=Signing(api_key=API_KEY, secret=SIGNATURE_SECRET, method=method)) as vonage:
            await sms(vonage, receiver, to="15005550023", client_ref="a=b&c")
            (call,) = await receiver.until(1)

        assert [each for each in METHODS if is_signed(call.form, each)] == [method]

    @pytest.mark.parametrize(
        ("number", "statuses", "code"),
        [
            ("15005550004", ["accepted", "failed"], "9"),
            ("15005550020", ["accepted", "failed"], "12"),
            ("15005550021", ["accepted", "rejected"], "6"),
            ("15005550022", ["accepted", "expired"], "2"),
            ("15005550023", ["accepted"], "0"),
        ],
    )
    async def test_a_magic_number_has_its_receipts(
        self, vonage_with: StandInWith, receiver: Receiver, number: str, statuses: list[str], code: str
    ) -> None:
        async with vonage_with() as vonage:
            await sms(vonage, receiver, to=number)
            told = [call.form for call in await receiver.until(len(statuses))]

        assert [each["status"] for each in told] == statuses
        assert told[-1]["err-code"] == code

    async def test_every_part_of_a_long_text_has_its_own_receipts(
        self, vonage_with: StandInWith, receiver: Receiver
    ) -> None:
        async with vonage_with() as vonage:
            references = await sms(vonage, receiver, text="x" * 161)
            calls = await receiver.until(4)

        assert sorted(call.form["messageId"] for call in calls) == sorted(references * 2)
        assert len(set(references)) == 2

    async def test_what_is_texted_back_comes_in_parts(self, vonage_with: StandInWith, receiver: Receiver) -> None:
        async with vonage_with(by_sms=True) as vonage:
            await texts_back(vonage)
            answer = await texts_back(vonage, Body="x" * 161)
            told = [call.form for call in await receiver.until(3)]

        alone, *parts = told
        assert (alone["msisdn"], alone["to"], alone["text"], alone["keyword"]) == (
            NUMBER,
            SENDER,
            "Yes & no = ü",
            "YES",
        )
        assert "concat" not in alone
        assert len(answer.json()["Answers"]) == 2
        assert "".join(each["text"] for each in parts) == "x" * 161
        assert [(each["concat-part"], each["concat-total"]) for each in parts] == [("1", "2"), ("2", "2")]
        assert len({each["concat-ref"] for each in parts}) == 1
        assert all(is_signed(each, "md5hash") for each in told)


@pytest.mark.parametrize(
    ("recipients", "senders"),
    [
        (vonage_numbers.RECIPIENTS, vonage_numbers.SENDERS),
        (vonage_numbers.SMS_RECIPIENTS, vonage_numbers.SMS_SENDERS),
    ],
)
def test_every_magic_number_has_its_fate(recipients: Mapping[str, object], senders: Mapping[str, object]) -> None:
    assert recipients.keys() == fates.RECIPIENTS.keys()
    assert senders.keys() == fates.SENDERS.keys()

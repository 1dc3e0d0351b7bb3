"""What Twilio's library really sends, and what the stand-in answers, held against Twilio's own OpenAPI document.

The document is not ours to ship: `twilio_api_v2010.json` of https://github.com/twilio/twilio-oai is looked for in the
folder that PROVIDER_CONTRACTS_DIR names.
"""

import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from adapters.providers.twilio.provider import TwilioProvider
from domain.model.credentials import Credentials
from domain.model.delivery import DeliveryState
from domain.model.message_body import MessageBody
from domain.model.pace import SECOND_US
from domain.model.send_outcome import Accepted, Found
from domain.model.sender import SenderAddress
from domain.ports.due_deliveries import Enquiry
from domain.ports.provider_accounts import ProviderAccounts
from domain.ports.sms_provider import OutgoingText
from entrypoints.stand_ins.http import Exchange
from entrypoints.stand_ins.twilio import ACCOUNT_SID, AUTH_TOKEN, TwilioStandIn
from tests.builders import SENDER, a_body, a_delivery, a_number

DOCUMENT = Path(os.environ.get("PROVIDER_CONTRACTS_DIR", "/nowhere")) / "twilio_api_v2010.json"
TWILIO = "https://api.twilio.com"
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages"
USED = (
    "/2010-04-01/Accounts/{AccountSid}/Messages.json",
    "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json",
)

pytestmark = pytest.mark.skipif(
    not DOCUMENT.is_file(), reason="PROVIDER_CONTRACTS_DIR names no folder with twilio_api_v2010.json"
)


class Accounts(ProviderAccounts):
    async def find(self, provider: str, account: str) -> int | None:
        raise NotImplementedError

    async def seal_anew(self) -> int:
        raise NotImplementedError

    async def credentials(self, account_id: int) -> Credentials:  # noqa: ARG002 - there is one
        return Credentials({"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN})


@pytest.fixture(scope="module")
def document() -> OpenAPI:
    whole = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    # The rest has nothing to do with us, and takes its time to be read.
    whole["paths"] = {path: whole["paths"][path] for path in USED}
    return OpenAPI.from_dict(whole)


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioStandIn]:
    async with TwilioStandIn(keep_exchanges=True).running() as twilio:
        yield twilio


@pytest.fixture
async def provider(twilio: TwilioStandIn) -> AsyncIterator[TwilioProvider]:
    callback = "https://hub.example/callbacks/twilio/status"
    provider = TwilioProvider(Accounts(), api_base_url=twilio.url, status_callback=callback, smart_encoding=True)
    yield provider
    await provider.close()


async def at_once() -> None:
    pass


async def sent(
    provider: TwilioProvider,
    sender: SenderAddress = SENDER,
    body: MessageBody | None = None,
    valid_s: int | None = None,
) -> str:
    text = OutgoingText(
        delivery_id=7,
        attempt=1,
        account_id=1,
        sender=sender,
        number=a_number(),
        body=body or a_body(),
        valid_s=valid_s,
    )
    outcome = await provider.send(text, at_once)
    assert isinstance(outcome, Accepted)
    return outcome.reference


def an_enquiry(reference: str | None = None) -> Enquiry:
    state = DeliveryState.UNKNOWN if reference is None else DeliveryState.SENT
    delivery = a_delivery(a_number(), delivery_id=7, state=state)
    return Enquiry(
        delivery=delivery if reference is None else delivery.found(reference, now_us=0),
        provider="twilio",
        account_id=1,
        sender=SENDER,
        body=a_body(),
        attempted_us=int(datetime.now(UTC).timestamp()) * SECOND_US,
    )


def asked(exchange: Exchange) -> MockRequest:
    target = urlsplit(exchange.target)
    return MockRequest(
        TWILIO,
        exchange.method.lower(),
        target.path,
        args=dict(parse_qsl(target.query)),
        headers=dict(exchange.headers),
        data=exchange.body or None,
        content_type=exchange.headers.get("content-type", ""),
    )


def answered(exchange: Exchange) -> MockResponse:
    return MockResponse(exchange.answer, status_code=exchange.status, content_type="application/json")


def check(document: OpenAPI, exchange: Exchange) -> None:
    """Raises `OpenAPIError`."""
    document.validate_request(asked(exchange))
    document.validate_response(asked(exchange), answered(exchange))


async def test_every_text_is_written_and_answered_as_documented(
    document: OpenAPI, provider: TwilioProvider, twilio: TwilioStandIn
) -> None:
    await sent(provider)
    await sent(provider, SenderAddress("MG" + "0123456789abcdef" * 2), MessageBody("я & + % 🙂" * 20), valid_s=600)
    await sent(provider, SenderAddress("12345"), MessageBody("x" * 1_600), valid_s=1)

    assert len(twilio.exchanges) == 3
    for exchange in twilio.exchanges:
        check(document, exchange)


async def test_every_question_is_asked_and_answered_as_documented(
    document: OpenAPI, provider: TwilioProvider, twilio: TwilioStandIn
) -> None:
    sid = await sent(provider)
    for index in range(120):
        other = f"SM{index:032x}"
        twilio.messages[other] = {**twilio.messages[sid], "sid": other, "body": "Another text"}
    twilio.exchanges.clear()

    assert await provider.look_up(an_enquiry(sid)) == Found(sid)
    assert await provider.look_up(an_enquiry()) == Found(sid)

    assert [urlsplit(each.target).path for each in twilio.exchanges] == [
        f"{MESSAGES}/{sid}.json",
        *[f"{MESSAGES}.json"] * 3,
    ]
    for exchange in twilio.exchanges:
        check(document, exchange)


async def test_the_check_sees_a_wrong_question_and_a_wrong_answer(
    document: OpenAPI, provider: TwilioProvider, twilio: TwilioStandIn
) -> None:
    await sent(provider)
    exchange = twilio.exchanges[0]
    right = exchange.body, exchange.answer

    for wrong in (
        (b"From=%2B19705550100&Body=Hello", right[1]),
        (right[0] + b"&ValidityPeriod=soon", right[1]),
        (right[0], right[1].replace(b'"sid": "SM', b'"sid": "XX')),
        (right[0], right[1].replace(b'"queued"', b'"on its way"')),
    ):
        exchange.body, exchange.answer = wrong
        with pytest.raises(OpenAPIError):
            check(document, exchange)
    exchange.body, exchange.answer = right
    check(document, exchange)

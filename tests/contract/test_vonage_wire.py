"""What Vonage's library really sends, and what the stand-in answers, held against Vonage's own OpenAPI documents.

They are not ours to ship: `vonage_messages_1_20_0_sms_extract.yaml` and `vonage_sms_1_5_1.yaml`, made of what
developer.vonage.com publishes, are looked for in the folder that PROVIDER_CONTRACTS_DIR names.
"""

import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from adapters.providers.vonage.account import Api
from adapters.providers.vonage.library import Hosts
from adapters.providers.vonage.provider import VonageProvider
from domain.model.message_body import MessageBody
from domain.model.sender import SenderAddress
from entrypoints.stand_ins.certificates import Certificate
from entrypoints.stand_ins.http import Exchange
from entrypoints.stand_ins.vonage import (
    API_KEY,
    API_SECRET,
    APPLICATION_ID,
    MESSAGES,
    SMS,
    VonageStandIn,
    application_key,
)
from tests.contract.calling import Accounts, Departures, a_text_to

FOLDER = Path(os.environ.get("PROVIDER_CONTRACTS_DIR", "/nowhere"))
DOCUMENTS = {MESSAGES: "vonage_messages_1_20_0_sms_extract.yaml", SMS: "vonage_sms_1_5_1.yaml"}
HOSTS = {MESSAGES: "https://api.nexmo.com", SMS: "https://rest.nexmo.com"}

BY_KEY = {"api_key": API_KEY, "api_secret": API_SECRET}
BY_APPLICATION = {"application_id": APPLICATION_ID, "private_key": application_key()[0]}
CREDENTIALS = {"by key": BY_KEY, "by application": BY_APPLICATION, "by the SMS API": {**BY_KEY, "api": "sms"}}

pytestmark = pytest.mark.skipif(
    not all((FOLDER / name).is_file() for name in DOCUMENTS.values()),
    reason=f"PROVIDER_CONTRACTS_DIR names no folder with {' and '.join(DOCUMENTS.values())}",
)

Documents = dict[str, OpenAPI]


@pytest.fixture(scope="module")
def documents() -> Documents:
    config = Config(extra_media_type_deserializers={"application/problem+json": json.loads})
    return {
        # Successes and refusals of the SMS API are told apart by nothing that the document says.
        target: OpenAPI.from_dict(_with_any_of(yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))), config)
        for target, name in DOCUMENTS.items()
    }


def _with_any_of(document: Any) -> Any:  # noqa: ANN401 - YAML
    if isinstance(document, dict):
        return {"anyOf" if name == "oneOf" else name: _with_any_of(value) for name, value in document.items()}
    return [_with_any_of(each) for each in document] if isinstance(document, list) else document


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("vonage"))


@pytest.fixture
async def vonage(certificate: Certificate) -> AsyncIterator[VonageStandIn]:
    async with VonageStandIn(keep_exchanges=True, tls=certificate.server()).running() as vonage:
        yield vonage


@pytest.fixture(params=CREDENTIALS)
async def provider(
    request: pytest.FixtureRequest, vonage: VonageStandIn, certificate: Certificate
) -> AsyncIterator[VonageProvider]:
    provider = VonageProvider(
        Accounts(CREDENTIALS[request.param]),
        hosts=Hosts(vonage.host, vonage.host),
        callback_urls=dict.fromkeys(Api, "https://hub.example/callbacks/vonage"),
        tls=certificate.client(),
    )
    yield provider
    await provider.close()


def check(documents: Documents, exchange: Exchange) -> None:
    """Raises `OpenAPIError`."""
    headers = dict(exchange.headers)
    kind = headers["content-type"].partition(";")[0]
    host = HOSTS[exchange.target]
    asked = MockRequest(host, "post", exchange.target, headers=headers, data=exchange.body, content_type=kind)
    answered = MockResponse(exchange.answer, status_code=exchange.status, content_type=_answered_as(exchange))
    documents[exchange.target].validate_request(asked)
    documents[exchange.target].validate_response(asked, answered)


def _answered_as(exchange: Exchange) -> str:
    documented_otherwise = exchange.status in {200, 202, 422}
    return "application/json" if documented_otherwise else "application/problem+json"


async def test_every_text_is_written_and_answered_as_documented(
    documents: Documents, provider: VonageProvider, vonage: VonageStandIn
) -> None:
    for text in (
        a_text_to(),
        a_text_to(sender=SenderAddress("City Hall"), body=MessageBody("я & + % 🙂" * 20), valid_s=600),
        a_text_to(sender=SenderAddress("12345"), body=MessageBody("x" * 1_600), valid_s=1),
        a_text_to(body=MessageBody("{€}"), valid_s=10_000_000),
    ):
        await provider.send(text, Departures())

    assert [arrival.status for arrival in vonage.arrivals] == [vonage.arrivals[0].status] * 4
    assert len(vonage.sids) == len(vonage.exchanges) == 4
    for exchange in vonage.exchanges:
        check(documents, exchange)


@pytest.mark.parametrize("behaviour", ["401", "429", "error"])
async def test_every_refusal_is_said_as_documented(
    documents: Documents, provider: VonageProvider, vonage: VonageStandIn, behaviour: str
) -> None:
    vonage.does(behaviour, code="6", retry_after="7")
    await provider.send(a_text_to(), Departures())

    check(documents, vonage.exchanges[0])


async def test_the_check_sees_a_wrong_question_and_a_wrong_answer(
    documents: Documents, provider: VonageProvider, vonage: VonageStandIn
) -> None:
    await provider.send(a_text_to(valid_s=20), Departures())
    [exchange] = vonage.exchanges
    check(documents, exchange)

    for wrong in (
        replace(exchange, body=exchange.body.replace(b"to", b"whom")),
        replace(exchange, body=exchange.body.replace(b"19705550007", b"123")),
        replace(exchange, body=exchange.body.replace(b"20", b"2")),
        replace(exchange, body=exchange.body.replace(b"unicode", b"utf-8")),
        replace(exchange, headers={**exchange.headers, "authorization": ""}),
        replace(exchange, answer=exchange.answer.replace(b'message_uuid": "', b'message_uuid": "x')),
        replace(exchange, answer=b"[]"),
    ):
        if wrong != exchange:
            with pytest.raises(OpenAPIError):
                check(documents, wrong)

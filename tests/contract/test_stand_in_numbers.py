"""What the hub makes of the stand-ins' magic numbers, by each of the ways that it has to its providers."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.providers.twilio.provider import TwilioProvider
from adapters.providers.vonage.library import Hosts
from adapters.providers.vonage.provider import VonageProvider
from domain.model.delivery import DeliveryState
from domain.model.pace import SECOND_US
from domain.model.phone_number import PhoneNumber
from domain.model.send_outcome import (
    Accepted,
    Barred,
    CannotTell,
    EnquiryAnswer,
    Found,
    NotFound,
    Refused,
    SendOutcome,
    Throttled,
    Unknown,
)
from domain.model.sender import SenderAddress
from domain.ports.due_deliveries import Enquiry
from domain.ports.sms_provider import SmsProvider
from entrypoints.stand_ins import fates
from entrypoints.stand_ins.certificates import Certificate
from entrypoints.stand_ins.twilio import ACCOUNT_SID, AUTH_TOKEN, TwilioStandIn
from entrypoints.stand_ins.vonage import API_KEY, API_SECRET, VonageStandIn
from tests.builders import SENDER, a_body, a_delivery
from tests.contract.calling import Accounts, Departures, a_text_to
from tests.patience import PATIENCE_S

TIMEOUT_S = 1.0
BY_TWILIO = {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN}
BY_MESSAGES = {"api_key": API_KEY, "api_secret": API_SECRET}
BY_SMS = {**BY_MESSAGES, "api": "sms"}

# The reference is the provider's own matter.
ACCEPTED = Accepted("")
NO_ANSWER = Unknown("no-answer")
SERVER_ERROR = Unknown("server-error")
WAIT = Throttled(2 * SECOND_US)

# The outcomes of the first and the second call with a text.
OUTCOMES: Mapping[str, tuple[SendOutcome, SendOutcome]] = {
    "+15005550001": (Refused("invalid-recipient"),) * 2,
    "+15005550002": (Refused("unroutable"),) * 2,
    "+15005550003": (Refused("country-not-allowed"),) * 2,
    "+15005550004": (ACCEPTED, ACCEPTED),
    "+15005550009": (Refused("not-textable"),) * 2,
    "+15005550010": (WAIT, ACCEPTED),
    "+15005550013": (NO_ANSWER, NO_ANSWER),
    "+15005550014": (NO_ANSWER, ACCEPTED),
    "+15005550015": (NO_ANSWER, NO_ANSWER),
    "+15005550016": (SERVER_ERROR, ACCEPTED),
    "+15005550017": (SERVER_ERROR, SERVER_ERROR),
    # The hub waits longer where nobody has told it otherwise.
    "+15005550018": (NO_ANSWER, NO_ANSWER),
    "+15005550019": (Unknown("connection-lost"),) * 2,
    **dict.fromkeys([f"+150055500{number}" for number in range(20, 25)], (ACCEPTED, ACCEPTED)),
    # Others.
    "+15005550006": (ACCEPTED, ACCEPTED),
    "+19706904544": (ACCEPTED, ACCEPTED),
}
OTHERWISE: Mapping[str, Mapping[str, tuple[SendOutcome, SendOutcome]]] = {
    "twilio": {"+15005550004": (Refused("opted-out-at-provider", opted_out=True),) * 2},
    "vonage-messages": {},
    "vonage-sms": {
        "+15005550003": (Refused("number-barred"),) * 2,
        "+15005550009": (Refused("number-deactivated"),) * 2,
        "+15005550010": (Throttled(), ACCEPTED),
    },
}

OF_VONAGES: Mapping[str, SendOutcome] = {
    "+15005550001": Barred("sender-refused"),
    "+15005550007": Barred("sender-refused"),
    "+15005550008": Throttled(),
    "+15005550030": Barred("no-credit"),
}
OF_SENDERS: Mapping[str, Mapping[str, SendOutcome]] = {
    "twilio": {
        "+15005550001": Barred("sender-refused"),
        "+15005550007": Barred("sender-refused"),
        "+15005550008": Throttled(60 * SECOND_US),
        "+15005550030": Barred("account-suspended"),
    },
    "vonage-messages": OF_VONAGES,
    "vonage-sms": OF_VONAGES,
}


@pytest.fixture(params=OTHERWISE)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def timeout_s(request: pytest.FixtureRequest, kind: str) -> float:
    """Short where there is no answer to be waited for."""
    number = request.node.callspec.params.get("number", "")
    return TIMEOUT_S if NO_ANSWER in OTHERWISE[kind].get(number, OUTCOMES.get(number, ())) else PATIENCE_S


@pytest.fixture
async def provider(kind: str, timeout_s: float, tmp_path: Path) -> AsyncIterator[SmsProvider]:
    if kind == "twilio":
        async with TwilioStandIn(receipt_delay_s=0.05).running() as twilio:
            by_twilio = TwilioProvider(Accounts(BY_TWILIO), api_base_url=twilio.url, timeout_s=timeout_s)
            yield by_twilio
            await by_twilio.close()
        return
    certificate = Certificate(tmp_path)
    async with VonageStandIn(tls=certificate.server(), receipt_delay_s=0.05).running() as vonage:
        by_vonage = VonageProvider(
            Accounts(BY_SMS if kind == "vonage-sms" else BY_MESSAGES),
            hosts=Hosts(vonage.host, vonage.host),
            tls=certificate.client(),
            timeout_s=timeout_s,
        )
        yield by_vonage
        await by_vonage.close()


async def sent(provider: SmsProvider, number: str, *, sender: SenderAddress = SENDER) -> SendOutcome:
    outcome = await provider.send(a_text_to(PhoneNumber(number), sender=sender), Departures())
    return replace(outcome, reference="") if isinstance(outcome, Accepted) else outcome


def test_the_tables_have_every_magic_number_and_sender() -> None:
    assert fates.RECIPIENTS.keys() <= OUTCOMES.keys()
    assert all(fates.SENDERS.keys() == outcomes.keys() for outcomes in OF_SENDERS.values())


@pytest.mark.parametrize("number", OUTCOMES)
async def test_a_number_meets_its_fate_at_every_call(provider: SmsProvider, kind: str, number: str) -> None:
    first, second = OTHERWISE[kind].get(number, OUTCOMES[number])

    assert await sent(provider, number) == first
    assert await sent(provider, number) == second


@pytest.mark.parametrize("sender", fates.SENDERS)
async def test_from_a_magic_sender_nothing_is_taken_whatever_the_number(
    provider: SmsProvider, kind: str, sender: str
) -> None:
    for number in ("+19706904544", "+15005550010"):
        assert await sent(provider, number, sender=SenderAddress(sender)) == OF_SENDERS[kind][sender]


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("+15005550013", Found("", DeliveryState.DELIVERED)),
        ("+15005550014", NotFound()),
        ("+15005550015", CannotTell("texts-not-kept")),
        ("+15005550016", NotFound()),
        ("+15005550017", Found("", DeliveryState.DELIVERED)),
        ("+15005550018", Found("", DeliveryState.DELIVERED)),
        ("+15005550019", Found("", DeliveryState.DELIVERED)),
    ],
)
@pytest.mark.parametrize("kind", ["twilio"])
async def test_twilios_log_tells_of_what_was_not_answered(
    provider: SmsProvider, number: str, answer: EnquiryAnswer
) -> None:
    text = a_text_to(PhoneNumber(number), body=a_body())
    attempted_us = time.time_ns() // 1_000
    assert isinstance(await provider.send(text, Departures()), Unknown)
    enquiry = Enquiry(
        delivery=a_delivery(PhoneNumber(number), delivery_id=7, state=DeliveryState.UNKNOWN, attempt=1),
        provider="twilio",
        account_id=1,
        sender=SENDER,
        body=a_body(),
        attempted_us=attempted_us,
    )

    async def told() -> EnquiryAnswer:
        found = await provider.look_up(enquiry)
        return replace(found, reference="") if isinstance(found, Found) else found

    # It is sent in the log until it is delivered.
    async with asyncio.timeout(PATIENCE_S):
        while await told() == Found(""):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)
    assert await told() == answer

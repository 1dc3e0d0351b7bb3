"""What the sandbox does with each magic number, from the first call to the end, as its users see it."""

from dataclasses import replace

import pytest

from adapters.providers.sandbox.magic_numbers import MAGIC_NUMBERS, MAGIC_SENDERS
from adapters.providers.sandbox.provider import SandboxProvider
from domain.errors import InvalidValue
from domain.model.credentials import Credentials
from domain.model.delivery import Delivery, DeliveryState
from domain.model.phone_number import PhoneNumber
from domain.model.retry import RetryPolicy
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
from domain.model.terms import OnUnknown
from domain.ports.due_deliveries import Enquiry
from domain.ports.sms_provider import OutgoingText, SmsProvider
from tests.builders import NOW_US, SENDER, a_body, a_delivery, a_number

ACCEPTED = Accepted("sandbox-7", ask_after_us=500_000)
DELIVERED = Found("sandbox-7", DeliveryState.DELIVERED)
NO_RECEIPT = CannotTell("no-receipt")
NO_CONNECTION = NotSent("no-connection")
NO_ANSWER = Unknown("no-answer")

# The outcomes of the first and the second call, the answer to an enquiry, how it ends, and after how many calls.
TABLE: dict[str, tuple[SendOutcome, SendOutcome, EnquiryAnswer, DeliveryState, int]] = {
    "+15005550001": (*(Refused("invalid-recipient"),) * 2, NO_RECEIPT, DeliveryState.FAILED, 1),
    "+15005550002": (*(Refused("unroutable"),) * 2, NO_RECEIPT, DeliveryState.FAILED, 1),
    "+15005550003": (*(Refused("country-not-allowed"),) * 2, NO_RECEIPT, DeliveryState.FAILED, 1),
    "+15005550004": (
        *(Refused("opted-out-at-provider", opted_out=True),) * 2,
        NO_RECEIPT,
        DeliveryState.BLOCKED,
        1,
    ),
    "+15005550009": (*(Refused("not-textable"),) * 2, NO_RECEIPT, DeliveryState.FAILED, 1),
    "+15005550010": (Throttled(2_000_000), ACCEPTED, DELIVERED, DeliveryState.DELIVERED, 2),
    "+15005550011": (NO_CONNECTION, ACCEPTED, DELIVERED, DeliveryState.DELIVERED, 2),
    "+15005550012": (NO_CONNECTION, NO_CONNECTION, NO_RECEIPT, DeliveryState.FAILED, 8),
    "+15005550013": (NO_ANSWER, NO_ANSWER, DELIVERED, DeliveryState.DELIVERED, 1),
    "+15005550014": (NO_ANSWER, ACCEPTED, NotFound(), DeliveryState.DELIVERED, 2),
    "+15005550015": (NO_ANSWER, NO_ANSWER, NO_RECEIPT, DeliveryState.UNKNOWN, 1),
    "+15005550020": (
        ACCEPTED,
        ACCEPTED,
        Found("sandbox-7", DeliveryState.UNDELIVERED, "unreachable"),
        DeliveryState.UNDELIVERED,
        1,
    ),
    "+15005550021": (
        ACCEPTED,
        ACCEPTED,
        Found("sandbox-7", DeliveryState.FAILED, "filtered"),
        DeliveryState.FAILED,
        1,
    ),
    "+15005550022": (
        ACCEPTED,
        ACCEPTED,
        Found("sandbox-7", DeliveryState.EXPIRED, "expired"),
        DeliveryState.EXPIRED,
        1,
    ),
    "+15005550023": (ACCEPTED, ACCEPTED, NO_RECEIPT, DeliveryState.SENT, 1),
    # Any other number, those right beside the magic ones among them.
    "+15005550000": (ACCEPTED, ACCEPTED, DELIVERED, DeliveryState.DELIVERED, 1),
    "+15005550005": (ACCEPTED, ACCEPTED, DELIVERED, DeliveryState.DELIVERED, 1),
    "+15005550024": (ACCEPTED, ACCEPTED, DELIVERED, DeliveryState.DELIVERED, 1),
    "+19706904544": (ACCEPTED, ACCEPTED, DELIVERED, DeliveryState.DELIVERED, 1),
    "+447700900123": (ACCEPTED, ACCEPTED, DELIVERED, DeliveryState.DELIVERED, 1),
}

# What comes of any text from them, and the answer to an enquiry.
SENDERS: dict[str, tuple[SendOutcome, EnquiryAnswer]] = {
    "+15005550030": (Barred("no-credit"), NotFound()),
    # Numbers that are magic to send to, and others.
    "+15005550001": (ACCEPTED, DELIVERED),
    "+15005550029": (ACCEPTED, DELIVERED),
    "+15005550031": (ACCEPTED, DELIVERED),
    "15005550": (ACCEPTED, DELIVERED),
    "City Hall": (ACCEPTED, DELIVERED),
}


@pytest.fixture
def provider() -> SmsProvider:
    return SandboxProvider()


def outgoing(number: str, *, sender: SenderAddress = SENDER, attempt: int = 1, delivery_id: int = 7) -> OutgoingText:
    return OutgoingText(
        delivery_id=delivery_id,
        attempt=attempt,
        account_id=1,
        sender=sender,
        number=PhoneNumber(number),
        body=a_body(),
    )


async def at_once() -> None:
    """A departure that needs no waiting."""


def enquiry_about(delivery: Delivery, *, sender: SenderAddress = SENDER) -> Enquiry:
    return Enquiry(
        delivery=delivery, provider="sandbox", account_id=1, sender=sender, body=a_body(), attempted_us=NOW_US
    )


def an_enquiry(number: str, state: DeliveryState = DeliveryState.UNKNOWN) -> Enquiry:
    delivery = a_delivery(PhoneNumber(number), delivery_id=7, state=state, attempt=1)
    return enquiry_about(delivery)


async def life_of(provider: SmsProvider, delivery: Delivery) -> tuple[Delivery, int]:
    """What becomes of the delivery when nobody but the provider has a say, and after how many calls."""
    retry, calls = RetryPolicy(), 0
    while not delivery.state.terminal:
        if delivery.state in {DeliveryState.QUEUED, DeliveryState.SCHEDULED}:
            delivery = replace(delivery, state=DeliveryState.QUEUED).claimed(now_us=NOW_US)
            outcome = await provider.send(outgoing(delivery.number.e164, attempt=delivery.attempt), at_once)
            delivery = retry.after_send(delivery, outcome, now_us=NOW_US, jitter=lambda: 0.5)
            calls += 1
        elif delivery.due_us is not None:
            answer = await provider.look_up(enquiry_about(delivery))
            delivery = retry.after_enquiry(delivery, answer, on_unknown=OnUnknown.LEAVE, now_us=NOW_US)
        else:
            break
    return delivery, calls


def test_the_tables_have_every_magic_number_and_sender() -> None:
    assert set(MAGIC_NUMBERS) <= set(TABLE)
    assert set(MAGIC_SENDERS) <= set(SENDERS)


@pytest.mark.parametrize("number", TABLE)
async def test_a_number_meets_its_fate_at_every_call(provider: SmsProvider, number: str) -> None:
    first, second, *_ = TABLE[number]

    assert await provider.send(outgoing(number, attempt=1), at_once) == first
    for attempt in (2, 3, 100):
        assert await provider.send(outgoing(number, attempt=attempt), at_once) == second


@pytest.mark.parametrize("number", TABLE)
async def test_a_number_has_its_answer(provider: SmsProvider, number: str) -> None:
    assert await provider.look_up(an_enquiry(number)) == TABLE[number][2]


@pytest.mark.parametrize("number", TABLE)
async def test_a_number_comes_to_its_end(provider: SmsProvider, number: str) -> None:
    *_, end, calls = TABLE[number]

    delivery, called = await life_of(provider, a_delivery(PhoneNumber(number), delivery_id=7))

    assert (delivery.state, called) == (end, calls)


@pytest.mark.parametrize("sender", SENDERS)
async def test_a_sender_meets_its_fate_at_every_call(provider: SmsProvider, sender: str) -> None:
    outcome, answer = SENDERS[sender]
    number, address = a_number(), SenderAddress(sender)

    for attempt in (1, 2, 100):
        assert await provider.send(outgoing(number.e164, sender=address, attempt=attempt), at_once) == outcome
    unknown = a_delivery(number, delivery_id=7, state=DeliveryState.UNKNOWN, attempt=1)
    assert await provider.look_up(enquiry_about(unknown, sender=address)) == answer


@pytest.mark.parametrize("number", TABLE)
async def test_from_a_sender_that_is_barred_nothing_is_taken_whatever_the_number(
    provider: SmsProvider, number: str
) -> None:
    barred = SenderAddress("+15005550030")

    outcome = await provider.send(outgoing(number, sender=barred), at_once)
    sending = a_delivery(PhoneNumber(number), state=DeliveryState.SENDING, attempt=1)
    after = RetryPolicy().after_send(sending, outcome, now_us=NOW_US, jitter=lambda: 0.5)

    assert (after.state, after.reason) == (DeliveryState.QUEUED, "no-credit")
    assert await provider.look_up(enquiry_about(sending, sender=barred)) == NotFound()


@pytest.mark.parametrize("number", TABLE)
async def test_the_sandbox_says_the_same_after_a_restart(provider: SmsProvider, number: str) -> None:
    restarted = SandboxProvider()

    for attempt in (2, 1):
        text = outgoing(number, attempt=attempt)
        assert await restarted.send(text, at_once) == await provider.send(text, at_once)
    assert await restarted.look_up(an_enquiry(number)) == await provider.look_up(an_enquiry(number))


async def test_what_was_taken_at_the_second_call_is_not_denied_later(provider: SmsProvider) -> None:
    assert await provider.look_up(an_enquiry("+15005550014", DeliveryState.SENT)) == DELIVERED


@pytest.mark.parametrize("number", TABLE)
async def test_every_call_departs_once(provider: SmsProvider, number: str) -> None:
    departures = 0

    async def departure() -> None:
        nonlocal departures
        departures += 1

    await provider.send(outgoing(number), departure)

    assert departures == 1


def test_the_sandbox_is_one_account_without_credentials(provider: SmsProvider) -> None:
    assert provider.account_of(Credentials({})) == "sandbox"
    with pytest.raises(InvalidValue):
        provider.account_of(Credentials({"token": "secret"}))

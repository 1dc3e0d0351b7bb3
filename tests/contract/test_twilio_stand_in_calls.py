"""What becomes of a text at the stand-in for Twilio, and whom it calls: seen by Twilio's own library."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from entrypoints.stand_ins import fates, twilio_numbers
from entrypoints.stand_ins.calls import Answer, Call
from entrypoints.stand_ins.twilio import ACCOUNT_SID, AUTH_TOKEN, TwilioStandIn
from tests.receiver import Received, Receiver

SENDER = "+19705550100"
NUMBER = "+19706904544"
TEXT = {"from_": SENDER, "to": NUMBER, "body": "Hello"}
SERVICE = "MG" + "0123456789abcdef" * 2

Create = Callable[..., Any]


@pytest.fixture
def heard() -> list[tuple[str, int | None]]:
    return []


@pytest.fixture
async def twilio(receiver: Receiver, heard: list[tuple[str, int | None]]) -> AsyncIterator[TwilioStandIn]:
    def hear(call: Call, answer: Answer) -> None:
        heard.append((call.what, answer.status))

    inbound_url = f"{receiver.url}/callbacks/twilio/inbound"
    async with TwilioStandIn(receipt_delay_s=0.05, inbound_url=inbound_url, heard=hear).running() as twilio:
        yield twilio


@pytest.fixture
def library(twilio: TwilioStandIn) -> Client:
    client = Client(ACCOUNT_SID, AUTH_TOKEN)
    client.api.base_url = twilio.url
    return client


@pytest.fixture
def create(library: Client, receiver: Receiver) -> Create:
    async def create(**change: str) -> Any:  # noqa: ANN401 - the library's own
        text = {**TEXT, "status_callback": f"{receiver.url}/callbacks/twilio/status?Delivery=17&Attempt=2", **change}
        return await asyncio.to_thread(lambda: library.messages.create(**text))

    return create


async def texts_back(twilio: TwilioStandIn, **change: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=twilio.url) as client:
        return await client.post("/_control/inbound", data={"From": NUMBER, "To": SENDER, "Body": "Yes & no", **change})


def is_signed(call: Received, token: str = AUTH_TOKEN) -> bool:
    return bool(RequestValidator(token).validate(call.url, call.form, call.headers["x-twilio-signature"]))


async def test_a_text_is_sent_and_delivered_and_each_is_told_and_signed(create: Create, receiver: Receiver) -> None:
    message = await create()

    sent, delivered = await receiver.until(2)
    assert [call.form["MessageStatus"] for call in (sent, delivered)] == ["sent", "delivered"]
    for call in (sent, delivered):
        assert (call.method, call.query) == ("POST", {"Delivery": "17", "Attempt": "2"})
        assert call.form["MessageSid"] == call.form["SmsSid"] == message.sid
        assert (call.form["From"], call.form["To"]) == (SENDER, NUMBER)
        assert call.form["AccountSid"] == ACCOUNT_SID
        assert is_signed(call)
        assert not is_signed(call, AUTH_TOKEN[::-1])
    assert "ErrorCode" not in delivered.form
    assert len(delivered.form["RawDlrDoneDate"]) == 10


async def test_its_log_shows_what_became_of_a_text(create: Create, library: Client, receiver: Receiver) -> None:
    first, second = await create(), await create(to="+15005550020")
    assert (first.status, first.date_sent) == ("queued", None)

    await receiver.until(4)

    listed = await asyncio.to_thread(lambda: library.messages.list(limit=5))
    assert [each.sid for each in listed] == [second.sid, first.sid]
    assert [each.status for each in listed] == ["undelivered", "delivered"]
    fetched = await asyncio.to_thread(lambda: library.messages(second.sid).fetch())
    assert (fetched.error_code, fetched.date_sent is None) == (30003, False)


async def test_a_service_tells_when_it_has_found_a_number_to_send_from(create: Create, receiver: Receiver) -> None:
    message = await create(from_="", messaging_service_sid=SERVICE)
    assert (message.status, message.from_) == ("accepted", None)

    calls = await receiver.until(3)

    assert [call.form["MessageStatus"] for call in calls] == ["queued", "sent", "delivered"]
    assert {(call.form["MessagingServiceSid"], call.form["From"]) for call in calls} == {(SERVICE, "+15005550006")}


@pytest.mark.parametrize(
    ("number", "statuses", "code"),
    [
        ("+15005550020", ["sent", "undelivered"], "30003"),
        ("+15005550021", ["sent", "failed"], "30007"),
        ("+15005550022", ["sent", "failed"], "30036"),
        ("+15005550023", ["sent"], None),
        ("+15005550024", ["delivered", "sent", "delivered"], None),
    ],
)
async def test_a_magic_number_has_its_receipts(
    create: Create, receiver: Receiver, number: str, statuses: list[str], code: str | None
) -> None:
    await create(to=number)

    calls = await receiver.until(len(statuses))

    assert [call.form["MessageStatus"] for call in calls] == statuses
    assert calls[-1].form.get("ErrorCode") == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to": "+15005550001"}, 21211),
        ({"to": "+15005550002"}, 21612),
        ({"to": "+15005550003"}, 21408),
        ({"to": "+15005550004"}, 21610),
        ({"to": "+15005550009"}, 21614),
        ({"from_": "+15005550001"}, 21212),
        ({"from_": "+15005550007"}, 21606),
        ({"from_": "+15005550008"}, 21611),
        ({"from_": "+15005550030"}, 10001),
    ],
)
async def test_a_magic_number_is_refused(
    create: Create, twilio: TwilioStandIn, change: Mapping[str, str], code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await create(**change)

    assert refused.value.code == code
    assert twilio.sids == []


@pytest.mark.parametrize(("number", "status"), [("+15005550010", 429), ("+15005550016", 500)])
async def test_a_number_that_fails_once_is_taken_at_the_second_call(
    create: Create, twilio: TwilioStandIn, number: str, status: int
) -> None:
    for text in ("Hello", "Hello", "Good-bye"):
        with pytest.raises(TwilioRestException) as refused:
            await create(to=number, body=text)
        assert refused.value.status == status
        assert (await create(to=number, body=text)).sid == twilio.sids[-1]
    assert len(twilio.sids) == 3


async def test_a_slow_number_is_answered_after_three_seconds(create: Create, receiver: Receiver) -> None:
    started_s = asyncio.get_running_loop().time()

    await create(to="+15005550018")

    assert asyncio.get_running_loop().time() - started_s >= 3
    await receiver.until(2)


@pytest.mark.parametrize("number", ["+15005550013", "+15005550017", "+15005550019"])
async def test_what_was_taken_without_saying_so_is_delivered_all_the_same(
    create: Create, receiver: Receiver, twilio: TwilioStandIn, number: str
) -> None:
    call = asyncio.create_task(create(to=number))

    assert [each.form["MessageStatus"] for each in await receiver.until(2)] == ["sent", "delivered"]
    twilio.hang_up()
    assert isinstance((await asyncio.gather(call, return_exceptions=True))[0], Exception)


async def test_what_nobody_can_tell_is_in_the_log_without_its_text(
    create: Create, receiver: Receiver, twilio: TwilioStandIn, library: Client
) -> None:
    call = asyncio.create_task(create(to="+15005550015"))
    while not twilio.sids:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    (listed,) = await asyncio.to_thread(lambda: library.messages.list(to="+15005550015"))
    twilio.hang_up()
    await asyncio.gather(call, return_exceptions=True)

    assert (listed.status, listed.body) == ("queued", None)
    assert await receiver.until(0) == []


async def test_without_an_address_nobody_is_told(library: Client, receiver: Receiver, twilio: TwilioStandIn) -> None:
    message = await asyncio.to_thread(lambda: library.messages.create(**TEXT))

    while twilio.messages[message.sid]["status"] != "delivered":  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert await receiver.until(0) == []


async def test_a_call_that_fails_is_repeated_once_and_one_that_is_refused_is_not(
    create: Create, receiver: Receiver, heard: list[tuple[str, int | None]]
) -> None:
    receiver.statuses = [0, 500, 204]

    message = await create()

    calls = await receiver.until(3)
    statuses = [call.form["MessageStatus"] for call in calls]
    assert statuses == ["sent", "delivered", "sent"]
    assert calls[0].headers["i-twilio-idempotency-token"] == calls[2].headers["i-twilio-idempotency-token"]
    sid = message.sid
    assert heard == [(f"{sid} sent", None), (f"{sid} delivered", 500), (f"{sid} sent", 204)]


async def test_what_is_texted_back_is_told_and_signed(twilio: TwilioStandIn, receiver: Receiver) -> None:
    answer = await texts_back(twilio)

    (call,) = await receiver.until(1)
    assert answer.json() == {"Answers": [{"Status": 204, "Body": ""}]}
    assert (call.method, call.url) == ("POST", f"{receiver.url}/callbacks/twilio/inbound")
    assert (call.form["From"], call.form["To"], call.form["Body"]) == (NUMBER, SENDER, "Yes & no")
    assert (call.form["SmsStatus"], call.form["NumMedia"]) == ("received", "0")
    assert is_signed(call)


async def test_who_texts_stop_is_texted_no_more_until_start(
    twilio: TwilioStandIn, create: Create, receiver: Receiver
) -> None:
    await texts_back(twilio, Body=" stop ")
    with pytest.raises(TwilioRestException) as refused:
        await create()
    others = [await create(from_="+19705550101"), await create(to="+19706904545")]
    await texts_back(twilio, Body="START")
    others.append(await create())

    assert refused.value.code == 21610
    assert [each.status for each in others] == ["queued"] * 3
    assert len(receiver.calls) >= 2


async def test_nobody_is_told_of_inbound_texts_where_nobody_wants_to_hear_of_them() -> None:
    async with TwilioStandIn().running() as twilio:
        assert (await texts_back(twilio)).status_code == 409


async def test_an_inbound_text_needs_a_sender(twilio: TwilioStandIn, receiver: Receiver) -> None:
    assert (await texts_back(twilio, From="")).status_code == 400
    assert await receiver.until(0) == []


def test_every_magic_number_has_its_fate() -> None:
    assert twilio_numbers.RECIPIENTS.keys() == fates.RECIPIENTS.keys()
    assert twilio_numbers.SENDERS.keys() == fates.SENDERS.keys()

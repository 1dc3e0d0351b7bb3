"""The stand-ins as developers start them, and a hub that sends through them as it was told to."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import httpx
import pytest
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from vonage_http_client import Auth, HttpClient, HttpClientOptions
from vonage_jwt import verify_signature
from vonage_messages import Messages
from vonage_messages.models import Sms

from tests.e2e.running import Credentials, Site, eventually
from tests.e2e.sending import ENCRYPTION_KEYS
from tests.e2e.stand_in import StandIn, pasted
from tests.import_path import import_path
from tests.ports import free_port
from tests.receiver import a_receiver

SENDER = "+15005550006"
NUMBER = "+19706904544"


Start = Callable[..., StandIn]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as at_end:

        def start(*arguments: str) -> StandIn:
            stand_in = StandIn(tmp_path, *arguments)
            at_end.callback(stand_in.kill)
            return stand_in

        yield start


@dataclass(frozen=True)
class Setup:
    """How a stand-in is started, where the hub has it tell of inbound texts, and how texts to some numbers end."""

    arguments: tuple[str, ...]
    inbound: str
    source: str
    ends: Mapping[str, tuple[str, str | None]]


SETUPS = {
    "twilio": Setup(
        arguments=("twilio",),
        inbound="/callbacks/twilio/inbound",
        source="twilio",
        ends={
            NUMBER: ("delivered", None),
            "+15005550001": ("failed", "invalid-recipient"),
            "+15005550004": ("blocked", "opted-out-at-provider"),
            "+15005550010": ("delivered", None),
            "+15005550016": ("delivered", None),
            "+15005550017": ("delivered", None),
            "+15005550019": ("delivered", None),
            "+15005550020": ("undelivered", "unreachable"),
            "+15005550021": ("failed", "filtered"),
            "+15005550022": ("expired", "expired"),
            "+15005550023": ("sent", None),
            "+15005550024": ("delivered", None),
        },
    ),
    "vonage-messages": Setup(
        arguments=("vonage",),
        inbound="/callbacks/vonage/inbound",
        source="vonage",
        ends={
            NUMBER: ("delivered", None),
            "+15005550001": ("failed", "invalid-recipient"),
            "+15005550004": ("failed", "opted-out-at-provider"),
            "+15005550010": ("delivered", None),
            # Vonage cannot be asked: what it has not taken is known by no receipt.
            "+15005550016": ("unknown", "server-error"),
            "+15005550017": ("delivered", None),
            "+15005550019": ("delivered", None),
            "+15005550020": ("undelivered", "unreachable"),
            "+15005550022": ("expired", "expired"),
            "+15005550023": ("sent", None),
            "+15005550024": ("delivered", None),
        },
    ),
    "vonage-sms": Setup(
        arguments=("vonage", "--api", "sms", "--sms-calls", "json", "--signature-method", "sha256"),
        inbound="/callbacks/vonage/sms/inbound",
        source="vonage-sms",
        ends={
            NUMBER: ("delivered", None),
            "+15005550001": ("failed", "invalid-recipient"),
            "+15005550004": ("undelivered", "opted-out-at-provider"),
            "+15005550019": ("delivered", None),
            "+15005550020": ("undelivered", "unreachable"),
            "+15005550022": ("expired", "expired"),
            "+15005550024": ("delivered", None),
        },
    ),
}


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
def test_a_hub_that_is_set_up_as_it_was_told_sends_through_it_and_hears_of_it(
    sqlite_url: str, tmp_path: Path, start: Start, setup: Setup
) -> None:
    port = free_port()
    public_url = f"http://127.0.0.1:{port}"
    stand_in = start(*setup.arguments, "--inbound-url", f"{public_url}{setup.inbound}")
    settings = {"encryption_keys": ENCRYPTION_KEYS, "enquiry_delays": "PT0.5S,PT0.5S", "public_url": public_url}
    with Site(sqlite_url, tmp_path, **settings) as site:
        site.environment |= {"PYTHONPATH": import_path(), **stand_in.told["Environment"]}
        hub = site.start("serve", port=port).until_ready()
        created = json.loads(pasted(f"{stand_in.told['CreateProgram']} --rate 20 --output json", site.environment))
        caller = site.caller(hub, Credentials(created["ProgramId"], created["ProgramSID"], created["ProgramKey"]))
        message = caller.send(list(setup.ends))

        def ended() -> bool:
            found = {each["PhoneNumber"]: (each["Status"], each["Reason"]) for each in caller.deliveries(message)}
            assert found == setup.ends
            return True

        eventually(ended, what="all ended")
        pasted(stand_in.told["TextBack"], {})
        told = f'smshub_callbacks_total{{kind="inbound",outcome="stored",provider="{setup.source}"}}'
        assert hub.metric(told) == 1
        assert {line.rpartition(": ")[2] for line in stand_in.errors} <= {"200", "204"}


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
def test_who_texts_stop_is_not_texted_until_they_text_start(
    sqlite_url: str, tmp_path: Path, start: Start, setup: Setup
) -> None:
    port = free_port()
    public_url = f"http://127.0.0.1:{port}"
    stand_in = start(*setup.arguments, "--inbound-url", f"{public_url}{setup.inbound}")
    settings = {"encryption_keys": ENCRYPTION_KEYS, "public_url": public_url}
    with Site(sqlite_url, tmp_path, **settings) as site:
        site.environment |= {"PYTHONPATH": import_path(), **stand_in.told["Environment"]}
        hub = site.start("serve", port=port).until_ready()
        created = json.loads(pasted(f"{stand_in.told['CreateProgram']} --rate 20 --output json", site.environment))
        caller = site.caller(hub, Credentials(created["ProgramId"], created["ProgramSID"], created["ProgramKey"]))

        def text_back(text: str) -> Mapping[str, object]:
            """What the program finds in its inbox then."""
            before = len(inbox())
            said = {"From": NUMBER, "To": SENDER, "Body": text}
            assert httpx.post(f"{stand_in.told['Url']}/_control/inbound", data=said, verify=False).is_success
            eventually(lambda: len(inbox()) > before, what="taken in")
            return inbox()[0]

        def inbox() -> list[dict[str, object]]:
            items: list[dict[str, object]] = caller.get("/api/InboundMessages").json()["Items"]
            return items

        def outcome() -> tuple[str, object]:
            """Of a text that is sent now."""
            message = caller.send([NUMBER])
            eventually(lambda: caller.counts(message).keys() <= {"delivered", "blocked"}, what="ended")
            (delivery,) = caller.deliveries(message)
            return delivery["Status"], delivery["Reason"]

        def is_delivered(message: object) -> bool:
            return message is not None and caller.counts(str(message)) == {"delivered": 1}

        assert outcome() == ("delivered", None)
        assert text_back("The end of class?")["Keyword"] is None
        assert outcome() == ("delivered", None)

        stopped = text_back("Stop.")
        assert (stopped["Keyword"], stopped["PhoneNumber"], stopped["Sender"]) == ("opt-out", NUMBER, SENDER)
        assert outcome() == ("blocked", "opted-out")
        if setup.source != "twilio":
            # Twilio has answered by itself.
            eventually(lambda: is_delivered(inbox()[0]["Reply"]), what="confirmed")
        else:
            assert inbox()[0]["Reply"] is None
        (opt_out,) = caller.get("/api/OptOuts").json()["Items"]
        assert (opt_out["PhoneNumber"], opt_out["Scope"], opt_out["Method"]) == (NUMBER, "program", "text")
        assert (opt_out["Wording"], opt_out["Actor"]) == ("Stop.", "recipient")

        assert text_back("START")["Keyword"] == "opt-in"
        assert caller.get("/api/OptOuts").json()["Items"] == []
        assert outcome() == ("delivered", None)


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
@pytest.mark.parametrize("provider", ["twilio", "vonage"])
def test_it_ends_when_it_is_told_to(start: Start, provider: str, number: Signals) -> None:
    stand_in = start(provider)

    assert stand_in.stop(number) == 0
    assert stand_in.errors == []


async def test_twilios_calls_are_signed_and_shown_without_numbers(start: Start) -> None:
    async with a_receiver() as receiver:
        stand_in = start("twilio", "--inbound-url", f"{receiver.url}/inbound")
        sid, token = stand_in.credentials["account_sid"], stand_in.credentials["auth_token"]
        client = Client(sid, token)
        client.api.base_url = stand_in.told["Url"]
        text = {"from_": SENDER, "to": "+15005550020", "body": "Hello", "status_callback": f"{receiver.url}/status?a=1"}

        message = await asyncio.to_thread(lambda: client.messages.create(**text))
        await receiver.until(2)
        answer = json.loads(await asyncio.to_thread(pasted, stand_in.told["TextBack"], {}))
        calls = await receiver.until(3)

    assert [call.form.get("MessageStatus") for call in calls] == ["sent", "undelivered", None]
    assert (calls[1].form["ErrorCode"], calls[2].form["Body"]) == ("30003", "STOP")
    validator = RequestValidator(token)
    assert all(validator.validate(call.url, call.form, call.headers["x-twilio-signature"]) for call in calls)
    assert answer["Answers"] == [{"Status": 204, "Body": ""}]
    sids = [message.sid, message.sid, calls[2].form["MessageSid"]]
    told = [f"{sid} {what}: 204" for sid, what in zip(sids, ["sent", "undelivered", "received"], strict=True)]
    assert stand_in.errors == told


async def test_vonages_calls_are_signed(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_receiver() as receiver:
        stand_in = start("vonage", "--inbound-url", f"{receiver.url}/inbound")
        told, credentials = stand_in.told["Environment"], stand_in.credentials
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", told["SSL_CERT_FILE"])
        auth = Auth(api_key=credentials["api_key"], api_secret=credentials["api_secret"])
        client = Messages(HttpClient(auth, HttpClientOptions(api_host=told["SMSHUB_VONAGE_API_HOST"], pool_maxsize=1)))
        text = Sms(from_=SENDER[1:], to="15005550004", text="Hello", webhook_url=f"{receiver.url}/status")

        await asyncio.to_thread(lambda: client.send(text))
        await receiver.until(2)
        await asyncio.to_thread(pasted, stand_in.told["TextBack"], {})
        calls = await receiver.until(3)

    assert [json.loads(call.body).get("status") for call in calls] == ["submitted", "rejected", None]
    tokens = [call.headers["authorization"].removeprefix("Bearer ") for call in calls]
    assert all(verify_signature(token, credentials["signature_secret"]) for token in tokens)


def test_texts_that_come_too_fast_are_refused(start: Start) -> None:
    stand_in = start("twilio", "--rate", "1/min")
    credentials = stand_in.credentials
    url = f"{stand_in.told['Url']}/2010-04-01/Accounts/{credentials['account_sid']}/Messages.json"
    form = {"From": SENDER, "To": NUMBER, "Body": "Hello"}

    answers = [httpx.post(url, data=form, auth=(credentials["account_sid"], credentials["auth_token"])) for _ in "ab"]

    assert [answer.status_code for answer in answers] == [201, 429]
    assert 50 <= int(answers[1].headers["Retry-After"]) <= 60

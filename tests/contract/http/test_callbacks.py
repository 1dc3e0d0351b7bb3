"""What providers call, over HTTP: kept once, answered as each expects, and nobody else's."""

import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select

from adapters.sql.tables import callbacks
from domain.model.credentials import Credentials
from domain.model.pace import Pace
from domain.model.sender import SenderAddress
from entrypoints.stand_ins.twilio import ACCOUNT_SID, AUTH_TOKEN
from tests import signing
from tests.documented import PROBLEM
from tests.http import PUBLIC_URL, Hub, a_hub
from tests.signing import signed, token

TWILIO_STATUS = "/callbacks/twilio/status"
TWILIO_INBOUND = "/callbacks/twilio/inbound"
VONAGE_STATUS = "/callbacks/vonage/status"
VONAGE_INBOUND = "/callbacks/vonage/inbound"
SMS_RECEIPT = "/callbacks/vonage/sms/receipt"
SMS_INBOUND = "/callbacks/vonage/sms/inbound"
ALL = [TWILIO_STATUS, TWILIO_INBOUND, VONAGE_STATUS, VONAGE_INBOUND, SMS_RECEIPT, SMS_INBOUND]

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
API_KEY = "a1b2c3d4"
SECRET = "the-signature-secret-of-an-account"
ENCRYPTION_KEYS = "tests:" + "0123456789abcdef" * 3
MOST_BYTES = 64 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["", "/cwis463"], ids=["no prefix", "prefix"])
async def hub(request: pytest.FixtureRequest, shared_database_url: str) -> AsyncIterator[Hub]:
    """With an account at each provider, whose calls it can check."""
    accounts: Mapping[str, Mapping[str, str]] = {
        "twilio": {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN},
        "vonage": {"api_key": API_KEY, "api_secret": "a-secret-of-its", "signature_secret": SECRET},
    }
    async with a_hub(
        shared_database_url, public_url=f"{PUBLIC_URL}{request.param}", encryption_keys=ENCRYPTION_KEYS
    ) as hub:
        for provider, values in accounts.items():
            await hub.container.create_program()(
                name="City Hall",
                provider=provider,
                sender=SenderAddress("+19705550100"),
                pace=Pace.parse("1"),
                credentials=Credentials(values),
            )
        yield hub


@dataclass(frozen=True, kw_only=True)
class ProviderCall:
    """As a provider makes it. `key` is what the hub knows the event by."""

    path: str
    key: str
    method: str = "POST"
    query: str = ""
    content: bytes = b""
    headers: Mapping[str, str]

    async def to(self, hub: Hub, *, content: bytes | None = None, **headers: str | None) -> httpx.Response:
        changes = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in {**self.headers, **changes}.items() if value is not None}
        return await hub.client.request(
            self.method,
            self.path + (f"?{self.query}" if self.query else ""),
            content=self.content if content is None else content,
            headers=sent,
        )


def by_twilio(hub: Hub, path: str = TWILIO_STATUS, *, query: str = "Delivery=17&Attempt=1") -> ProviderCall:
    sid = f"SM{uuid4().hex}"
    form = {"AccountSid": ACCOUNT_SID, "MessageSid": sid, "From": "+19705550100", "To": "+19706904544"}
    if path == TWILIO_STATUS:
        form |= {"MessageStatus": "delivered"}
    else:
        form |= {"Body": "Grüße & 😀", "NumMedia": ""}
        query = ""
    url = f"{hub.container.settings().public_url}{path}" + (f"?{query}" if query else "")
    return ProviderCall(
        path=path,
        key=f"{sid}:delivered" if path == TWILIO_STATUS else sid,
        query=query,
        content=urlencode(form).encode(),
        headers={"Content-Type": FORM, "X-Twilio-Signature": signing.by_twilio(url, form, AUTH_TOKEN)},
    )


def by_messages_api(path: str = VONAGE_STATUS) -> ProviderCall:
    uuid = str(uuid4())
    event: dict[str, object] = {"message_uuid": uuid, "to": "19706904544", "from": "19705550100", "channel": "sms"}
    event |= {"status": "delivered", "client_ref": "17.1"} if path == VONAGE_STATUS else {"text": "Grüße & 😀"}
    content = json.dumps(event).encode()
    written = token(content, SECRET, iat=int(time.time()), jti=str(uuid4()), api_key=API_KEY)
    return ProviderCall(
        path=path,
        key=f"{uuid}:delivered" if path == VONAGE_STATUS else uuid,
        content=content,
        headers={"Content-Type": JSON, "Authorization": f"Bearer {written}"},
    )


def by_sms_api(path: str = SMS_RECEIPT, *, written_as: str = "form", nonce: str | None = None) -> ProviderCall:
    reference = uuid4().hex[:16].upper()
    common = {"api-key": API_KEY, "messageId": reference, "msisdn": "19706904544", "to": "19705550100"}
    own = {"status": "delivered", "err-code": "0", "client-ref": "17.1"} if path == SMS_RECEIPT else {"text": "Grüße"}
    fields = signed({**common, **own, "timestamp": str(int(time.time())), "nonce": nonce or str(uuid4())}, SECRET)
    key = f"{reference}:delivered" if path == SMS_RECEIPT else reference
    if written_as == "query":
        return ProviderCall(path=path, key=key, method="GET", query=urlencode(fields), headers={})
    if written_as == "json":
        return ProviderCall(path=path, key=key, content=json.dumps(fields).encode(), headers={"Content-Type": JSON})
    return ProviderCall(path=path, key=key, content=urlencode(fields).encode(), headers={"Content-Type": FORM})


def a_call(hub: Hub, kind: str) -> ProviderCall:
    provider, _, detail = kind.partition(" ")
    if provider == "twilio":
        return by_twilio(hub, TWILIO_STATUS if detail == "status" else TWILIO_INBOUND)
    if provider == "vonage":
        return by_messages_api(VONAGE_STATUS if detail == "status" else VONAGE_INBOUND)
    event, _, written_as = detail.partition(" by ")
    return by_sms_api(SMS_RECEIPT if event == "receipt" else SMS_INBOUND, written_as=written_as)


KINDS = [
    *(f"twilio {event}" for event in ("status", "inbound")),
    *(f"vonage {event}" for event in ("status", "inbound")),
    *(f"sms {event} by {way}" for event in ("receipt", "inbound") for way in ("query", "form", "json")),
]


async def kept(hub: Hub, call: ProviderCall) -> Sequence[Mapping[str, object]]:
    async with hub.container.database().reading() as connection:
        rows = await connection.execute(select(callbacks).where(callbacks.c.key == call.key))
        return [dict(row) for row in rows.mappings()]


async def count(hub: Hub) -> int:
    async with hub.container.database().reading() as connection:
        return len((await connection.execute(select(callbacks.c.id))).all())


def slug(response: httpx.Response) -> str:
    assert response.headers["content-type"] == PROBLEM
    return str(response.json()["type"]).rpartition("#")[2].rpartition("/")[2]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_of_a_providers_is_kept_as_it_came(hub: Hub, kind: str) -> None:
    call = a_call(hub, kind)

    response = await call.to(hub)

    if call.path == TWILIO_INBOUND:
        assert response.status_code == 200
        assert response.text.endswith("<Response/>")
    else:
        assert (response.status_code, response.content) == (204, b"")
    [row] = await kept(hub, call)
    assert (row["kind"], row["outcome"]) == ("receipt" if "receipt" in kind or "status" in kind else "inbound", None)
    fields = json.loads(str(row["fields"]))
    assert call.key.startswith(str(fields.get("MessageSid") or fields.get("message_uuid") or fields.get("messageId")))
    if "inbound" in kind:
        assert str(fields.get("Body") or fields["text"]).startswith("Grüße")
    else:
        assert row["delivery_id"] == 17


async def test_what_is_told_twice_is_kept_once(hub: Hub) -> None:
    """Signed by Twilio both times the same, by Vonage anew."""
    call = by_twilio(hub)

    assert [(await call.to(hub)).status_code for _ in range(3)] == [204, 204, 204]
    assert len(await kept(hub, call)) == 1

    again = by_messages_api()
    now_s = int(time.time())
    for _ in range(3):
        written = token(again.content, SECRET, iat=now_s, jti=str(uuid4()), api_key=API_KEY)
        assert (await again.to(hub, Authorization=f"Bearer {written}")).status_code == 204
    assert len(await kept(hub, again)) == 1


@pytest.mark.parametrize("kind", ["vonage status", "vonage inbound", "sms receipt by form", "sms inbound by query"])
async def test_a_call_that_is_made_again_by_another_is_refused(hub: Hub, kind: str) -> None:
    call = a_call(hub, kind)
    await call.to(hub)

    replayed = await call.to(hub)

    assert (replayed.status_code, slug(replayed)) == (403, "callback-refused")
    assert len(await kept(hub, call)) == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "query" not in kind])
async def test_a_call_that_was_changed_is_refused(hub: Hub, kind: str) -> None:
    call = a_call(hub, kind)

    changed = await call.to(hub, content=call.content.replace(b"9706904544", b"9706904545"))

    assert (changed.status_code, slug(changed)) == (403, "callback-refused")
    assert await kept(hub, call) == []
    # Nothing of it tells the one that was changed apart from the provider's own.
    assert (await call.to(hub)).status_code in {200, 204}


async def test_the_query_is_signed_too(hub: Hub) -> None:
    call = by_twilio(hub)

    for query in ("Delivery=18&Attempt=1", "", "Delivery=17&Attempt=1&x", "Attempt=1&Delivery=17", "Delivery=0"):
        changed = ProviderCall(**{**vars(call), "query": query})
        assert slug(await changed.to(hub)) == "callback-refused"
    assert await kept(hub, call) == []


async def test_where_a_call_says_it_was_sent_to_means_nothing(hub: Hub) -> None:
    """Only the address that the provider was given counts: what a caller writes into its headers is the caller's."""
    call = by_twilio(hub)
    assert (await call.to(hub, Host="hub.internal:8080", X_Forwarded_Host="evil.example")).status_code == 204

    form = dict.fromkeys(("AccountSid",), ACCOUNT_SID)
    elsewhere = signing.by_twilio(f"https://evil.example{TWILIO_STATUS}", form, AUTH_TOKEN)
    refused = await call.to(hub, content=urlencode(form).encode(), Host="evil.example", X_Twilio_Signature=elsewhere)
    assert slug(refused) == "callback-refused"


async def test_vonage_is_asked_to_call_again_signed(hub: Hub) -> None:
    call = by_messages_api()

    unsigned = await call.to(hub, Authorization=None)

    assert (unsigned.status_code, slug(unsigned)) == (503, "callback-unsigned")
    assert int(unsigned.headers["retry-after"]) >= 1
    assert await kept(hub, call) == []
    assert (await call.to(hub)).status_code == 204


@pytest.mark.parametrize("path", [path for path in ALL if path not in {VONAGE_STATUS, VONAGE_INBOUND}])
@pytest.mark.parametrize("content", [b"", b"a=b", f"AccountSid={ACCOUNT_SID}&api-key={API_KEY}".encode()])
async def test_without_a_signature_a_call_is_refused(hub: Hub, path: str, content: bytes) -> None:
    before = await count(hub)

    response = await hub.client.post(path, content=content, headers={"Content-Type": FORM})

    assert (response.status_code, slug(response)) == (403, "callback-refused")
    assert await count(hub) == before


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic YTpi", "Bearer " + "x" * 10_000])
async def test_a_signature_that_is_none_is_refused(hub: Hub, header: str) -> None:
    for path in (VONAGE_STATUS, VONAGE_INBOUND):
        response = await by_messages_api(path).to(hub, Authorization=header)
        assert (response.status_code, slug(response)) == (403, "callback-refused")
    for path in (TWILIO_STATUS, TWILIO_INBOUND):
        response = await by_twilio(hub, path).to(hub, X_Twilio_Signature=header)
        assert (response.status_code, slug(response)) == (403, "callback-refused")


GARBAGE = [
    b"\xff\xfe\x00",
    b"%",
    b"%ff%fe=%00",
    b"=&=&=",
    b"a" * 70_000,
    b"{",
    b"[1, 2]",
    b"null",
    b'{"api-key": {"a": []}, "sig": [1], "message_uuid": 1e999}',
    b'{"message_uuid": "\\ud800", "sig": "\\u0000", "api-key": "\\u0000"}',
    b'{"a":' * 10_000,
    f"AccountSid={ACCOUNT_SID}&api-key={API_KEY}&sig=%00&timestamp=1e999".encode(),
    "&".join(f"a{n}=b" for n in range(5_000)).encode(),
]


@pytest.mark.parametrize("content", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_is_refused_and_leaves_nothing(hub: Hub, content: bytes) -> None:
    before = await count(hub)

    for path in ALL:
        for media_type in (FORM, JSON, "text/plain", "", "application/json; charset=utf-16"):
            headers = {"X-Twilio-Signature": "AAAA", "Authorization": "Bearer a.b.c"}
            if media_type:
                headers["Content-Type"] = media_type
            response = await hub.client.post(path, content=content, headers=headers)
            assert response.status_code in {400, 403, 413, 415}
            assert slug(response)
    assert await count(hub) == before


@pytest.mark.parametrize("path", ALL)
async def test_a_body_is_bounded(hub: Hub, path: str) -> None:
    media_type = JSON if path in {VONAGE_STATUS, VONAGE_INBOUND} else FORM

    response = await hub.client.post(path, content=b"x" * (MOST_BYTES + 1), headers={"Content-Type": media_type})

    assert (response.status_code, slug(response)) == (413, "content-too-large")


async def test_a_signed_call_may_say_more_than_is_documented(hub: Hub) -> None:
    """Providers add to what they say without a word."""
    content = json.dumps({"message_uuid": str(uuid4()), "status": "brand-new", "new": {"deep": [1, None]}}).encode()
    written = token(content, SECRET, iat=int(time.time()), jti=str(uuid4()), api_key=API_KEY)

    response = await by_messages_api().to(hub, content=content, Authorization=f"Bearer {written}")

    assert response.status_code == 204


async def test_what_is_refused_is_counted_by_why(hub: Hub) -> None:
    def counted() -> float | None:
        labels = {"provider": "twilio", "reason": "wrong-signature"}
        return hub.container.metrics().registry.get_sample_value("smshub_refused_callbacks_total", labels)

    before = counted() or 0
    await by_twilio(hub).to(hub, X_Twilio_Signature="AAAA")

    assert counted() == before + 1

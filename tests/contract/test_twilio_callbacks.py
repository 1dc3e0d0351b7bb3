"""Twilio's calls: whether they are Twilio's, and what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.providers.twilio.callbacks import TwilioCallbacks, status_callback
from adapters.providers.twilio.signatures import SigningKey
from domain.errors import CallbackRefused, CredentialsUnreadable
from domain.model.callback import Callback, CallbackKind
from domain.model.credentials import Credentials
from domain.model.delivery import DeliveryState
from domain.ports.callback_reader import ProviderCall
from domain.ports.provider_accounts import ProviderAccounts
from entrypoints.stand_ins.twilio import ACCOUNT_SID, API_KEY, API_SECRET, AUTH_TOKEN
from tests import signing
from tests.builders import NOW_US

S = DeliveryState
SID = "SM" + "0123456789abcdef" * 2
SHARED_KEY = "a-shared-key-of-the-account"
URL = "https://hub.example/cwis463/callbacks/twilio/status?Delivery=17&Attempt=2"
STATUS = {
    "AccountSid": ACCOUNT_SID,
    "ApiVersion": "2010-04-01",
    "From": "+19705550100",
    "MessageSid": SID,
    "MessageStatus": "delivered",
    "RawDlrDoneDate": "2611251200",
    "SmsSid": SID,
    "SmsStatus": "delivered",
    "To": "+19706904544",
}
INBOUND = {"AccountSid": ACCOUNT_SID, "MessageSid": SID, "From": "+19706904544", "Body": "Grüße & 😀", "ToCity": ""}

WITH_TOKEN = {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN}
WITH_KEY = {"account_sid": ACCOUNT_SID, "api_key": API_KEY, "api_secret": API_SECRET}


@dataclass
class Accounts(ProviderAccounts):
    values: Mapping[str, str] = field(default_factory=lambda: WITH_TOKEN)
    readable: bool = True

    async def find(self, provider: str, account: str) -> int | None:
        return 7 if (provider, account) == ("twilio", ACCOUNT_SID) else None

    async def credentials(self, account_id: int) -> Credentials:
        assert account_id == 7
        if not self.readable:
            raise CredentialsUnreadable
        return Credentials(self.values)

    async def seal_anew(self) -> int:
        raise NotImplementedError


def a_call(
    form: Mapping[str, str] | None = None,
    *,
    url: str = URL,
    kind: CallbackKind = CallbackKind.RECEIPT,
    secret: str | None = AUTH_TOKEN,
    digest: str = "sha1",
    signed: Mapping[str, str] | None = None,
    **headers: str,
) -> ProviderCall:
    """Signed over `signed`, which is the form where nothing else is given; not at all where there is no secret."""
    form = STATUS if form is None else form
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if secret is not None:
        given = {
            "x-twilio-signature": signing.by_twilio(url, form if signed is None else signed, secret, digest=digest)
        } | given
    body = urlencode(form).encode()
    return ProviderCall(
        kind=kind, url=url, headers=given, fields=parse_qsl(body.decode(), keep_blank_values=True), body=body
    )


async def genuine(call: ProviderCall, accounts: Accounts | None = None) -> Callback:
    return await TwilioCallbacks(accounts or Accounts()).genuine(call, now_us=NOW_US)


async def refusal(call: ProviderCall, accounts: Accounts | None = None) -> str:
    with pytest.raises(CallbackRefused) as refused:
        await genuine(call, accounts)
    return refused.value.reason


class TestSignatures:
    def test_the_documented_example_is_signed(self) -> None:
        key = SigningKey.of(Credentials({"auth_token": "12345"}))
        url = "https://mycompany.com/myapp.php?foo=1&bar=2"
        form = {
            "CallSid": "CA1234567890ABCDE",
            "Caller": "+14158675309",
            "Digits": "1234",
            "From": "+14158675309",
            "To": "+18005551212",
        }
        documented = "RSOYDt4T1cUTdK1PDd93/VVr8B8="

        assert key is not None
        assert key.has_signed(url, list(form.items()), documented)
        assert not key.has_signed(url, list({**form, "Digits": "1235"}.items()), documented)
        assert not key.has_signed(f"{url}0", list(form.items()), documented)
        assert not key.has_signed(url, list(form.items()), documented.lower())

    async def test_a_call_that_twilio_signed_is_taken_as_it_came(self) -> None:
        callback = await genuine(a_call())

        assert (callback.source, callback.kind, callback.account_id) == ("twilio", CallbackKind.RECEIPT, 7)
        assert (callback.key, callback.delivery_id, callback.received_us) == (f"{SID}:delivered", 17, NOW_US)
        assert callback.fields == {**STATUS, "Delivery": "17", "Attempt": "2"}

    async def test_an_inbound_text_is_taken_as_it_came(self) -> None:
        url = "https://hub.example/callbacks/twilio/inbound"
        callback = await genuine(a_call(INBOUND, url=url, kind=CallbackKind.INBOUND))

        assert (callback.kind, callback.key, callback.delivery_id) == (CallbackKind.INBOUND, SID, None)
        assert callback.fields == INBOUND

    @pytest.mark.parametrize("signed_url", [URL, URL.replace("hub.example", "hub.example:443")])
    async def test_a_port_that_goes_without_saying_may_be_signed_or_not(self, signed_url: str) -> None:
        made = signing.by_twilio(signed_url, STATUS, AUTH_TOKEN)

        await genuine(a_call(x_twilio_signature=made))

    async def test_an_address_with_a_port_is_signed_with_it(self) -> None:
        await genuine(a_call(url="http://127.0.0.1:8080/callbacks/twilio/status?Delivery=17"))

    async def test_fields_that_stand_several_times_are_signed_all(self) -> None:
        body = urlencode([*STATUS.items(), ("Tag", "b"), ("Tag", "a")])
        made = signing.by_twilio(URL, {**STATUS, "Tag": "aTagb"}, AUTH_TOKEN)
        call = ProviderCall(
            kind=CallbackKind.RECEIPT,
            url=URL,
            headers={"x-twilio-signature": made},
            fields=parse_qsl(body),
            body=body.encode(),
        )

        await genuine(call)

    @pytest.mark.parametrize("name", STATUS)
    async def test_a_call_that_was_changed_is_refused(self, name: str) -> None:
        changed = {**STATUS, name: STATUS[name] + "0"}

        assert await refusal(a_call(changed, signed=STATUS)) in {"wrong-signature", "unknown-account"}

    async def test_one_with_a_field_more_or_less_is_refused(self) -> None:
        less = {name: value for name, value in STATUS.items() if name != "SmsSid"}

        assert await refusal(a_call(less, signed=STATUS)) == "wrong-signature"
        assert await refusal(a_call({**STATUS, "Extra": "1"}, signed=STATUS)) == "wrong-signature"

    async def test_one_for_another_address_is_refused(self) -> None:
        made = signing.by_twilio(URL.replace("Delivery=17", "Delivery=18"), STATUS, AUTH_TOKEN)

        assert await refusal(a_call(x_twilio_signature=made)) == "wrong-signature"

    async def test_one_that_is_signed_with_another_secret_is_refused(self) -> None:
        assert await refusal(a_call(secret=AUTH_TOKEN[::-1])) == "wrong-signature"

    async def test_one_without_a_signature_is_refused(self) -> None:
        assert await refusal(a_call(secret=None)) == "no-signature"
        assert await refusal(a_call(x_twilio_signature="")) == "no-signature"

    async def test_one_of_an_account_that_nobody_has_is_refused(self) -> None:
        assert await refusal(a_call({**STATUS, "AccountSid": "AC" + "f" * 32})) == "unknown-account"
        assert await refusal(a_call({"MessageSid": SID})) == "unknown-account"

    async def test_one_of_an_account_whose_credentials_cannot_be_read_is_refused(self) -> None:
        assert await refusal(a_call(), Accounts(readable=False)) == "credentials-unreadable"


class TestWhatAnAccountSignsWith:
    async def test_an_api_key_alone_signs_nothing(self) -> None:
        assert await refusal(a_call(secret=API_SECRET), Accounts(WITH_KEY)) == "no-secret"

    async def test_beside_an_api_key_it_is_the_accounts_token(self) -> None:
        await genuine(a_call(), Accounts({**WITH_KEY, "auth_token": AUTH_TOKEN}))

    async def test_a_shared_key_signs_with_sha256_in_place_of_the_token(self) -> None:
        accounts = Accounts({**WITH_TOKEN, "signature_secret": SHARED_KEY})
        settings = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
        by_key = a_call(secret=SHARED_KEY, digest="sha256", x_twilio_webhooks_signature_settings=settings)

        await genuine(by_key, accounts)
        assert await refusal(a_call(), accounts) == "wrong-signature"

    @pytest.mark.parametrize("secret", [AUTH_TOKEN, SHARED_KEY])
    @pytest.mark.parametrize("digest", ["sha1", "sha256"])
    async def test_no_header_decides_with_what_a_call_is_checked(self, secret: str, digest: str) -> None:
        for algorithm in ("HMAC_SHA1", "HMAC_SHA256", "HMAC_MD5", "none", ""):
            settings = f"key=webhooks_sharedkey_1,algorithm={algorithm}"
            call = a_call(secret=secret, digest=digest, x_twilio_webhooks_signature_settings=settings)
            if (secret, digest) != (AUTH_TOKEN, "sha1"):
                assert await refusal(call) == "wrong-signature"
            if (secret, digest) != (SHARED_KEY, "sha256"):
                shared = Accounts({**WITH_TOKEN, "signature_secret": SHARED_KEY})
                assert await refusal(call, shared) == "wrong-signature"


class TestWhatItMeans:
    @pytest.mark.parametrize(
        ("status", "code", "state", "reason"),
        [
            ("queued", None, S.SENT, None),
            ("sent", None, S.SENT, None),
            ("delivered", None, S.DELIVERED, None),
            ("read", None, S.DELIVERED, None),
            ("undelivered", "30003", S.UNDELIVERED, "unreachable"),
            ("undelivered", None, S.UNDELIVERED, "not-delivered"),
            ("failed", "30001", S.FAILED, "provider-queue-full"),
            ("failed", "21610", S.FAILED, "opted-out-at-provider"),
            ("failed", "30036", S.EXPIRED, "expired"),
            ("failed", "nonsense", S.FAILED, "failed-at-provider"),
            ("canceled", None, S.FAILED, "canceled-at-provider"),
        ],
    )
    async def test_a_status_is_a_state_and_a_code_its_reason(
        self, status: str, code: str | None, state: DeliveryState, reason: str | None
    ) -> None:
        form = {**STATUS, "MessageStatus": status} | ({} if code is None else {"ErrorCode": code})

        receipt = TwilioCallbacks(Accounts()).receipt(await genuine(a_call(form)))

        assert receipt is not None
        assert (receipt.state, receipt.reason) == (state, reason)
        assert (receipt.reference, receipt.digits) == (SID, "19706904544")
        assert (receipt.delivery_id, receipt.attempt) == (17, 2)

    @pytest.mark.parametrize(
        "change",
        [
            {"MessageStatus": "frobnicated"},
            {"MessageStatus": "receiving"},
            {"MessageSid": "CA" + "0" * 32},
            {"MessageSid": ""},
        ],
    )
    async def test_what_is_no_receipt_of_a_text_is_not_taken_for_one(self, change: Mapping[str, str]) -> None:
        assert TwilioCallbacks(Accounts()).receipt(await genuine(a_call({**STATUS, **change}))) is None

    @pytest.mark.parametrize("query", ["", "?Delivery=", "?Delivery=x", "?Delivery=-1", f"?Delivery={10**30}", "?x=1"])
    async def test_an_address_that_is_not_the_hubs_own_names_no_delivery(self, query: str) -> None:
        callback = await genuine(a_call(url=f"https://hub.example/callbacks/twilio/status{query}"))

        receipt = TwilioCallbacks(Accounts()).receipt(callback)
        assert receipt is not None
        assert (callback.delivery_id, receipt.delivery_id, receipt.attempt) == (None, None, None)

    async def test_what_twilio_is_told_to_call_names_the_delivery_and_the_attempt(self) -> None:
        url = status_callback("https://hub.example/callbacks/twilio/status", delivery_id=18, attempt=3)

        receipt = TwilioCallbacks(Accounts()).receipt(await genuine(a_call(url=url)))
        assert receipt is not None
        assert (receipt.delivery_id, receipt.attempt) == (18, 3)

    async def test_an_event_that_names_nothing_is_still_one_event(self) -> None:
        nameless = {"AccountSid": ACCOUNT_SID, "Something": "new"}
        keys = [(await genuine(a_call(nameless))).key for _ in range(2)]

        assert keys[0] == keys[1]
        assert keys[0] != (await genuine(a_call({**nameless, "Something": "else"}))).key


anything = st.text(st.characters(), max_size=30)
fields = st.lists(st.tuples(anything | st.sampled_from(list(STATUS)), anything | st.integers() | st.none()), max_size=6)


class TestGarbage:
    @given(
        st.sampled_from(CallbackKind),
        st.dictionaries(st.sampled_from(["x-twilio-signature", "authorization"]) | anything, anything),
        fields,
        st.binary(max_size=30),
    )
    async def test_it_is_refused_and_nothing_else(
        self, kind: CallbackKind, headers: dict[str, str], fields: list[tuple[str, object]], body: bytes
    ) -> None:
        given = [*fields, ("AccountSid", ACCOUNT_SID)]
        call = ProviderCall(kind=kind, url=URL, headers=headers, fields=given, body=body)

        assert await refusal(call) in {"no-signature", "wrong-signature"}

    @given(fields)
    def test_what_was_kept_can_be_turned_to_whatever_it_is(self, fields: list[tuple[str, object]]) -> None:
        callback = Callback(
            source="twilio",
            kind=CallbackKind.RECEIPT,
            account_id=7,
            key="key",
            received_us=NOW_US,
            fields={**STATUS, **dict(fields)},
        )

        TwilioCallbacks(Accounts()).receipt(callback)

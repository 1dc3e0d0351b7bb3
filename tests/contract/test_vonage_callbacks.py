"""Vonage's calls by both of its interfaces: whether they are Vonage's, and what they mean."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.providers.vonage.callbacks import VonageCallbacks, VonageSmsCallbacks
from adapters.providers.vonage.signatures import signature_of
from domain.errors import CallbackRefused, CallbackUnsigned
from domain.model.callback import Callback, CallbackKind
from domain.model.credentials import Credentials
from domain.model.delivery import DeliveryState
from domain.ports.callback_reader import CallbackReader, ProviderCall
from domain.ports.provider_accounts import ProviderAccounts
from tests.builders import NOW_US
from tests.signing import signed, token

S = DeliveryState
NOW_S = NOW_US // 1_000_000
SECRET = "the-signature-secret-of-an-account"
API_KEY = "a1b2c3d4"
APPLICATION = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
UUID = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"

STATUS: Mapping[str, object] = {
    "message_uuid": UUID,
    "to": "19706904544",
    "from": "19705550100",
    "timestamp": "2026-11-25T12:00:00Z",
    "status": "delivered",
    "client_ref": "17",
    "channel": "sms",
    "usage": {"currency": "EUR", "price": "0.0333"},
    "sms": {"count_total": "1"},
}
INBOUND: Mapping[str, object] = {
    "channel": "sms",
    "message_uuid": UUID,
    "to": "19705550100",
    "from": "19706904544",
    "text": "Grüße & 😀",
    "sms": {"num_messages": "1"},
}
RECEIPT = {
    "api-key": API_KEY,
    "client-ref": "17",
    "err-code": "0",
    "message-timestamp": "2030-03-17 17:46:40",
    "messageId": "0B00000127FDBC63",
    "msisdn": "19706904544",
    "network-code": "23410",
    "nonce": "ec11dd3e-1e7f-4db5-9467-82b02cd223b9",
    "price": "0.03330000",
    "scts": "3003171746",
    "status": "delivered",
    "timestamp": str(NOW_S),
    "to": "19705550100",
}


@dataclass
class Accounts(ProviderAccounts):
    """Two: one by its API key, one by an application."""

    values: Mapping[str, str] = field(default_factory=lambda: {"signature_secret": SECRET})
    names: Mapping[str, int] = field(default_factory=lambda: {API_KEY: 7, APPLICATION: 8})

    async def find(self, provider: str, account: str) -> int | None:
        assert provider == "vonage"
        return self.names.get(account)

    async def credentials(self, account_id: int) -> Credentials:
        assert account_id in {7, 8}
        return Credentials(self.values)

    async def seal_anew(self) -> int:
        raise NotImplementedError


def a_call(
    *,
    fields: Mapping[str, object],
    body: bytes = b"",
    kind: CallbackKind = CallbackKind.RECEIPT,
    headers: Mapping[str, str] | None = None,
) -> ProviderCall:
    url = "https://hub.example/callbacks/vonage/status"
    return ProviderCall(kind=kind, url=url, headers=headers or {}, fields=list(fields.items()), body=body)


def a_status(
    fields: Mapping[str, object] | None = None,
    *,
    kind: CallbackKind = CallbackKind.RECEIPT,
    secret: str = SECRET,
    signed_body: bytes | None = None,
    head: Mapping[str, object] | None = None,
    scheme: str = "Bearer",
    **claims: object,
) -> ProviderCall:
    """By the Messages API."""
    fields = STATUS if fields is None else fields
    body = json.dumps(fields).encode()
    said = {"iat": NOW_S, "jti": "once", "api_key": API_KEY, "application_id": APPLICATION, **claims}
    written = token(body if signed_body is None else signed_body, secret, head=head, **said)
    return a_call(fields=fields, body=body, kind=kind, headers={"authorization": f"{scheme} {written}"})


def by_messages(accounts: Accounts | None = None) -> VonageCallbacks:
    return VonageCallbacks(accounts or Accounts())


def by_sms(**values: str) -> VonageSmsCallbacks:
    return VonageSmsCallbacks(Accounts({"signature_secret": SECRET, **values}))


async def refusal(reader: CallbackReader, call: ProviderCall) -> str:
    with pytest.raises(CallbackRefused) as refused:
        await reader.genuine(call, now_us=NOW_US)
    return refused.value.reason


class TestTokens:
    async def test_a_call_with_the_claims_that_are_documented_is_taken_as_it_came(self) -> None:
        # https://developer.vonage.com/en/messages/concepts/signed-webhooks
        mark = "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5"
        documented = a_status(iat=1587494962, jti=mark, api_key="a1b2c3d", application_id=APPLICATION)

        callback = await by_messages().genuine(documented, now_us=1587494962 * 1_000_000)

        assert (callback.source, callback.kind, callback.account_id) == ("vonage", CallbackKind.RECEIPT, 8)
        assert callback.nonce == mark
        assert (callback.key, callback.delivery_id) == (f"{UUID}:delivered", 17)
        assert callback.fields == STATUS

    async def test_an_inbound_text_is_taken_as_it_came(self) -> None:
        callback = await by_messages().genuine(a_status(INBOUND, kind=CallbackKind.INBOUND), now_us=NOW_US)

        assert (callback.kind, callback.key, callback.delivery_id) == (CallbackKind.INBOUND, UUID, None)
        assert callback.fields == INBOUND

    async def test_it_is_of_the_application_or_else_of_the_account(self) -> None:
        for claims, account_id in (({}, 8), ({"application_id": None}, 7), ({"application_id": "another"}, 7)):
            callback = await by_messages().genuine(a_status(**claims), now_us=NOW_US)
            assert callback.account_id == account_id

    @pytest.mark.parametrize("age_s", [-60, 0, 300, 25 * 3_600])
    async def test_one_that_was_signed_a_moment_ago_is_taken(self, age_s: int) -> None:
        await by_messages().genuine(a_status(iat=NOW_S - age_s), now_us=NOW_US)

    @pytest.mark.parametrize("age_s", [-86_400, -61, 25 * 3_600 + 1, 115 * 86_400])
    async def test_one_that_was_signed_at_another_time_is_refused(self, age_s: int) -> None:
        assert await refusal(by_messages(), a_status(iat=NOW_S - age_s)) == "stale"

    @pytest.mark.parametrize("iat", [None, "yesterday", True, [], 1e400, float("nan"), 10**400])
    async def test_one_without_a_time_is_refused(self, iat: object) -> None:
        assert await refusal(by_messages(), a_status(iat=iat)) in {"no-timestamp", "stale"}

    async def test_a_body_that_was_changed_is_refused(self) -> None:
        changed = json.dumps({**STATUS, "status": "rejected"}).encode()

        assert await refusal(by_messages(), a_status(signed_body=changed)) == "wrong-signature"
        assert await refusal(by_messages(), a_status(payload_hash=None)) == "wrong-signature"
        assert await refusal(by_messages(), a_status(payload_hash=1)) == "wrong-signature"

    async def test_a_token_that_was_changed_or_signed_by_another_is_refused(self) -> None:
        assert await refusal(by_messages(), a_status(secret=SECRET[::-1])) == "wrong-signature"
        head, payload, made = a_status().headers["authorization"].removeprefix("Bearer ").split(".")
        _, other, others = a_status(jti="twice").headers["authorization"].split(".")
        for written in (f"{head}.{other}.{made}", f"{head}.{payload}.", f"{head}.{payload}.{others}"):
            call = a_call(fields=STATUS, body=b"", headers={"authorization": f"Bearer {written}"})
            assert await refusal(by_messages(), call) == "wrong-signature"

    @pytest.mark.parametrize("head", [{"alg": "none"}, {"alg": "RS256"}, {"alg": "HS512"}, {"typ": "JWT"}, {"alg": []}])
    async def test_a_token_decides_for_itself_how_it_is_checked_as_little_as_any(
        self, head: Mapping[str, object]
    ) -> None:
        assert await refusal(by_messages(), a_status(head=head)) == "wrong-signature"

    @pytest.mark.parametrize("jti", [None, "", 17, "x" * 201, "a\0b"])
    async def test_a_token_that_could_be_used_again_and_again_is_refused(self, jti: object) -> None:
        assert await refusal(by_messages(), a_status(jti=jti)) == "wrong-signature"

    async def test_an_account_that_nobody_has_or_that_has_no_secret_is_refused(self) -> None:
        assert await refusal(by_messages(), a_status(api_key="x", application_id=None)) == "unknown-account"
        assert await refusal(by_messages(), a_status(api_key=[], application_id={})) == "unknown-account"
        assert await refusal(by_messages(Accounts({"api_secret": SECRET})), a_status()) == "no-secret"

    async def test_a_call_without_any_token_is_to_come_again(self) -> None:
        with pytest.raises(CallbackUnsigned):
            await by_messages().genuine(a_call(fields=STATUS), now_us=NOW_US)

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer a.b.c", "Basic YTpi", "a.b.c", "Bearer é.é.é"])
    async def test_a_header_that_is_no_token_is_refused(self, header: str) -> None:
        call = a_call(fields=STATUS, headers={"authorization": header})

        assert await refusal(by_messages(), call) == "unreadable-signature"

    # As the hub has it everywhere, and pytest for no test.
    @pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
    async def test_vonages_secrets_may_be_short(self) -> None:
        short = "sixteen-letters-"

        await by_messages(Accounts({"signature_secret": short})).genuine(a_status(secret=short), now_us=NOW_US)

    async def test_the_scheme_may_be_written_anyhow(self) -> None:
        await by_messages().genuine(a_status(scheme="bearer"), now_us=NOW_US)


METHODS = ["md5hash", "md5", "sha1", "sha256", "sha512"]


class TestParameters:
    # https://github.com/Vonage/vonage-python-sdk: what Vonage's own library is tested with.
    @pytest.mark.parametrize(
        ("method", "expected"),
        [
            ("md5hash", "6af838ef94998832dbfc29020b564830"),
            ("md5", "c15c21ced558c93a226c305f58f902f2"),
            ("sha1", "3e19a4e6880fdc2c1426bfd0587c98b9532f0210"),
            ("sha256", "a321e824b9b816be7c3f28859a31749a098713d39f613c80d455bbaffae1cd24"),
            (
                "sha512",
                (
                    "812a18f76680fa0fe1b8bd9ee1625466ceb1bd96242e4d050d2cfd9a7b40166c"
                    "63ed26ec9702168781b6edcf1633db8ff95af9341701004eec3fcf9550572ee8"
                ),
            ),
        ],
    )
    def test_the_published_examples_are_signed(self, method: str, expected: str) -> None:
        parameters = {"a": "1", "b": "2", "timestamp": "1461605396", "sig": "whatever"}

        assert signature_of(parameters, "secret", method) == expected

    @pytest.mark.parametrize("method", METHODS)
    async def test_a_call_is_checked_as_its_account_has_it(self, method: str) -> None:
        reader = by_sms(signature_method=method)
        for other in METHODS:
            call = a_call(fields=signed(RECEIPT, SECRET, other))
            if other == method:
                await reader.genuine(call, now_us=NOW_US)
            else:
                assert await refusal(reader, call) == "wrong-signature"

    async def test_it_is_taken_as_it_came(self) -> None:
        fields = signed({**RECEIPT, "network-code": "a & b = c"}, SECRET)

        callback = await by_sms().genuine(a_call(fields=fields), now_us=NOW_US)

        assert (callback.source, callback.kind, callback.account_id) == ("vonage-sms", CallbackKind.RECEIPT, 7)
        assert (callback.key, callback.delivery_id) == ("0B00000127FDBC63:delivered", 17)
        assert callback.nonce == RECEIPT["nonce"]
        assert callback.fields == fields

    async def test_numbers_in_json_are_signed_as_they_are_written(self) -> None:
        fields = {**signed({**RECEIPT, "err-code": "0"}, SECRET), "err-code": 0}

        await by_sms().genuine(a_call(fields=fields), now_us=NOW_US)

    @pytest.mark.parametrize("name", [name for name in RECEIPT if name != "api-key"])
    async def test_a_call_that_was_changed_is_refused(self, name: str) -> None:
        fields = {**signed(RECEIPT, SECRET), name: RECEIPT[name] + "0"}

        assert await refusal(by_sms(), a_call(fields=fields)) == "wrong-signature"

    async def test_fields_cannot_be_cut_anew(self) -> None:
        fields = signed(RECEIPT, SECRET)
        joined = {name: value for name, value in fields.items() if name not in {"network-code", "nonce"}}
        joined[f"network-code={fields['network-code']}&nonce"] = fields["nonce"]

        assert await refusal(by_sms(), a_call(fields=joined)) == "wrong-signature"

    async def test_one_without_a_signature_is_refused(self) -> None:
        for sig in ({}, {"sig": ""}, {"sig": None}):
            assert await refusal(by_sms(), a_call(fields={**RECEIPT, **sig})) == "no-signature"

    @pytest.mark.parametrize("sig", [17, ["a"], {"a": 1}, "é", "6AF8"])
    async def test_one_with_nonsense_for_a_signature_is_refused(self, sig: object) -> None:
        assert await refusal(by_sms(), a_call(fields={**RECEIPT, "sig": sig})) == "wrong-signature"

    @pytest.mark.parametrize("age_s", [-61, 25 * 3_600 + 1])
    async def test_one_that_was_signed_at_another_time_is_refused(self, age_s: int) -> None:
        fields = signed({**RECEIPT, "timestamp": str(NOW_S - age_s)}, SECRET)

        assert await refusal(by_sms(), a_call(fields=fields)) == "stale"

    async def test_one_without_a_time_is_refused(self) -> None:
        fields = signed({name: value for name, value in RECEIPT.items() if name != "timestamp"}, SECRET)

        assert await refusal(by_sms(), a_call(fields=fields)) == "no-timestamp"

    async def test_an_account_that_nobody_has_or_that_has_no_secret_is_refused(self) -> None:
        call = a_call(fields=signed({**RECEIPT, "api-key": "ffffffff"}, SECRET))
        assert await refusal(by_sms(), call) == "unknown-account"
        without = VonageSmsCallbacks(Accounts({"api_secret": SECRET}))
        assert await refusal(without, a_call(fields=signed(RECEIPT, SECRET))) == "no-secret"
        unknown = by_sms(signature_method="crc32")
        assert await refusal(unknown, a_call(fields=signed(RECEIPT, SECRET))) == "wrong-signature"


class TestWhatItMeans:
    @pytest.mark.parametrize(
        ("status", "error", "state", "reason"),
        [
            ("submitted", None, S.SENT, None),
            ("delivered", None, S.DELIVERED, None),
            ("rejected", None, S.FAILED, "failed-at-provider"),
            ("rejected", {"title": "1240"}, S.FAILED, "opted-out-at-provider"),
            ("rejected", {"title": 1170}, S.FAILED, "invalid-recipient"),
            ("rejected", {"type": "https://developer.vonage.com/api-errors/messages#1210"}, S.FAILED, "filtered"),
            ("undeliverable", None, S.UNDELIVERED, "not-delivered"),
            ("undeliverable", {"title": "1260"}, S.UNDELIVERED, "unreachable"),
            ("undeliverable", {"title": "9999"}, S.UNDELIVERED, "not-delivered"),
            ("undeliverable", {"title": "1360"}, S.EXPIRED, "expired"),
            # Some of it may have arrived.
            ("undeliverable", {"title": "1490"}, S.SENT, None),
        ],
    )
    def test_a_status_of_the_messages_api(
        self, status: str, error: object, state: DeliveryState, reason: str | None
    ) -> None:
        receipt = by_messages().receipt(kept({**STATUS, "status": status, "error": error}))

        assert receipt is not None
        assert (receipt.state, receipt.reason) == (state, reason)
        assert (receipt.reference, receipt.digits, receipt.delivery_id) == (UUID, "19706904544", 17)

    @pytest.mark.parametrize(
        ("status", "code", "state", "reason"),
        [
            ("accepted", "0", S.SENT, None),
            ("buffered", "0", S.SENT, None),
            ("unknown", "1", S.SENT, None),
            ("delivered", "0", S.DELIVERED, None),
            ("delivered", 0, S.DELIVERED, None),
            ("expired", "2", S.EXPIRED, "expired"),
            ("failed", "1", S.UNDELIVERED, "carrier-error"),
            ("failed", "9", S.UNDELIVERED, "opted-out-at-provider"),
            ("failed", 14, S.UNDELIVERED, "blocked-by-carrier"),
            ("failed", None, S.UNDELIVERED, "not-delivered"),
            ("rejected", "50", S.FAILED, "blocked-by-regulation"),
            ("rejected", "77", S.FAILED, "failed-at-provider"),
        ],
    )
    def test_a_status_of_the_sms_api(self, status: str, code: object, state: DeliveryState, reason: str | None) -> None:
        receipt = by_sms().receipt(kept({**RECEIPT, "status": status, "err-code": code}))

        assert receipt is not None
        assert (receipt.state, receipt.reason) == (state, reason)
        assert (receipt.reference, receipt.digits, receipt.delivery_id) == ("0B00000127FDBC63", "19706904544", 17)

    @pytest.mark.parametrize(
        ("written", "delivery_id", "attempt"),
        [
            ("17", 17, None),
            ("17.2", 17, 2),
            (17, 17, None),
            (None, None, None),
            ("ours-17", None, None),
            ("", None, None),
        ],
    )
    def test_the_reference_that_travelled_along_names_the_delivery(
        self, written: object, delivery_id: int | None, attempt: int | None
    ) -> None:
        for receipt in (
            by_messages().receipt(kept({**STATUS, "client_ref": written})),
            by_sms().receipt(kept({**RECEIPT, "client-ref": written})),
        ):
            assert receipt is not None
            assert (receipt.delivery_id, receipt.attempt) == (delivery_id, attempt)

    def test_what_is_no_receipt_of_a_text_is_not_taken_for_one(self) -> None:
        for name in ("status", "message_uuid", "messageId"):
            for changed in ({name: ""}, {name: None}, {name: 1}, {name: ["delivered"]}):
                assert name == "messageId" or by_messages().receipt(kept({**STATUS, **changed})) is None
                assert name == "message_uuid" or by_sms().receipt(kept({**RECEIPT, **changed})) is None


def kept(fields: Mapping[str, object]) -> Callback:
    return Callback(
        source="vonage", kind=CallbackKind.RECEIPT, account_id=7, key="key", received_us=NOW_US, fields=fields
    )


anything = st.text(st.characters(), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | anything,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(anything, inner, max_size=2),
    max_leaves=5,
)
names = anything | st.sampled_from([*STATUS, *RECEIPT, "sig", "error"])
fields_of_any_kind = st.dictionaries(names, json_values, max_size=6)


class TestGarbage:
    @given(
        anything | st.builds("Bearer {}.{}.{}".format, anything, anything, anything), fields_of_any_kind, st.binary()
    )
    async def test_it_is_refused_by_the_messages_api_and_nothing_else(
        self, header: str, fields: dict[str, object], body: bytes
    ) -> None:
        call = a_call(fields=fields, body=body, headers={"authorization": header})

        assert await refusal(by_messages(), call)

    @given(json_values, json_values)
    async def test_no_claims_are_believed_before_they_are_checked(self, name: object, iat: object) -> None:
        call = a_status(secret="another secret, as long as it should be", api_key=name, iat=iat)

        assert await refusal(by_messages(), call) == "wrong-signature"

    @given(fields_of_any_kind)
    async def test_it_is_refused_by_the_sms_api_and_nothing_else(self, fields: dict[str, object]) -> None:
        call = a_call(fields={**fields, "api-key": API_KEY})

        assert await refusal(by_sms(), call) in {"no-signature", "wrong-signature"}

    @given(fields_of_any_kind)
    def test_what_was_kept_can_be_turned_to_whatever_it_is(self, fields: dict[str, object]) -> None:
        by_messages().receipt(kept({**STATUS, **fields}))
        by_sms().receipt(kept({**RECEIPT, **fields}))


PART = {
    "api-key": API_KEY,
    "msisdn": "19706904544",
    "to": "19705550100",
    "messageId": "0C000000217B7F02",
    "text": "Hello, ",
    "type": "text",
    "concat": "true",
    "concat-ref": "108",
    "concat-total": "3",
    "concat-part": "1",
    "timestamp": str(NOW_S),
}


async def inbound(**fields: str) -> Callback:
    call = a_call(fields=signed({**PART, **fields}, SECRET), kind=CallbackKind.INBOUND)
    return await by_sms().genuine(call, now_us=NOW_US)


class TestParts:
    async def test_a_part_says_of_which_text_it_is(self) -> None:
        first, third = await inbound(), await inbound(**{"concat-part": "3", "messageId": "0C000000217B7F04"})

        assert first.part is not None
        assert third.part is not None
        assert (first.part.number, third.part.number, first.part.of) == (1, 3, 3)
        assert first.part.whole == third.part.whole

    @pytest.mark.parametrize("name", ["msisdn", "to", "concat-ref", "concat-total"])
    async def test_one_of_another_text_is_told_apart(self, name: str) -> None:
        first, other = await inbound(), await inbound(**{name: "5"})

        assert first.part is not None
        assert other.part is not None
        assert first.part.whole != other.part.whole

    @pytest.mark.parametrize(
        "fields",
        [
            {"concat": "false"},
            {"concat": ""},
            *({"concat-part": number} for number in ("", "0", "4", "-1", "1.0", "one", "٣", "9999")),
            *({"concat-total": number} for number in ("", "0", "x", "9999")),
        ],
    )
    async def test_what_is_no_part_is_taken_as_it_comes(self, fields: Mapping[str, str]) -> None:
        assert (await inbound(**fields)).part is None

    async def test_a_receipt_has_no_parts(self) -> None:
        call = a_call(fields=signed({**RECEIPT, "concat": "true", "concat-part": "1", "concat-total": "2"}, SECRET))

        assert (await by_sms().genuine(call, now_us=NOW_US)).part is None

    @pytest.mark.parametrize(
        ("numbers", "text"),
        [("123", "1,2,3,"), ("13", "1,[…]3,"), ("12", "1,2,[…]"), ("3", "[…]3,"), ("2", "[…]2,[…]")],
    )
    async def test_put_together_they_read_as_they_were_written(self, numbers: str, text: str) -> None:
        parts = [
            await inbound(**{"concat-part": number, "messageId": f"0C{number}", "text": f"{number},"})
            for number in numbers
        ]

        whole = by_sms().whole(parts)

        assert whole["text"] == text
        assert whole["messageId"] == f"0C{numbers[0]}"
        assert not [name for name in whole if name.startswith("concat")]

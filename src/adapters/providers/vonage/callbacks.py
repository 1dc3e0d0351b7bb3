"""What Vonage says when it calls. Which of its two interfaces calls, its dashboard decides, whichever texts went by."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from adapters.providers.vonage.message_status import (
    MESSAGES_API,
    SMS_API,
    Verdict,
    verdict_by_messages_api,
    verdict_by_sms_api,
)
from adapters.providers.vonage.signatures import MD5_HASH, Token, check_age, check_parameters
from domain.errors import CallbackRefused, CallbackUnsigned
from domain.model.callback import Callback, CallbackKind, key_of
from domain.model.credentials import Credentials
from domain.model.delivery import DeliveryState
from domain.model.inbound_message import InboundText
from domain.model.inbound_part import InboundPart
from domain.model.receipt import Receipt
from domain.ports.callback_reader import CallbackReader, ProviderCall, account_called
from domain.ports.provider_accounts import ProviderAccounts

_CLIENT_REFERENCE = re.compile(r"(\d{1,18})(?:\.(\d{1,9}))?", re.ASCII)
_CODE = re.compile(r"(?:.*#)?(\d{1,9})", re.ASCII)
_PART_NUMBER = re.compile(r"\d{1,3}", re.ASCII)
_NOT_THERE = "[…]"  # In place of parts that did not come.
_DIGITS = re.compile(r"\d{7,15}", re.ASCII)
_NO_DIGIT = re.compile(r"[^0-9]")


def client_reference(*, delivery_id: int, attempt: int) -> str:
    """What travels with a text and comes back with its receipts."""
    return f"{delivery_id}.{attempt}"


class VonageCallbacks(CallbackReader):
    """Of the Messages API: JSON, signed by a token."""

    def __init__(self, accounts: ProviderAccounts) -> None:
        self._accounts = accounts

    async def genuine(self, call: ProviderCall, *, now_us: int) -> Callback:
        header = call.headers.get("authorization")
        if header is None:
            # Vonage calls so where it fails to sign, and again, signed, after an answer such as this one brings.
            raise CallbackUnsigned
        token = Token.read(header)
        names = token.claims.get("application_id"), token.claims.get("api_key")
        account_id, credentials = await account_called(self._accounts, "vonage", *names)
        nonce = token.check(_secret_of(credentials), call.body, now_us=now_us)
        return _callback("vonage", call, "message_uuid", account_id=account_id, nonce=nonce, now_us=now_us)

    def receipt(self, callback: Callback) -> Receipt | None:
        fields, error = callback.fields, callback.fields.get("error")
        code = error.get("title") or error.get("type") if isinstance(error, Mapping) else None
        status = fields.get("status")
        if not isinstance(status, str) or status not in MESSAGES_API:
            return None
        verdict = verdict_by_messages_api(status, _code(code))
        return _receipt(verdict, fields.get("message_uuid"), fields.get("to"), fields.get("client_ref"))

    def inbound(self, callback: Callback) -> InboundText | None:
        fields = callback.fields
        return _inbound(fields.get("to"), fields.get("from"), fields.get("text"), fields.get("message_uuid"))


class VonageSmsCallbacks(CallbackReader):
    """Of the SMS API: a query, a form or JSON, whose parameters are signed by one more, if the account has it so."""

    def __init__(self, accounts: ProviderAccounts) -> None:
        self._accounts = accounts

    async def genuine(self, call: ProviderCall, *, now_us: int) -> Callback:
        fields = dict(call.fields)
        if not fields.get("sig"):
            raise CallbackRefused("no-signature")
        account_id, credentials = await account_called(self._accounts, "vonage", fields.get("api-key"))
        method = credentials.values.get("signature_method", MD5_HASH)
        check_parameters(fields, _secret_of(credentials), method)
        check_age(fields.get("timestamp"), now_us=now_us)
        nonce = fields.get("nonce")
        callback = _callback(
            "vonage-sms",
            call,
            "messageId",
            account_id=account_id,
            nonce=key_of(nonce, otherwise=b"") if nonce else None,
            now_us=now_us,
        )
        return replace(callback, part=_part(fields)) if call.kind is CallbackKind.INBOUND else callback

    def receipt(self, callback: Callback) -> Receipt | None:
        fields = callback.fields
        status = fields.get("status")
        if not isinstance(status, str) or status not in SMS_API:
            return None
        verdict = verdict_by_sms_api(status, _code(fields.get("err-code")))
        return _receipt(verdict, fields.get("messageId"), fields.get("msisdn"), fields.get("client-ref"))

    def inbound(self, callback: Callback) -> InboundText | None:
        fields = callback.fields
        return _inbound(fields.get("to"), fields.get("msisdn"), fields.get("text"), fields.get("messageId"))

    def whole(self, parts: Sequence[Callback]) -> Mapping[str, object]:
        texts, expected = [], 1
        for each in parts:
            number = expected if each.part is None else each.part.number
            texts += [_NOT_THERE] * (number > expected) + [str(each.fields.get("text", ""))]
            expected = number + 1
        last = parts[-1].part
        texts += [_NOT_THERE] * (last is not None and last.of >= expected)
        fields = {name: value for name, value in parts[0].fields.items() if not name.startswith("concat")}
        return {**fields, "text": "".join(texts)}


def _part(fields: Mapping[str, object]) -> InboundPart | None:
    """None for a text that comes whole, and where nobody can tell."""
    names = [fields.get(name) for name in ("msisdn", "to", "concat-ref", "concat-total")]
    number, of = (_PART_NUMBER.fullmatch(str(fields.get(name))) for name in ("concat-part", "concat-total"))
    if str(fields.get("concat")).lower() != "true" or number is None or of is None:
        return None
    if not 1 <= int(number[0]) <= int(of[0]):
        return None
    return InboundPart(whole=key_of(*names, otherwise=repr(names).encode()), number=int(number[0]), of=int(of[0]))


def _secret_of(credentials: Credentials) -> str:
    try:
        return credentials.values["signature_secret"]
    except KeyError:
        raise CallbackRefused("no-secret") from None


def _callback(
    source: str, call: ProviderCall, reference: str, *, account_id: int, nonce: str | None, now_us: int
) -> Callback:
    fields = dict(call.fields)
    names = [fields.get(reference)]
    if call.kind is CallbackKind.RECEIPT:
        names.append(fields.get("status"))
    delivery_id, _ = _sent_as(fields.get("client_ref", fields.get("client-ref")))
    return Callback(
        source=source,
        kind=call.kind,
        account_id=account_id,
        key=key_of(*names, otherwise=call.body or call.url.encode()),
        nonce=nonce,
        received_us=now_us,
        fields=fields,
        delivery_id=delivery_id,
    )


def _receipt(verdict: Verdict, reference: object, number: object, client_reference: object) -> Receipt | None:
    if not isinstance(reference, str) or not reference:
        return None
    state, reason = verdict
    delivery_id, attempt = _sent_as(client_reference)
    digits = _NO_DIGIT.sub("", str(number))
    return Receipt(
        state=state or DeliveryState.SENT,
        reference=reference,
        digits=digits,
        reason=reason,
        delivery_id=delivery_id,
        attempt=attempt,
    )


def _inbound(to: object, number: object, text: object, reference: object) -> InboundText | None:
    """Vonage writes numbers without their plus; what is no number, such as a short code, is written as it is."""
    if not (isinstance(to, str) and to and isinstance(number, str) and number):
        return None
    return InboundText(
        addresses=[f"+{to}", to],
        number=f"+{number}" if _DIGITS.fullmatch(number) else number,
        text="" if text is None else str(text),
        reference=reference if isinstance(reference, str) else None,
    )


def _sent_as(client_reference: object) -> tuple[int | None, int | None]:
    """The delivery's id and the attempt, as far as they travelled along: `17`, or `17.2`."""
    found = _CLIENT_REFERENCE.fullmatch(str(client_reference))
    if found is None:
        return None, None
    delivery_id, attempt = found.groups()
    return int(delivery_id), None if attempt is None else int(attempt)


def _code(written: object) -> str | None:
    """`1240`, also where it stands at the end of an address: `https://…#1240`."""
    found = _CODE.fullmatch(str(written))
    return found[1] if found else None

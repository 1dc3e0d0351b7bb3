"""What Twilio says when it calls: the status of a text, and what somebody texted back."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

from adapters.providers.twilio.error_codes import number_of
from adapters.providers.twilio.message_status import is_reference, is_status, verdict_of
from adapters.providers.twilio.signatures import SigningKey
from domain.errors import CallbackRefused
from domain.model.callback import Callback, CallbackKind, key_of
from domain.model.delivery import DeliveryState
from domain.model.inbound_message import InboundText
from domain.model.receipt import Receipt
from domain.ports.callback_reader import CallbackReader, ProviderCall, account_called
from domain.ports.provider_accounts import ProviderAccounts

_ID = re.compile(r"\d{1,18}", re.ASCII)
_NO_DIGIT = re.compile(r"[^0-9]")


def status_callback(url: str, *, delivery_id: int, attempt: int) -> str:
    """What Twilio is to call for one text: what it is of, comes back with it, under Twilio's signature."""
    return f"{url}?{urlencode({'Delivery': delivery_id, 'Attempt': attempt})}"


class TwilioCallbacks(CallbackReader):
    def __init__(self, accounts: ProviderAccounts) -> None:
        self._accounts = accounts

    async def genuine(self, call: ProviderCall, *, now_us: int) -> Callback:
        signature = call.headers.get("x-twilio-signature")
        if not signature:
            raise CallbackRefused("no-signature")
        fields = {**dict(parse_qsl(urlsplit(call.url).query)), **dict(call.fields)}
        account_id, credentials = await account_called(self._accounts, "twilio", fields.get("AccountSid"))
        key = SigningKey.of(credentials)
        if key is None:
            raise CallbackRefused("no-secret")
        if not key.has_signed(call.url, call.fields, signature):
            raise CallbackRefused("wrong-signature")
        names = [fields.get("MessageSid")]
        if call.kind is CallbackKind.RECEIPT:
            names.append(fields.get("MessageStatus"))
        return Callback(
            source="twilio",
            kind=call.kind,
            account_id=account_id,
            key=key_of(*names, otherwise=call.body),
            received_us=now_us,
            fields=fields,
            delivery_id=_id(fields.get("Delivery")),
        )

    def receipt(self, callback: Callback) -> Receipt | None:
        fields = callback.fields
        sid, status = fields.get("MessageSid"), fields.get("MessageStatus")
        if not (isinstance(sid, str) and is_reference(sid) and isinstance(status, str) and is_status(status)):
            return None
        state, reason = verdict_of(status, number_of(fields.get("ErrorCode")))
        return Receipt(
            state=state or DeliveryState.SENT,
            reference=sid,
            digits=_NO_DIGIT.sub("", str(fields.get("To"))),
            reason=reason,
            delivery_id=_id(fields.get("Delivery")),
            attempt=_id(fields.get("Attempt")),
        )

    def inbound(self, callback: Callback) -> InboundText | None:
        fields = callback.fields
        to, number, service = fields.get("To"), fields.get("From"), fields.get("MessagingServiceSid")
        if not (isinstance(to, str) and to and isinstance(number, str) and number):
            return None
        return InboundText(
            # Where the number is in a service's pool, the service is the sender.
            addresses=[to, service] if isinstance(service, str) and service else [to],
            number=number,
            text=str(fields.get("Body", "")),
            reference=str(fields["MessageSid"]) if "MessageSid" in fields else None,
            answered=bool(fields.get("OptOutType")),
        )


def _id(value: object) -> int | None:
    return int(value) if isinstance(value, str) and _ID.fullmatch(value) else None

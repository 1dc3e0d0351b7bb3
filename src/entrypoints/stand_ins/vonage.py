"""Vonage's Messages API and SMS API as far as the hub uses them; its library speaks to nobody without TLS.

What it does wrong is told to it by `POST /_control`; what it was sent is told by `GET /_control/log`. Nothing of it is
a secret: anybody may control it.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from entrypoints.stand_ins import vonage_numbers
from entrypoints.stand_ins.calls import Call, Patience
from entrypoints.stand_ins.deeds import COMMON_DEEDS
from entrypoints.stand_ins.fates import Behaviour, Fate, Receipt
from entrypoints.stand_ins.http import Arrival, Conversation, Exchange
from entrypoints.stand_ins.stand_in import StandIn
from entrypoints.stand_ins.vonage_answers import (
    Answer,
    asking_to_wait,
    fault_of_message,
    fault_of_sms,
    in_parts,
    problem,
    refused_part,
    request_id,
)
from entrypoints.stand_ins.vonage_calls import (
    Inbound,
    Signing,
    SmsForm,
    Text,
    inbound_by_messages,
    inbound_by_sms,
    receipt_by_sms,
    status_by_messages,
)

API_KEY = "abcd1234"
API_SECRET = "the-secret-of-a-key"  # noqa: S105 - of nobody
SIGNATURE_SECRET = "the-secret-that-calls-are-signed-with"  # noqa: S105 - of nobody
APPLICATION_ID = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"

MESSAGES = "/v1/messages"
SMS = "/sms/json"
BALANCE = "/account/get-balance"
_BALANCE = {"value": 38.07, "autoReload": False}


@cache
def application_key() -> tuple[str, str]:
    """The private and the public one of the application."""
    key = generate_private_key(65_537, 2_048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


class VonageStandIn(StandIn):
    """`secrets` are those of API keys, `applications` the public keys of applications, by their ids.

    `signing` and `sms_form` say what its calls are like, and `by_sms` by which of its APIs it tells of inbound texts.
    """

    # https://developer.vonage.com/en/getting-started/concepts/webhooks: for 24 hours, which is less here.
    PATIENCE = Patience((1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0), with_any_failure=True)

    def __init__(
        self,
        *,
        secrets: Mapping[str, str] | None = None,
        applications: Mapping[str, str] | None = None,
        signing: Signing | None = None,
        sms_form: SmsForm = SmsForm.POST,
        by_sms: bool = False,
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(**options)
        self.secrets = {API_KEY: API_SECRET} if secrets is None else dict(secrets)
        self.applications = {APPLICATION_ID: application_key()[1]} if applications is None else dict(applications)
        self._signing = signing or Signing(api_key=API_KEY, secret=SIGNATURE_SECRET)
        self._sms_form = sms_form
        self._by_sms = by_sms
        # The text of each reference that was given out.
        self.texts: dict[str, Arrival] = {}

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def sids(self) -> list[str]:
        """The first reference of each text that was taken."""
        return [arrival.sid for arrival in self.arrivals if arrival.sid is not None]

    def answer(self, conversation: Conversation, request: Exchange, at_ns: int) -> None:
        if self.controlled(conversation, request):
            return
        if self._is_asked_about_an_account(request):
            asking = Arrival(at_ns, "", "", "", form={"channel": "sms"}, asks=True)
            if request.method == "POST":
                self.arrivals.append(asking)
            conversation.arrival = asking
            self.behave(conversation, asking, lambda: conversation.write(*self._told_of_the_account(request)))
            return
        if request.method != "POST" or request.target not in {MESSAGES, SMS}:
            conversation.write(*problem("not-found", HTTPStatus.NOT_FOUND))
            return
        arrival = _arrival(request, at_ns)
        self.arrivals.append(arrival)
        conversation.arrival = arrival
        self.behave(conversation, arrival, lambda: self._judge(conversation, arrival, request))

    def success(self, arrival: Arrival) -> tuple[int, object]:
        if arrival.asks:
            return HTTPStatus.OK, _BALANCE
        if _is_sms(arrival):
            return HTTPStatus.OK, in_parts(self.parts(arrival))
        return HTTPStatus.ACCEPTED, {"message_uuid": self._taken(arrival)}

    def parts(self, arrival: Arrival) -> list[Mapping[str, str]]:
        """As `success` has them by the SMS API."""
        return [self._part(arrival) for _ in range(_count_of_parts(arrival))]

    def refusal(
        self, arrival: Arrival, code: str, status: int = HTTPStatus.OK, retry_after: str | None = None
    ) -> Answer:
        """By the SMS API the status is 200, unless another is wanted."""
        if not _is_sms(arrival):
            return problem(code, status, retry_after=retry_after)
        return status, in_parts([refused_part(code)]), asking_to_wait(retry_after)

    def unauthorized(self, arrival: Arrival) -> Answer:
        if _is_sms(arrival):
            return self.refusal(arrival, "4")
        return self.refusal(arrival, "unauthorized", HTTPStatus.UNAUTHORIZED)

    def too_many(self, arrival: Arrival, retry_after: str | None) -> Answer:
        if _is_sms(arrival):
            return self.refusal(arrival, "1")
        return self.refusal(arrival, "rate-limit", HTTPStatus.TOO_MANY_REQUESTS, retry_after)

    def fate_of(self, arrival: Arrival) -> Fate:
        """By the sender first, as nothing can be sent from one that is not good."""
        sender, to = f"+{arrival.sender}", f"+{arrival.to}"
        if _is_sms(arrival):
            fate = vonage_numbers.SMS_SENDERS.get(sender) or vonage_numbers.SMS_RECIPIENTS.get(to)
            return fate or vonage_numbers.SMS_ORDINARY
        fate = vonage_numbers.SENDERS.get(sender) or vonage_numbers.RECIPIENTS.get(to)
        return fate or vonage_numbers.ORDINARY

    def receipt_call(self, reference: str, receipt: Receipt) -> Call | None:
        arrival, (status, code) = self.texts[reference], receipt
        url = arrival.form.get("callback" if _is_sms(arrival) else "webhook_url")
        if not url:
            return None
        if _is_sms(arrival):
            return receipt_by_sms(url, Text(reference, arrival.form), status, code, self._signing, self._sms_form)
        application = arrival.account if arrival.account in self.applications else None
        text = Text(reference, arrival.form, parts=_count_of_parts(arrival), application=application)
        return status_by_messages(url, text, status, code, self._signing)

    def inbound_calls(self, url: str, *, sender: str, to: str, text: str) -> Sequence[Call]:
        inbound = Inbound(sender=sender.removeprefix("+"), to=to.removeprefix("+"), text=text)
        if self._by_sms:
            return inbound_by_sms(url, inbound, self._signing, self._sms_form)
        return [inbound_by_messages(url, inbound, self._signing)]

    def _is_asked_about_an_account(self, request: Exchange) -> bool:
        """What an API key has left; or by a text that is none, whether an application is let in."""
        return (request.method, request.target) == ("GET", BALANCE) or (
            (request.method, request.target) == ("POST", MESSAGES) and "channel" not in json.loads(request.body)
        )

    def _told_of_the_account(self, request: Exchange) -> Answer:
        by_key_alone = request.target == BALANCE
        if self._account_of(request.headers.get("authorization", ""), by_key_alone=by_key_alone) is None:
            return problem("unauthorized", HTTPStatus.UNAUTHORIZED)
        if by_key_alone:
            return HTTPStatus.OK, _BALANCE, request_id()
        return problem("1010", HTTPStatus.UNPROCESSABLE_ENTITY)

    def _judge(self, conversation: Conversation, arrival: Arrival, request: Exchange) -> None:
        refusal = self._refusal_of(arrival, request)
        if refusal is not None:
            conversation.write(*refusal)
        else:
            self.meet(conversation, arrival, lambda: conversation.write(*self.success(arrival), request_id()))

    def _refusal_of(self, arrival: Arrival, request: Exchange) -> Answer | None:
        sms = _is_sms(arrival)
        account = self._account_of(request.headers.get("authorization", ""), by_key_alone=sms)
        if account is None:
            return self.unauthorized(arrival)
        arrival.account = account
        early_us = self.early_us(arrival)
        if early_us > 0:
            return self.too_many(arrival, str(-(-early_us // 1_000_000)))
        fault = fault_of_sms(arrival.form) if sms else fault_of_message(arrival.form)
        if fault is not None:
            return self.refusal(arrival, fault, HTTPStatus.OK if sms else HTTPStatus.UNPROCESSABLE_ENTITY)
        return None

    def _account_of(self, authorization: str, *, by_key_alone: bool) -> str | None:
        """The API key or the application that has proved to be it."""
        kind, _, proof = authorization.partition(" ")
        if kind == "Basic":
            try:
                name, _, secret = base64.b64decode(proof).decode().partition(":")
            except ValueError:
                return None
            return name if name and self.secrets.get(name) == secret else None
        if kind != "Bearer" or by_key_alone:
            return None
        try:
            claimed = jwt.decode(proof, options={"verify_signature": False})
            key = self.applications[claimed["application_id"]]
            jwt.decode(proof, key, algorithms=["RS256"], options={"require": ["exp", "iat", "jti"]})
        except (jwt.PyJWTError, KeyError):
            return None
        return str(claimed["application_id"])

    def _taken(self, arrival: Arrival) -> str:
        """Vonage has the text, or a part of it, from here on."""
        reference = str(uuid4())
        arrival.sid = arrival.sid or reference
        self.texts[reference] = arrival
        self.follow(reference, self.fate_of(arrival).receipts)
        return reference

    def _part(self, arrival: Arrival) -> Mapping[str, str]:
        return {
            "to": arrival.to,
            "message-id": self._taken(arrival),
            "status": "0",
            "remaining-balance": "38.07243628",
            "message-price": "0.04120000",
            "network": "310260",
            "client-ref": arrival.form.get("client-ref", ""),
        }


def _arrival(request: Exchange, at_ns: int) -> Arrival:
    if request.target == SMS:
        form: Mapping[str, Any] = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    else:
        form = json.loads(request.body)
    written = {name: str(form.get(name, "")) for name in ("from", "to", "text")}
    return Arrival(at_ns, written["from"], written["to"], written["text"], form=form)


def _is_sms(arrival: Arrival) -> bool:
    return "channel" not in arrival.form


def _count_of_parts(arrival: Arrival) -> int:
    alone, joined = (70, 67) if arrival.form.get("type") == "unicode" else (160, 153)
    return 1 if len(arrival.body) <= alone else -(-len(arrival.body) // joined)


def _refuse(vonage: VonageStandIn, conversation: Conversation, arrival: Arrival, how: Behaviour) -> None:
    usual = HTTPStatus.OK if _is_sms(arrival) else HTTPStatus.UNPROCESSABLE_ENTITY
    conversation.write(*vonage.refusal(arrival, str(how.code), how.status or usual, how.retry_after))


def _refuse_some(vonage: VonageStandIn, conversation: Conversation, arrival: Arrival, how: Behaviour) -> None:
    """All parts of a long text but the first: only the SMS API does so."""
    first, *others = vonage.parts(arrival)
    conversation.write(HTTPStatus.OK, in_parts([first, *(refused_part(str(how.code)) for _ in others)]))


def _unauthorized(vonage: VonageStandIn, conversation: Conversation, arrival: Arrival, _how: Behaviour) -> None:
    conversation.write(*vonage.unauthorized(arrival))


def _too_many(vonage: VonageStandIn, conversation: Conversation, arrival: Arrival, how: Behaviour) -> None:
    conversation.write(*vonage.too_many(arrival, how.retry_after))


def _error_500(vonage: VonageStandIn, conversation: Conversation, arrival: Arrival, _how: Behaviour) -> None:
    conversation.write(*vonage.refusal(arrival, "5", HTTPStatus.INTERNAL_SERVER_ERROR))


def _error_500_but_taken(vonage: VonageStandIn, conversation: Conversation, arrival: Arrival, how: Behaviour) -> None:
    vonage.success(arrival)
    _error_500(vonage, conversation, arrival, how)


def _no_reference(vonage: VonageStandIn, conversation: Conversation, arrival: Arrival, _how: Behaviour) -> None:
    status, answer = vonage.success(arrival)
    conversation.write(status, json.loads(re.sub(r'"message[-_](uu)?id"', '"nothing"', json.dumps(answer))))


def _redirect(_vonage: VonageStandIn, conversation: Conversation, arrival: Arrival, how: Behaviour) -> None:
    conversation.write_raw(how.status or 307, b"", {"Location": SMS if _is_sms(arrival) else MESSAGES})


VonageStandIn.DEEDS = {
    **COMMON_DEEDS,
    "error": _refuse,
    "partly": _refuse_some,
    "401": _unauthorized,
    "429": _too_many,
    "500": _error_500,
    "500-but-taken": _error_500_but_taken,
    "no-reference": _no_reference,
    "redirect": _redirect,
}

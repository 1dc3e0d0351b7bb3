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

from entrypoints.stand_ins.deeds import COMMON_DEEDS
from entrypoints.stand_ins.http import Arrival, Conversation, Exchange, Headers
from entrypoints.stand_ins.stand_in import Behaviour, StandIn

API_KEY = "abcd1234"
API_SECRET = "the-secret-of-a-key"  # noqa: S105 - of nobody
APPLICATION_ID = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"

MESSAGES = "/v1/messages"
SMS = "/sms/json"

_ERRORS = "https://developer.vonage.com/api-errors"
_NUMBER = re.compile(r"[1-9]\d{6,14}", re.ASCII)
_TEXTS = {
    "1": "Throughput Rate Exceeded",
    "2": "Missing to param",
    "3": "Invalid value for param",
    "4": "Bad Credentials",
    "7": "Number barred.",
}

_Answer = tuple[int, object, Headers]


@cache
def application_key() -> tuple[str, str]:
    """The private and the public one of the application."""
    key = generate_private_key(65_537, 2_048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


class VonageStandIn(StandIn):
    """`secrets` are those of API keys, `applications` the public keys of applications, by their ids."""

    def __init__(
        self,
        *,
        secrets: Mapping[str, str] | None = None,
        applications: Mapping[str, str] | None = None,
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(**options)
        self.secrets = dict(secrets or {API_KEY: API_SECRET})
        self.applications = dict(applications or {APPLICATION_ID: application_key()[1]})
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
        if request.method != "POST" or request.target not in {MESSAGES, SMS}:
            conversation.write(*_problem("not-found", HTTPStatus.NOT_FOUND))
            return
        arrival = _arrival(request, at_ns)
        self.arrivals.append(arrival)
        conversation.arrival = arrival
        self.behave(conversation, arrival, lambda: conversation.write(*self._verdict(arrival, request)))

    def success(self, arrival: Arrival) -> tuple[int, object]:
        if _is_sms(arrival):
            return HTTPStatus.OK, _in_parts(self.parts(arrival))
        return HTTPStatus.ACCEPTED, {"message_uuid": self._taken(arrival)}

    def parts(self, arrival: Arrival) -> list[Mapping[str, str]]:
        """As `success` has them by the SMS API."""
        return [self._part(arrival) for _ in range(_count_of_parts(arrival))]

    def refusal(
        self, arrival: Arrival, code: str, status: int = HTTPStatus.OK, retry_after: str | None = None
    ) -> _Answer:
        """By the SMS API the status is 200, unless another is wanted."""
        if not _is_sms(arrival):
            return _problem(code, status, retry_after=retry_after)
        return status, _in_parts([_refused(code)]), _asking_to_wait(retry_after)

    def unauthorized(self, arrival: Arrival) -> _Answer:
        if _is_sms(arrival):
            return self.refusal(arrival, "4")
        return self.refusal(arrival, "unauthorized", HTTPStatus.UNAUTHORIZED)

    def too_many(self, arrival: Arrival, retry_after: str | None) -> _Answer:
        if _is_sms(arrival):
            return self.refusal(arrival, "1")
        return self.refusal(arrival, "rate-limit", HTTPStatus.TOO_MANY_REQUESTS, retry_after)

    def _verdict(self, arrival: Arrival, request: Exchange) -> _Answer:
        sms = _is_sms(arrival)
        if not self._knows(request.headers.get("authorization", ""), by_key_alone=sms):
            return self.unauthorized(arrival)
        early_us = self.early_us(arrival)
        if early_us > 0:
            return self.too_many(arrival, str(-(-early_us // 1_000_000)))
        fault = _fault_of_sms(arrival.form) if sms else _fault_of_message(arrival.form)
        if fault is not None:
            return self.refusal(arrival, fault, HTTPStatus.OK if sms else HTTPStatus.UNPROCESSABLE_ENTITY)
        return *self.success(arrival), _request_id()

    def _knows(self, authorization: str, *, by_key_alone: bool) -> bool:
        kind, _, proof = authorization.partition(" ")
        if kind == "Basic":
            try:
                name, _, secret = base64.b64decode(proof).decode().partition(":")
            except ValueError:
                return False
            return bool(name) and self.secrets.get(name) == secret
        if kind != "Bearer" or by_key_alone:
            return False
        try:
            claimed = jwt.decode(proof, options={"verify_signature": False})
            key = self.applications[claimed["application_id"]]
            jwt.decode(proof, key, algorithms=["RS256"], options={"require": ["exp", "iat", "jti"]})
        except (jwt.PyJWTError, KeyError):
            return False
        return True

    def _taken(self, arrival: Arrival) -> str:
        """Vonage has the text, or a part of it, from here on."""
        reference = str(uuid4())
        arrival.sid = arrival.sid or reference
        self.texts[reference] = arrival
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


def _fault_of_message(form: Mapping[str, Any]) -> str | None:
    if not {"to", "from", "message_type", "channel", "text"} <= form.keys():
        return "1010"
    lives = 20 <= form.get("ttl", 20) <= 604_800
    numbered = _NUMBER.fullmatch(form["to"]) is not None
    return None if lives and numbered and 0 < len(form["text"]) <= 3_200 else "1020"


def _fault_of_sms(form: Mapping[str, Any]) -> str | None:
    if not {"to", "from", "text"} <= form.keys():
        return "2"
    lives = 20_000 <= int(form.get("ttl", 20_000)) <= 604_800_000
    return None if lives and _NUMBER.fullmatch(form["to"]) else "3"


def _in_parts(parts: Sequence[Mapping[str, str]]) -> Mapping[str, object]:
    return {"message-count": str(len(parts)), "messages": list(parts)}


def _refused(code: str) -> Mapping[str, str]:
    return {"status": code, "error-text": _TEXTS.get(code, "Refused")}


def _problem(code: str, status: int, *, retry_after: str | None = None) -> _Answer:
    body = {
        "type": f"{_ERRORS}/messages#{code}" if code.isdecimal() else f"{_ERRORS}#{code}",
        "title": "Refused",
        "detail": "The text was refused.",
        "instance": uuid4().hex,
    }
    # As it is documented, the one kind of problem that is no problem+json.
    kind = "application/json" if status == HTTPStatus.UNPROCESSABLE_ENTITY else "application/problem+json"
    return status, body, {"Content-Type": kind, **_request_id(), **_asking_to_wait(retry_after)}


def _asking_to_wait(retry_after: str | None) -> Headers:
    return {} if retry_after is None else {"Retry-After": retry_after}


def _request_id() -> Headers:
    return {"X-Request-Id": str(uuid4())}


def _refuse(vonage: VonageStandIn, conversation: Conversation, arrival: Arrival, how: Behaviour) -> None:
    usual = HTTPStatus.OK if _is_sms(arrival) else HTTPStatus.UNPROCESSABLE_ENTITY
    conversation.write(*vonage.refusal(arrival, str(how.code), how.status or usual, how.retry_after))


def _refuse_some(vonage: VonageStandIn, conversation: Conversation, arrival: Arrival, how: Behaviour) -> None:
    """All parts of a long text but the first: only the SMS API does so."""
    first, *others = vonage.parts(arrival)
    conversation.write(HTTPStatus.OK, _in_parts([first, *(_refused(str(how.code)) for _ in others)]))


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

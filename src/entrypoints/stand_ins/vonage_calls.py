"""What Vonage tells whoever it is told to call, by each of its two APIs, and how it signs that.

https://developer.vonage.com/en/getting-started/concepts/webhooks
https://developer.vonage.com/en/getting-started/concepts/signing-messages
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from secrets import randbelow
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import jwt

from entrypoints.stand_ins.calls import Call

_ERRORS = "https://developer.vonage.com/api-errors/messages"
_PRICE = "0.04120000"
_NETWORK = "310260"


class SmsForm(Enum):
    """How calls by the SMS API are made, which is a setting of the account at Vonage."""

    POST = "post"
    JSON = "json"
    GET = "get"


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Signing:
    """What calls are signed with. `method` is for the SMS API alone: md5hash, md5, sha1, sha256 or sha512."""

    api_key: str
    secret: str
    method: str = "md5hash"


METHODS = ("md5hash", "md5", "sha1", "sha256", "sha512")


@dataclass(frozen=True, slots=True, repr=False)
class Text:
    """One that was sent, with its `form` as it was sent. `application` is the id of the one that it was sent by, None
    where it was an API key alone.
    """

    reference: str
    form: Mapping[str, Any]
    parts: int = 1
    application: str | None = None


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Inbound:
    """What somebody texts back; the numbers are without their plus."""

    sender: str
    to: str
    text: str

    @property
    def keyword(self) -> str:
        return self.text.split(maxsplit=1)[0].upper() if self.text.strip() else ""

    @property
    def parts(self) -> list[str]:
        """As a phone cuts a text that it sends."""
        alone, joined = (160, 153) if self.text.isascii() else (70, 67)
        if len(self.text) <= alone:
            return [self.text]
        return [self.text[start : start + joined] for start in range(0, len(self.text), joined)]


# The Messages API.


def status_by_messages(url: str, text: Text, status: str, code: str | None, signing: Signing) -> Call:
    told: dict[str, Any] = {
        "message_uuid": text.reference,
        "to": text.form["to"],
        "from": text.form["from"],
        "timestamp": _now(),
        "status": status,
        "channel": "sms",
        "sms": {"count_total": str(text.parts)},
    }
    if "client_ref" in text.form:
        told["client_ref"] = text.form["client_ref"]
    if status == "submitted":
        told["usage"] = {"currency": "EUR", "price": _PRICE}
    else:
        told["destination"] = {"network_code": _NETWORK}
    if code is not None:
        error = {"type": f"{_ERRORS}#{code}", "title": code, "detail": "Not delivered.", "instance": text.reference}
        told["error"] = error
    return _by_messages(f"{text.reference} {status}", url, told, signing, application=text.application)


def inbound_by_messages(url: str, inbound: Inbound, signing: Signing) -> Call:
    reference, count = str(uuid4()), str(len(inbound.parts))
    told = {
        "channel": "sms",
        "message_type": "text",
        "message_uuid": reference,
        "to": inbound.to,
        "from": inbound.sender,
        "timestamp": _now(),
        "text": inbound.text,
        "sms": {"num_messages": count, "count_total": count, "keyword": inbound.keyword},
        "usage": {"currency": "EUR", "price": "0.0000"},
        "origin": {"network_code": _NETWORK},
    }
    return _by_messages(f"{reference} received", url, told, signing, application=None)


def _by_messages(what: str, url: str, told: Mapping[str, Any], signing: Signing, *, application: str | None) -> Call:
    body = json.dumps(told).encode()
    claims = {
        "iat": int(time.time()),
        "jti": str(uuid4()),
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(body).hexdigest(),
        "api_key": signing.api_key,
        **({} if application is None else {"application_id": application}),
    }
    token = jwt.encode(claims, signing.secret, "HS256")
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    return Call(what=what, url=url, headers=headers, body=body)


# The SMS API.


def receipt_by_sms(url: str, text: Text, status: str, code: str, signing: Signing, form: SmsForm) -> Call:
    now = datetime.now(UTC)
    told = {
        "msisdn": text.form["to"],
        "to": text.form["from"],
        "network-code": _NETWORK,
        "messageId": text.reference,
        "price": _PRICE,
        "status": status,
        "scts": f"{now:%y%m%d%H%M}",
        "err-code": code,
        "api-key": signing.api_key,
        "message-timestamp": f"{now:%Y-%m-%d %H:%M:%S}",
    }
    if "client-ref" in text.form:
        told["client-ref"] = text.form["client-ref"]
    return _by_sms(f"{text.reference} {status}", url, told, signing, form)


def inbound_by_sms(url: str, inbound: Inbound, signing: Signing, form: SmsForm) -> list[Call]:
    """One for each part, which nobody puts together before."""
    parts = inbound.parts
    together = {"concat": "true", "concat-ref": str(randbelow(256)), "concat-total": str(len(parts))}
    calls = []
    for number, part in enumerate(parts, 1):
        reference = uuid4().hex[:16].upper()
        told = {
            "msisdn": inbound.sender,
            "to": inbound.to,
            "messageId": reference,
            "text": part,
            "type": "text" if inbound.text.isascii() else "unicode",
            "keyword": inbound.keyword,
            "api-key": signing.api_key,
            "message-timestamp": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
            **({**together, "concat-part": str(number)} if len(parts) > 1 else {}),
        }
        calls.append(_by_sms(f"{reference} received", url, told, signing, form))
    return calls


def _by_sms(what: str, url: str, told: Mapping[str, str], signing: Signing, form: SmsForm) -> Call:
    given = {**told, "timestamp": str(int(time.time())), "nonce": str(uuid4())}
    given["sig"] = signature(given, signing.secret, signing.method)
    if form is SmsForm.GET:
        return Call(what=what, url=f"{url}{'&' if '?' in url else '?'}{urlencode(given)}", method="GET")
    as_json = form is SmsForm.JSON
    kind = "application/json" if as_json else "application/x-www-form-urlencoded"
    body = json.dumps(given) if as_json else urlencode(given)
    return Call(what=what, url=url, headers={"Content-Type": kind}, body=body.encode())


def signature(parameters: Mapping[str, str], secret: str, method: str) -> str:
    text = "".join(f"&{name}={_without_joints(parameters[name])}" for name in sorted(parameters))
    if method == "md5hash":
        return hashlib.md5(f"{text}{secret}".encode(), usedforsecurity=False).hexdigest()
    return hmac.new(secret.encode(), text.encode(), method).hexdigest()


def _without_joints(value: str) -> str:
    return value.replace("&", "_").replace("=", "_")


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"

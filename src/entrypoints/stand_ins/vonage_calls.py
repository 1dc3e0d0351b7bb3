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


# The Messages API.


def status_of(
    reference: str, form: Mapping[str, Any], status: str, code: str | None, *, parts: int
) -> Mapping[str, Any]:
    """`form` is the text as it was sent."""
    told: dict[str, Any] = {
        "message_uuid": reference,
        "to": form["to"],
        "from": form["from"],
        "timestamp": _now(),
        "status": status,
        "channel": "sms",
        "sms": {"count_total": str(parts)},
    }
    if "client_ref" in form:
        told["client_ref"] = form["client_ref"]
    if status == "submitted":
        told["usage"] = {"currency": "EUR", "price": _PRICE}
    else:
        told["destination"] = {"network_code": _NETWORK}
    if code is not None:
        told["error"] = {"type": f"{_ERRORS}#{code}", "title": code, "detail": "Not delivered.", "instance": reference}
    return told


def inbound_of(reference: str, *, sender: str, to: str, text: str, parts: int) -> Mapping[str, Any]:
    return {
        "channel": "sms",
        "message_type": "text",
        "message_uuid": reference,
        "to": to,
        "from": sender,
        "timestamp": _now(),
        "text": text,
        "sms": {"num_messages": str(parts), "count_total": str(parts), "keyword": _keyword(text)},
        "usage": {"currency": "EUR", "price": "0.0000"},
        "origin": {"network_code": _NETWORK},
    }


def call_by_messages(
    what: str, url: str, told: Mapping[str, Any], signing: Signing, *, application: str | None
) -> Call:
    """`application` is the id of the one that the text was sent by, None where it was an API key alone."""
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


def receipt_of(reference: str, form: Mapping[str, Any], status: str, code: str, api_key: str) -> Mapping[str, str]:
    """`form` is the text as it was sent."""
    now = datetime.now(UTC)
    told = {
        "msisdn": form["to"],
        "to": form["from"],
        "network-code": _NETWORK,
        "messageId": reference,
        "price": _PRICE,
        "status": status,
        "scts": f"{now:%y%m%d%H%M}",
        "err-code": code,
        "api-key": api_key,
        "message-timestamp": f"{now:%Y-%m-%d %H:%M:%S}",
    }
    if "client-ref" in form:
        told["client-ref"] = form["client-ref"]
    return told


def inbound_part_of(
    reference: str, *, sender: str, to: str, text: str, api_key: str, part: tuple[int, int, str] | None
) -> Mapping[str, str]:
    """`part` is which of how many, and the number that all parts of one text share; None for a text in one piece."""
    told = {
        "msisdn": sender,
        "to": to,
        "messageId": reference,
        "text": text,
        "type": "text" if text.isascii() else "unicode",
        "keyword": _keyword(text),
        "api-key": api_key,
        "message-timestamp": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
    }
    if part is not None:
        number, total, together = part
        told |= {"concat": "true", "concat-ref": together, "concat-total": str(total), "concat-part": str(number)}
    return told


def call_by_sms(what: str, url: str, told: Mapping[str, str], signing: Signing, form: SmsForm) -> Call:
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


def _keyword(text: str) -> str:
    return text.split(maxsplit=1)[0].upper() if text.strip() else ""


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"

"""Whether a call is Vonage's: the Messages API brings a token along, the SMS API a signature of its parameters.

https://developer.vonage.com/en/messages/concepts/signed-webhooks
https://developer.vonage.com/en/getting-started/concepts/signing-messages
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from domain.errors import CallbackRefused
from domain.model.pace import SECOND_US

_LONGEST_AGE_US = 300 * SECOND_US
# Vonage's clock and the hub's may differ.
_CLOCK_SKEW_US = 60 * SECOND_US

MD5_HASH = "md5hash"
_HMACS = ("md5", "sha1", "sha256", "sha512")


@dataclass(frozen=True, slots=True)
class Token:
    """What stands in the header Authorization: a JWT, whose claims are anybody's until its signature is checked."""

    claims: Mapping[str, object] = field(repr=False)
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @classmethod
    def read(cls, header: str) -> Self:
        """Raises `CallbackRefused` for all but a bearer's token that is to be checked with HMAC-SHA256."""
        kind, _, token = header.strip().partition(" ")
        try:
            head, payload, signature = token.strip().encode("ascii").split(b".")
            described, claims = json.loads(_decoded(head)), json.loads(_decoded(payload))
            if kind.lower() == "bearer" and described["alg"] == "HS256" and isinstance(claims, dict):
                return cls(claims, head + b"." + payload, _decoded(signature))
        except (ValueError, TypeError, KeyError, RecursionError):
            pass
        raise CallbackRefused("unreadable-signature")

    def check(self, secret: str, body: bytes, *, now_us: int) -> str:
        """The token's own mark, which is good for one call. Raises `CallbackRefused`."""
        expected = hmac.digest(secret.encode(), self.signed, "sha256")
        payload_hash = hashlib.sha256(body).hexdigest()
        if not (
            hmac.compare_digest(expected, self.signature) and _equal(self.claims.get("payload_hash"), payload_hash)
        ):
            raise CallbackRefused("wrong-signature")
        check_age(self.claims.get("iat"), now_us=now_us)
        mark = self.claims.get("jti")
        if not isinstance(mark, str) or not 0 < len(mark) <= 200 or "\0" in mark:
            raise CallbackRefused("wrong-signature")
        return mark


def check_parameters(fields: Mapping[str, object], secret: str, method: str) -> None:
    """Whether `sig` is the signature of all others. Raises `CallbackRefused`."""
    expected = signature_of(fields, secret, method)
    given = fields.get("sig")
    if expected is None or not _equal(given.lower() if isinstance(given, str) else given, expected):
        raise CallbackRefused("wrong-signature")


def signature_of(fields: Mapping[str, object], secret: str, method: str) -> str | None:
    """In hexadecimal digits; None for a method that Vonage does not have. `sig` itself is left out."""
    signed = "".join(f"&{_cleaned(name)}={_cleaned(fields[name])}" for name in sorted(fields) if name != "sig")
    key, text = secret.encode(), signed.encode(errors="replace")
    if method == MD5_HASH:
        return hashlib.md5(text + key).hexdigest()  # noqa: S324 - Vonage's default
    return hmac.new(key, text, method).hexdigest() if method in _HMACS else None


def check_age(stamp: object, *, now_us: int) -> None:
    """`stamp` counts seconds since 1970. Raises `CallbackRefused`."""
    try:
        age_us = now_us - int(float(str(stamp)) * SECOND_US)
    except (ValueError, OverflowError):
        raise CallbackRefused("no-timestamp") from None
    if not -_CLOCK_SKEW_US <= age_us <= _LONGEST_AGE_US:
        raise CallbackRefused("stale")


def _cleaned(value: object) -> str:
    return str(value).replace("&", "_").replace("=", "_")


def _equal(given: object, expected: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def _decoded(part: bytes) -> bytes:
    """Raises ValueError."""
    try:
        return base64.b64decode(part + b"=" * (-len(part) % 4), b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError from error

"""Whether a call is Vonage's: the Messages API brings a token along, the SMS API a signature of its parameters.

https://developer.vonage.com/en/messages/concepts/signed-webhooks
https://developer.vonage.com/en/getting-started/concepts/signing-messages
"""

import hashlib
import hmac
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import jwt
from jwt.types import Options
from jwt.warnings import InsecureKeyLengthWarning

from domain.errors import CallbackRefused
from domain.model.pace import SECOND_US

# For a day Vonage calls again where nobody answered, and nobody says that it signs anew.
_LONGEST_AGE_US = 25 * 3_600 * SECOND_US
# Vonage's clock and the hub's may differ.
_CLOCK_SKEW_US = 60 * SECOND_US

MD5_HASH = "md5hash"
_HMACS = ("md5", "sha1", "sha256", "sha512")
METHODS = (MD5_HASH, *_HMACS)

# How long its secrets are is Vonage's choice.
warnings.filterwarnings("ignore", category=InsecureKeyLengthWarning)

# How old it is, is seen to here: by the hub's own clock.
_CHECKED: Options = {"verify_iat": False, "verify_exp": False, "verify_nbf": False, "verify_aud": False}
_UNCHECKED: Options = {"verify_signature": False}


@dataclass(frozen=True, slots=True)
class Token:
    """What stands in the header Authorization: a JWT, whose claims are anybody's until its signature is checked."""

    encoded: str = field(repr=False)
    claims: Mapping[str, object] = field(repr=False)

    @classmethod
    def read(cls, header: str) -> Self:
        """Raises `CallbackRefused` for all but a bearer's token."""
        kind, _, encoded = header.strip().partition(" ")
        encoded = encoded.strip()
        if kind.lower() != "bearer":
            raise CallbackRefused("unreadable-signature")
        return cls(encoded, _decoded(encoded, "", _UNCHECKED, refused_as="unreadable-signature"))

    def check(self, secret: str, body: bytes, *, now_us: int) -> str:
        """The token's own mark, which is good for one call. Raises `CallbackRefused`."""
        _decoded(self.encoded, secret, _CHECKED, refused_as="wrong-signature")
        if not _equal(self.claims.get("payload_hash"), hashlib.sha256(body).hexdigest()):
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


def _decoded(encoded: str, secret: str, options: Options, *, refused_as: str) -> Mapping[str, object]:
    try:
        return jwt.decode(encoded, secret, algorithms=["HS256"], options=options)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise CallbackRefused(refused_as) from None

"""What webhooks are signed with (Standard Webhooks, "Signature scheme"): HMAC-SHA256 over id, time and payload."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from domain.errors import InvalidValue

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
_NEW = 32


@dataclass(frozen=True, slots=True, repr=False)
class WebhookSecret:
    """24 to 64 bytes, as Standard Webhooks has it. Raises `InvalidValue` for fewer or more."""

    key: bytes

    def __post_init__(self) -> None:
        if not _SHORTEST <= len(self.key) <= _LONGEST:
            raise InvalidValue(f"A webhook's secret has {_SHORTEST} to {_LONGEST} bytes.")

    def __repr__(self) -> str:
        return "WebhookSecret(…)"

    @classmethod
    def new(cls) -> Self:
        return cls(secrets.token_bytes(_NEW))

    @classmethod
    def parse(cls, text: str) -> Self:
        """From base64, with `whsec_` before it or without. Raises `InvalidValue`."""
        try:
            return cls(base64.b64decode(text.removeprefix(_PREFIX), validate=True))
        except (ValueError, binascii.Error):
            raise InvalidValue("A webhook's secret is written in base64.") from None

    def written(self) -> str:
        """As `parse` takes it, and as receivers' libraries do."""
        return _PREFIX + base64.b64encode(self.key).decode()

    def signature(self, webhook_id: str, timestamp_s: int, payload: bytes) -> str:
        """As it stands in the header `webhook-signature`; `timestamp_s` is in seconds since the Unix epoch."""
        signed = f"{webhook_id}.{timestamp_s}.".encode() + payload
        return "v1," + base64.b64encode(hmac.digest(self.key, signed, hashlib.sha256)).decode()


def signatures(keys: Sequence[WebhookSecret], webhook_id: str, timestamp_s: int, payload: bytes) -> str:
    """One of each secret that holds, so that receivers may change from one to the other when it suits them."""
    return " ".join(each.signature(webhook_id, timestamp_s, payload) for each in keys)

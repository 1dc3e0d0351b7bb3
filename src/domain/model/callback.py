"""What providers tell the hub by calling it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from domain.model.inbound_part import InboundPart

_MOST_CHARACTERS = 200
_PLAIN = re.compile(r"[!-~]+")


class CallbackKind(Enum):
    """What became of a text, or what somebody texted back."""

    RECEIPT = "receipt"
    INBOUND = "inbound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """As it came, and surely from the provider. `source` names whose reader understands it.

    `key` is the same however often the provider tells the same; `nonce` the signature's own mark, which is good for
    one call. `fields` are named as the provider names them. `part` is what a text that comes in parts has. `id` is 0
    until it is stored.
    """

    source: str
    kind: CallbackKind
    account_id: int
    key: str
    received_us: int
    fields: Mapping[str, object] = field(repr=False)
    nonce: str | None = None
    delivery_id: int | None = None
    part: InboundPart | None = None
    id: int = 0


def key_of(*parts: object, otherwise: bytes) -> str:
    """Of parts that are texts, such as an id and a status; where they are none, of the whole call."""
    if all(isinstance(part, str) and part for part in parts):
        key = ":".join(map(str, parts))
        if len(key) <= _MOST_CHARACTERS and _PLAIN.fullmatch(key):
            return key
        otherwise = key.encode(errors="backslashreplace")
    return hashlib.sha256(otherwise).hexdigest()

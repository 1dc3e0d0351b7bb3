"""What the hub has of whoever has a phone number, and what is left of it once it is erased.

Times are whole microseconds since the Unix epoch on the hub's clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

# Stands in place of what was written to or by them.
ERASED_TEXT = "(erased)"


class RecordKind(Enum):
    """In the order in which they are listed. What is told of them stays as it is where a kind is added."""

    TEXT = "text"
    FIRST_CONTACT = "first-contact"  # Derived from the texts.
    INBOUND = "inbound-message"
    OPT_OUT = "opt-out"
    CONSENT = "consent-event"
    RECENT_TEXT = "recent-text"  # Kept so that the same text is not sent twice.
    KEY = "key"  # That may text the number.
    ERASURE = "erasure"  # Asked for, and not finished.
    WEBHOOK_EVENT = "webhook-event"
    CALLBACK = "callback"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRecord:
    """`id` is unique within its kind; `details` are JSON. `program_id` None: no program's."""

    kind: RecordKind
    id: str
    at_us: int
    program_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What was erased so far of one number, by what it is; `remaining` is what is to be, once its time has come."""

    erased: Mapping[str, int]
    remaining: int


def erased_event(data: Mapping[str, Any], number: str) -> Mapping[str, Any]:
    """A webhook's data without whom it is about: `number` stands in place of theirs."""
    without = {"PhoneNumber": number, "Message": ERASED_TEXT, "Wording": None, "Reference": None}
    return {**data, **{name: value for name, value in without.items() if name in data}}

"""A program's own addresses that the hub calls, and what it tells them.

Times are whole microseconds since the Unix epoch on the hub's clock.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from uuid import UUID

from domain.model.consent import ConsentEvent
from domain.model.delivery import IN_VAIN, Delivery, DeliveryState
from domain.model.inbound_message import InboundMessage
from domain.model.instant import instant
from domain.model.sender import SenderAddress
from domain.model.webhook_secret import WebhookSecret

MOST_WEBHOOKS = 10


class EventType(Enum):
    """What a program may be told of. Receivers rely on the words."""

    SENT = "message.sent"
    DELIVERED = "message.delivered"
    FAILED = "message.failed"
    UNKNOWN = "message.unknown"
    RECEIVED = "message.received"
    OPT_OUT_CHANGED = "opt_out.changed"
    # Asked for by the program, whatever else the endpoint wants.
    TEST = "webhook.test"


# What an endpoint may want.
WANTED = tuple(each for each in EventType if each is not EventType.TEST)

_OF_STATE = {
    DeliveryState.SENT: EventType.SENT,
    DeliveryState.DELIVERED: EventType.DELIVERED,
    DeliveryState.UNKNOWN: EventType.UNKNOWN,
    **dict.fromkeys(IN_VAIN, EventType.FAILED),
}
TOLD_STATES = frozenset(_OF_STATE)


class Disabled(Enum):
    """Why an endpoint is called no more."""

    PROGRAM = "by-program"
    OPERATOR = "by-operator"
    GONE = "gone"  # It answered 410.
    FAILING = "failing"  # It accepted nothing for days.


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """`events` are those that it wants. `disabled` None: it is called. `failing_since_us` is when it first failed
    since it last accepted something.
    """

    id: UUID
    program_id: str
    url: str
    description: str | None
    events: Sequence[EventType]
    created_us: int
    disabled: Disabled | None = None
    failing_since_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`subject` is what it is about: of one subject, an endpoint is told in order. Of one subject, what has the same
    `key` is the same event. `data` is JSON, with properties as the rest of the interface names them.
    """

    type: EventType
    at_us: int
    subject: str
    key: str
    data: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One event for one endpoint. `failures` counts calls that were not accepted; `event_id` is the same however often
    it is made, `sequence` grows from event to event. `secrets` are those that hold, the newest first.
    """

    id: int
    webhook_id: UUID
    program_id: str
    url: str
    event_id: UUID
    sequence: int
    subject: str
    type: EventType
    at_us: int
    data: Mapping[str, Any] = field(repr=False)
    failures: int
    secrets: Sequence[WebhookSecret] = field(repr=False)

    def payload(self) -> bytes:
        """The same at each call."""
        body = {
            "type": self.type.value,
            "timestamp": instant(self.at_us),
            "data": {**self.data, "Sequence": self.sequence},
        }
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def of_delivery(delivery: Delivery, message_id: UUID, sender: SenderAddress) -> Event | None:
    """None for what is only on its way."""
    kind = _OF_STATE.get(delivery.state)
    if kind is None:
        return None
    return Event(
        type=kind,
        at_us=delivery.updated_us,
        subject=f"delivery {delivery.id}",
        key=f"{delivery.state.value} {delivery.attempt}",
        data={
            "MessageId": str(message_id),
            "Position": delivery.position,
            "PhoneNumber": delivery.number.e164,
            "Sender": sender.value,
            "Status": delivery.state.value,
            "Reason": delivery.reason,
            "Attempts": delivery.attempt,
            "Resends": delivery.resends,
            "Segments": delivery.segments,
            "ProviderReference": delivery.provider_reference,
            "UpdatedAt": instant(delivery.updated_us),
        },
    )


def of_inbound(message: InboundMessage) -> Event:
    """A program is told in order of what one number texts it."""
    return Event(
        type=EventType.RECEIVED,
        at_us=message.received_us,
        subject=f"number {message.number}",
        key=f"inbound {message.id}",
        data={
            "Id": message.id,
            "PhoneNumber": message.number,
            "Sender": message.sender,
            "Message": message.text,
            "DateReceived": instant(message.received_us),
            "Keyword": None if message.keyword is None else message.keyword.value,
            "InReplyTo": message.answers,
        },
    )


def of_consent(event: ConsentEvent, event_id: int) -> Event:
    """In order with what the number texts; `event_id` is that of the stored event."""
    return Event(
        type=EventType.OPT_OUT_CHANGED,
        at_us=event.at_us,
        subject=f"number {event.number.e164}",
        key=f"consent {event_id}",
        data=told_of_consent(event),
    )


def told_of_consent(event: ConsentEvent) -> dict[str, Any]:
    """As programs read it, whoever tells them."""
    return {
        "PhoneNumber": event.number.e164,
        "Consent": event.consent.value,
        "Scope": event.scope.value,
        "Method": event.method.value,
        "At": instant(event.at_us),
        "Wording": event.wording,
        "Actor": event.actor,
        "Reference": event.reference,
    }

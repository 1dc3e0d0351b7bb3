"""How the console says what became of a text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.model.delivery import Delivery, DeliveryState
from domain.model.reasons import sentence_of
from domain.model.text_message import TextMessage
from domain.model.webhook import Disabled

STATES: Mapping[DeliveryState, str] = {
    DeliveryState.SCHEDULED: "Scheduled",
    DeliveryState.QUEUED: "Waiting",
    DeliveryState.SENDING: "Being sent",
    DeliveryState.UNKNOWN: "Unknown",
    DeliveryState.SENT: "Sent",
    DeliveryState.FAILED: "Failed",
    DeliveryState.UNDELIVERED: "Not delivered",
    DeliveryState.EXPIRED: "Expired",
    DeliveryState.BLOCKED: "Not texted",
    DeliveryState.CANCELED: "Canceled",
    DeliveryState.DELIVERED: "Delivered",
}

_SENTENCES: Mapping[DeliveryState, str] = {
    DeliveryState.SCHEDULED: "It waits for its time.",
    DeliveryState.QUEUED: "It waits for its turn, at the pace of the sender.",
    DeliveryState.SENDING: "It is being handed to the provider.",
    DeliveryState.UNKNOWN: "Nobody knows yet whether it was sent; the hub asks the provider.",
    DeliveryState.SENT: "The provider took it. Whether it arrived has not been told so far.",
    DeliveryState.FAILED: "It could not be sent.",
    DeliveryState.UNDELIVERED: "The provider took it, and it did not arrive.",
    DeliveryState.EXPIRED: "It ran out of time.",
    DeliveryState.BLOCKED: "It was not sent.",
    DeliveryState.CANCELED: "It was canceled before it was sent.",
    DeliveryState.DELIVERED: "It arrived.",
}

# Why a webhook gave no answer, and why one is called no more.
NO_ANSWER: Mapping[str, str] = {
    "timeout": "No answer in time",
    "name-unknown": "No such host",
    "connection": "No connection",
    "tls": "No secure connection",
    "address-refused": "An address that the hub does not call",
}
DISABLED: Mapping[Disabled, str] = {
    Disabled.PROGRAM: "Switched off by the program",
    Disabled.OPERATOR: "Switched off by an operator",
    Disabled.GONE: "It says that it is gone",
    Disabled.FAILING: "It accepted nothing for days",
}


@dataclass(frozen=True, slots=True)
class Step:
    """`at_us` is when; None where that is not kept."""

    at_us: int | None
    sentence: str


def history(message: TextMessage, delivery: Delivery) -> Sequence[Step]:
    """What became of one of a message's texts, in order."""
    steps = [Step(message.created_us, "The hub took it.")]
    if message.send_at_us is not None:
        steps.append(Step(message.send_at_us, "This is when it was to be sent."))
    if delivery.attempt == 1:
        steps.append(Step(None, "The hub called the provider with it once."))
    elif delivery.attempt > 1:
        steps.append(Step(None, f"The hub called the provider with it {delivery.attempt} times."))
    if delivery.resends:
        again = "once" if delivery.resends == 1 else f"{delivery.resends} times"
        steps.append(Step(None, f"It was sent again {again} although it may have been sent before."))
    now = " ".join(filter(None, (_SENTENCES[delivery.state], explained(delivery))))
    return [*steps, Step(delivery.updated_us, now)]


def explained(delivery: Delivery) -> str | None:
    """Why it is as it is, where there is a reason."""
    return sentence_of(delivery.reason) if delivery.reason else None

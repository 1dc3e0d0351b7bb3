"""How the domain's values look on the wire."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from domain.model.delivery import Delivery, DeliveryState
from domain.model.text_message import TextSummary

_OUTCOME = {
    DeliveryState.SCHEDULED: "scheduled",
    DeliveryState.QUEUED: "waiting to be sent",
    DeliveryState.SENDING: "being sent",
    DeliveryState.UNKNOWN: "with unknown outcome",
    DeliveryState.SENT: "sent",
    DeliveryState.FAILED: "failed",
    DeliveryState.UNDELIVERED: "not delivered",
    DeliveryState.EXPIRED: "expired",
    DeliveryState.BLOCKED: "not texted, having opted out",
    DeliveryState.CANCELED: "canceled",
    DeliveryState.DELIVERED: "delivered",
}


def accepted_text(summary: TextSummary) -> Mapping[str, Any]:
    """As it is told when it is accepted: clients of the first hub take SendSuccessful for "the hub has it"."""
    waiting = summary.counts.get(DeliveryState.QUEUED, 0)
    blocked = summary.counts.get(DeliveryState.BLOCKED, 0)
    result = f"Accepted for {_numbers(waiting)}."
    if blocked:
        result += f" {_numbers(blocked)} opted out and will not be texted."
    return text(summary) | {"SendSuccessful": True, "SentResult": result}


def text(summary: TextSummary) -> dict[str, Any]:
    message = summary.message
    return {
        "Id": str(message.id),
        "ProgramId": message.program_id,
        "Message": message.body.text,
        "PhoneNumber": ",".join(number.e164 for number in summary.numbers),
        "DateSent": instant(message.created_us),
        "ClientDateSent": message.client_date_sent,
        "Status": summary.state.value,
        "SendSuccessful": not summary.failed,
        "SentResult": _result(summary),
        "Encoding": message.body.encoding.value,
        "Segments": message.body.segments,
        "Recipients": message.recipients,
        "Counts": {state.value: summary.counts[state] for state in DeliveryState if summary.counts.get(state)},
    }


def delivery(each: Delivery) -> Mapping[str, Any]:
    return {
        "Position": each.position,
        "PhoneNumber": each.number.e164,
        "Status": each.state.value,
        "Reason": each.reason,
        "Segments": each.segments,
        "ProviderReference": each.provider_reference,
        "UpdatedAt": instant(each.updated_us),
    }


def instant(at_us: int) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at_us / 1_000_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _result(summary: TextSummary) -> str:
    """One sentence: the best news first."""
    states = [state for state in reversed(DeliveryState) if summary.counts.get(state)]
    if summary.message.recipients == 1:
        return f"{_OUTCOME[states[0]].capitalize()}."
    return ", ".join(f"{summary.counts[state]} {_OUTCOME[state]}" for state in states) + "."


def _numbers(count: int) -> str:
    return "1 number" if count == 1 else f"{count} numbers"

"""What Twilio's message statuses, and the codes that go with them, mean for a delivery."""

import re
from collections.abc import Mapping

from domain.model.delivery import DeliveryState

_MESSAGE_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")

_STATES: Mapping[str, DeliveryState | None] = {
    "accepted": None,
    "scheduled": None,
    "queued": None,
    "sending": None,
    # May be the last word, where the carrier gives no receipt.
    "sent": None,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.DELIVERED,
    "partially_delivered": DeliveryState.DELIVERED,
    "undelivered": DeliveryState.UNDELIVERED,
    "failed": DeliveryState.FAILED,
    "canceled": DeliveryState.FAILED,
}

_REASONS: Mapping[int, str] = {
    21610: "opted-out-at-provider",
    30001: "provider-queue-full",
    30002: "account-suspended",
    30003: "unreachable",
    30004: "blocked-by-carrier",
    30005: "unknown-handset",
    30006: "not-textable",
    30007: "filtered",
    30008: "carrier-error",
    30022: "too-fast-for-carrier",
    30032: "sender-not-registered",
    30034: "sender-not-registered",
    30110: "filtered",
    30450: "taken-for-fraud",
    30453: "taken-for-fraud",
    63038: "daily-limit-reached",
}
_EXPIRED = 30036
_DEFAULT_REASONS: Mapping[str, str] = {
    "undelivered": "not-delivered",
    "failed": "failed-at-provider",
    "canceled": "canceled-at-provider",
}


def is_reference(sid: object) -> bool:
    return isinstance(sid, str) and _MESSAGE_SID.fullmatch(sid) is not None


def is_status(status: object) -> bool:
    return isinstance(status, str) and status in _STATES


def verdict_of(status: str, error_code: object) -> tuple[DeliveryState | None, str | None]:
    """The state, None while there is no verdict, and the reason of one that is no success."""
    state = _STATES.get(status)
    if state is None or state is DeliveryState.DELIVERED:
        return state, None
    if error_code == _EXPIRED:
        return DeliveryState.EXPIRED, "expired"
    reason = _REASONS.get(error_code) if isinstance(error_code, int) else None
    return state, reason or _DEFAULT_REASONS[status]

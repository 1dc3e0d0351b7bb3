"""What Vonage's delivery receipts mean for a delivery, in the forms of both of its APIs.

Their status is the verdict, their code the reason: a receipt never sends a text again.
"""

from collections.abc import Mapping

from adapters.providers.vonage import error_codes
from domain.model.delivery import DeliveryState
from domain.model.send_outcome import Barred, NotSent, Refused, Throttled, Unknown

Verdict = tuple[DeliveryState | None, str | None]

_EXPIRED = "1360"
_DAILY_LIMIT = "1460"
# Receipts of some segments never came, so the text may have been delivered.
_NOT_ALL_HEARD_OF = "1490"

MESSAGES_API: Mapping[str, DeliveryState | None] = {
    # May be the last word, where the carrier gives no receipt.
    "submitted": None,
    "delivered": DeliveryState.DELIVERED,
    "rejected": DeliveryState.FAILED,
    "undeliverable": DeliveryState.UNDELIVERED,
}
SMS_API: Mapping[str, DeliveryState | None] = {
    "accepted": None,
    "buffered": None,
    "unknown": None,
    "delivered": DeliveryState.DELIVERED,
    "expired": DeliveryState.EXPIRED,
    "failed": DeliveryState.UNDELIVERED,
    "rejected": DeliveryState.FAILED,
}

# `err-code` of a receipt.
SMS_API_REASONS: Mapping[str, str] = {
    "1": "carrier-error",
    "2": "unreachable",
    "3": "number-deactivated",
    "4": "blocked-by-recipient",
    "5": "unroutable",
    "6": "filtered",
    "7": "unreachable",
    "8": "carrier-error",
    "9": "opted-out-at-provider",
    "10": "content-refused",
    "11": "unroutable",
    "12": "unreachable",
    "13": "age-restricted",
    "14": "blocked-by-carrier",
    "15": "recipient-without-credit",
    "50": "blocked-by-regulation",
    "51": "blocked-by-regulation",
    "52": "blocked-by-regulation",
    "53": "blocked-by-regulation",
    "54": "blocked-by-regulation",
    "99": "carrier-error",
}
_DEFAULT_REASONS: Mapping[DeliveryState, str] = {
    DeliveryState.UNDELIVERED: "not-delivered",
    DeliveryState.FAILED: "failed-at-provider",
    DeliveryState.EXPIRED: "expired",
}


def verdict_by_messages_api(status: str, code: str | None) -> Verdict:
    """The state, None while there is no verdict, and the reason of one that is no success. `code` is the title of the
    receipt's error, None where it has none.
    """
    state = MESSAGES_API.get(status)
    if state is None or state is DeliveryState.DELIVERED:
        return state, None
    if code == _NOT_ALL_HEARD_OF:
        return None, None
    if code == _EXPIRED:
        state = DeliveryState.EXPIRED
    return state, _reason_of(code) or _DEFAULT_REASONS[state]


def verdict_by_sms_api(status: str, err_code: str | None) -> Verdict:
    """As above, from `status` and `err-code`."""
    state = SMS_API.get(status)
    if state is None or state is DeliveryState.DELIVERED:
        return state, None
    # Whatever it may say besides, it was too late.
    reason = None if state is DeliveryState.EXPIRED else SMS_API_REASONS.get(err_code or "")
    return state, reason or _DEFAULT_REASONS[state]


def _reason_of(code: str | None) -> str | None:
    """As it would be if Vonage had refused the text at once."""
    match error_codes.MESSAGES_API.get(code or ""):
        case Throttled():
            return "daily-limit-reached" if code == _DAILY_LIMIT else "too-fast-for-carrier"
        case Refused(reason) | Barred(reason) | NotSent(reason) | Unknown(reason):
            return reason
        case _:
            return None

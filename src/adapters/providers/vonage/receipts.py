"""What Vonage's receipts mean for a delivery: a status is the verdict, a code says why.

https://developer.vonage.com/en/messages/concepts/messages-status-callbacks
https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
"""

from collections.abc import Mapping
from typing import TypeAlias

from domain.model.delivery import DeliveryState

# The state, None while there is no verdict, and the reason of one that is no success.
Verdict: TypeAlias = tuple[DeliveryState | None, str | None]

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
    "undelivered": DeliveryState.UNDELIVERED,
    "rejected": DeliveryState.FAILED,
}

_MESSAGES_API_REASONS: Mapping[str, str] = {
    # The recipient.
    "1040": "invalid-recipient",
    "1050": "number-barred",
    "1170": "invalid-recipient",
    "1190": "number-deactivated",
    "1200": "unroutable",
    "1240": "opted-out-at-provider",
    "1250": "unroutable",
    "1251": "unroutable",
    "1260": "unreachable",
    "1270": "age-restricted",
    "1280": "blocked-by-carrier",
    "1290": "recipient-without-credit",
    "1300": "not-textable",
    "1310": "not-textable",
    "1430": "invalid-recipient",
    "1474": "country-not-allowed",
    # The text.
    "1090": "content-refused",
    "1210": "filtered",
    "1282": "content-refused",
    "1470": "taken-for-fraud",
    "1473": "taken-for-fraud",
    "1475": "taken-for-fraud",
    "1480": "blocked-by-regulation",
    "1481": "blocked-by-regulation",
    "1482": "blocked-by-regulation",
    "1483": "blocked-by-regulation",
    "1484": "blocked-by-regulation",
    "2001": "taken-for-fraud",
    # The request.
    "1010": "request-refused",
    "1020": "request-refused",
    "1130": "request-refused",
    "1410": "request-refused",
    "1440": "request-refused",
    "1450": "request-refused",
    # Account and sender.
    "1060": "account-suspended",
    "1070": "no-credit",
    "1080": "not-permitted",
    "1120": "sender-refused",
    "1140": "not-permitted",
    "1160": "account-on-trial",
    "1242": "sender-refused",
    "1420": "sender-refused",
    "1476": "sender-refused",
    # What another time might not have met.
    "1000": "too-fast-for-carrier",
    "1030": "provider-error",
    "1100": "provider-error",
    "1180": "unreachable",
    "1220": "unreachable",
    "1230": "carrier-error",
    "1241": "too-fast-for-carrier",
    "1330": "carrier-error",
    "1331": "provider-error",
    "1460": "daily-limit-reached",
    "1472": "too-fast-for-carrier",
}
_EXPIRED = "1360"
# Receipts of some segments never came, so the text may have been delivered.
_NOT_ALL_HEARD_OF = "1490"

_SMS_API_REASONS: Mapping[str, str] = {
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
    state = MESSAGES_API.get(status)
    if state is None or state is DeliveryState.DELIVERED:
        return state, None
    if code == _NOT_ALL_HEARD_OF:
        return None, None
    if code == _EXPIRED:
        state = DeliveryState.EXPIRED
    return state, _MESSAGES_API_REASONS.get(code or "") or _DEFAULT_REASONS[state]


def verdict_by_sms_api(status: str, err_code: str | None) -> Verdict:
    state = SMS_API.get(status)
    if state is None or state is DeliveryState.DELIVERED:
        return state, None
    # Whatever it may say besides, it was too late.
    reason = None if state is DeliveryState.EXPIRED else _SMS_API_REASONS.get(err_code or "")
    return state, reason or _DEFAULT_REASONS[state]

"""Every code by which a provider says why not: what becomes of the text, and the sentence that people read.

The tables below are what we promise; the adapters have theirs.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from adapters.providers.twilio import error_codes as twilio
from adapters.providers.twilio import message_status as twilio_receipts
from adapters.providers.vonage import error_codes as vonage
from adapters.providers.vonage import message_status as vonage_receipts
from adapters.providers.vonage.account import Api
from adapters.providers.vonage.answers import read
from adapters.providers.vonage.connection import Answer
from domain.model import delivery
from domain.model.delivery import Delivery, DeliveryState
from domain.model.pace import SECOND_US
from domain.model.reasons import SENTENCES, sentence_of
from domain.model.retry import RetryPolicy
from domain.model.send_outcome import Barred, SendOutcome
from tests.builders import NOW_US, a_delivery

SOURCE = Path(__file__).parents[2] / "src"

# What becomes of a text that has just been tried, by reason and code.
Fates = Mapping[str, Mapping[str, str]]

TWILIO: Fates = {
    "failed": {
        "invalid-recipient": "21211 21214 21217",
        "country-not-allowed": "21408",
        "unroutable": "21612",
        "not-textable": "21614 21635 30006",
        "unreachable": "30003",
        "unknown-handset": "30005",
        "content-refused": "21602 21605 21617 21619 21620 21658 30004 30007 30110",
    },
    "blocked": {"opted-out-at-provider": "21610"},
    "its sender stops": {
        "credentials-refused": "20003 20008",
        "account-suspended": "10001 20005 30002",
        "account-not-found": "20404",
        "account-on-trial": "21608",
        "callback-refused": "21609",
        "sender-refused": "21212 21603 21606 21659 21660 21701",
        "no-sender-in-service": "21703 21704",
        "sender-not-registered": "30032 30034",
    },
    "its sender waits": {"throttled": "14107 20429 21611 30001 30022 63038"},
    "tried again later": {"taken-for-fraud": "30450 30453"},
    "unknown": {"server-error": "20500 20503", "carrier-error": "30008"},
}
MESSAGES: Fates = {
    "failed": {
        "invalid-recipient": "1040 1170 1430",
        "number-barred": "1050",
        "number-deactivated": "1190",
        "unroutable": "1200 1250 1251",
        "unreachable": "1260",
        "age-restricted": "1270",
        "blocked-by-carrier": "1280",
        "recipient-without-credit": "1290",
        "not-textable": "1300 1310",
        "country-not-allowed": "1474",
        "content-refused": "1090 1282",
        "filtered": "1210",
        "taken-for-fraud": "1470 1473 1475 2001",
        "blocked-by-regulation": "1480 1481 1482 1483 1484",
        "request-refused": "1010 1020 1130 1410 1440 1450 invalid-json invalid-params",
    },
    "blocked": {"opted-out-at-provider": "1240"},
    "its sender stops": {
        "credentials-refused": "invalid-api-key invalid-signature jwt-expired jwt-revoked unauthorized",
        "account-suspended": "1060 account-suspended",
        "account-on-trial": "1160",
        "no-credit": "1070 low-balance",
        "not-permitted": "1080 1140 forbidden unprovisioned",
        "sender-refused": "1120 1242 1420 1476",
    },
    "its sender waits": {"throttled": "1000 1241 1460 1472 rate-limit"},
    "tried again later": {
        "provider-error": "1030 1100 1331",
        "unreachable": "1180 1220",
        "carrier-error": "1230",
    },
    "unknown": {"already-sent": "1320", "carrier-error": "1330", "expired": "1360", "not-confirmed": "1490"},
}
SMS: Fates = {
    "failed": {
        "invalid-recipient": "6",
        "number-barred": "7",
        "number-deactivated": "33",
        "unroutable": "22",
        "content-refused": "12 17",
        "request-refused": "2 3",
    },
    "its sender stops": {
        "credentials-refused": "4 14 32",
        "account-suspended": "8",
        "account-on-trial": "29",
        "no-credit": "9",
        "not-permitted": "11",
        "callback-refused": "23",
        "sender-refused": "15",
    },
    "its sender waits": {"throttled": "1 10"},
    "tried again later": {"provider-error": "5"},
}


def by_twilio(code: str) -> SendOutcome:
    return twilio.outcome_of(400, int(code))


def by_messages_api(code: str) -> SendOutcome:
    problem = {"type": f"https://developer.vonage.com/api-errors/messages#{code}", "title": "Refused"}
    return read(Api.MESSAGES, Answer(422, body=json.dumps(problem).encode())).outcome


def by_sms_api(code: str) -> SendOutcome:
    told = {"message-count": "1", "messages": [{"status": code, "error-text": "Refused"}]}
    return read(Api.SMS, Answer(200, body=json.dumps(told).encode())).outcome


TABLES: Mapping[str, tuple[Fates, Callable[[str], SendOutcome]]] = {
    "twilio": (TWILIO, by_twilio),
    "vonage-messages": (MESSAGES, by_messages_api),
    "vonage-sms": (SMS, by_sms_api),
}


def codes_of(fates: Fates) -> Sequence[tuple[str, str, str]]:
    """Fate, reason and code."""
    return [
        (fate, reason, code)
        for fate, reasons in fates.items()
        for reason, codes in reasons.items()
        for code in codes.split()
    ]


def fate_of(outcome: SendOutcome, after: Delivery) -> str:
    match after.state, outcome:
        case DeliveryState.QUEUED, Barred():
            return "its sender stops"
        case DeliveryState.QUEUED, _:
            return "its sender waits"
        case DeliveryState.SCHEDULED, _:
            assert after.failures == 1
            assert after.due_us == NOW_US + SECOND_US
            return "tried again later"
        case DeliveryState.UNKNOWN, _:
            assert after.due_us == NOW_US + 30 * SECOND_US
            return "unknown"
        case state, _:
            assert after.due_us is None
            return str(state.value)


@pytest.mark.parametrize(
    ("table", "fate", "reason", "code"),
    [(table, *each) for table, (fates, _) in TABLES.items() for each in codes_of(fates)],
)
def test_every_code_has_its_fate_its_reason_and_its_sentence(table: str, fate: str, reason: str, code: str) -> None:
    outcome = TABLES[table][1](code)

    after = RetryPolicy().after_send(
        a_delivery(state=DeliveryState.SENDING, attempt=1), outcome, now_us=NOW_US, jitter=lambda: 0.5
    )

    assert (fate_of(outcome, after), after.reason) == (fate, reason)
    assert sentence_of(reason)


@pytest.mark.parametrize(
    ("fates", "table"),
    [(TWILIO, map(str, twilio.OUTCOMES)), (MESSAGES, vonage.MESSAGES_API), (SMS, vonage.SMS_API)],
    ids=TABLES,
)
def test_no_code_of_the_adapters_is_left_out(fates: Fates, table: Mapping[str, SendOutcome]) -> None:
    assert sorted(code for _, _, code in codes_of(fates)) == sorted(table)


# Receipts.


RECEIPTS_BY_MESSAGES_API = {
    # None: whatever else it says.
    ("submitted", None): (None, None),
    ("delivered", None): (DeliveryState.DELIVERED, None),
    ("undeliverable", None): (DeliveryState.UNDELIVERED, "not-delivered"),
    ("rejected", None): (DeliveryState.FAILED, "failed-at-provider"),
    ("rejected", "9999"): (DeliveryState.FAILED, "failed-at-provider"),
    ("rejected", "1000"): (DeliveryState.FAILED, "too-fast-for-carrier"),
    ("rejected", "1460"): (DeliveryState.FAILED, "daily-limit-reached"),
    ("rejected", "1360"): (DeliveryState.EXPIRED, "expired"),
    ("undeliverable", "1360"): (DeliveryState.EXPIRED, "expired"),
    ("rejected", "1490"): (None, None),
    ("delivered", "1490"): (DeliveryState.DELIVERED, None),
    ("on its way", "1240"): (None, None),
}
NOT_AS_WHEN_SENDING = {"1360", "1490"}
RECEIPTS_BY_SMS_API = {
    "carrier-error": "1 8 99",
    "unreachable": "2 7 12",
    "number-deactivated": "3",
    "blocked-by-recipient": "4",
    "unroutable": "5 11",
    "filtered": "6",
    "opted-out-at-provider": "9",
    "content-refused": "10",
    "age-restricted": "13",
    "blocked-by-carrier": "14",
    "recipient-without-credit": "15",
    "blocked-by-regulation": "50 51 52 53 54",
}


@pytest.mark.parametrize(("status", "code"), RECEIPTS_BY_MESSAGES_API)
def test_a_receipt_of_the_messages_api_has_its_verdict(status: str, code: str | None) -> None:
    assert vonage_receipts.verdict_by_messages_api(status, code) == RECEIPTS_BY_MESSAGES_API[status, code]


@pytest.mark.parametrize(("fate", "reason", "code"), codes_of(MESSAGES))
def test_a_receipt_has_the_reason_that_a_refusal_has(fate: str, reason: str, code: str) -> None:
    state, why = vonage_receipts.verdict_by_messages_api("rejected", code)

    if code not in NOT_AS_WHEN_SENDING:
        assert state is DeliveryState.FAILED
        assert why == reason or (fate == "its sender waits" and why in {"too-fast-for-carrier", "daily-limit-reached"})


@pytest.mark.parametrize(("_", "reason", "code"), codes_of({"": RECEIPTS_BY_SMS_API}))
def test_a_receipt_of_the_sms_api_has_its_verdict(_: str, reason: str, code: str) -> None:
    verdicts = {
        status: vonage_receipts.verdict_by_sms_api(status, code)
        for status in ("failed", "rejected", "expired", "delivered", "accepted", "buffered", "unknown", "sent")
    }

    assert verdicts == {
        "failed": (DeliveryState.UNDELIVERED, reason),
        "rejected": (DeliveryState.FAILED, reason),
        "expired": (DeliveryState.EXPIRED, "expired"),
        "delivered": (DeliveryState.DELIVERED, None),
        **dict.fromkeys(("accepted", "buffered", "unknown", "sent"), (None, None)),
    }


@pytest.mark.parametrize("code", [None, "0", "77", ""])
def test_a_receipt_of_the_sms_api_needs_no_code(code: str | None) -> None:
    assert vonage_receipts.verdict_by_sms_api("failed", code) == (DeliveryState.UNDELIVERED, "not-delivered")
    assert vonage_receipts.verdict_by_sms_api("rejected", code) == (DeliveryState.FAILED, "failed-at-provider")


def test_no_code_of_receipts_is_left_out() -> None:
    assert sorted(code for _, _, code in codes_of({"": RECEIPTS_BY_SMS_API})) == sorted(vonage_receipts.SMS_API_REASONS)


# Sentences.


def reasons_of_the_source() -> set[str]:
    """Whatever is written where a reason stands."""
    makers = r"Refused|NotSent|Barred|Unknown|given_up|retried|resent|held_back|lost_sight_of|_retried"
    source = "".join(file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py"))
    written = re.findall(rf'\b(?:{makers})\(\s*(?:delivery, )?"([a-z-]+)"', source)
    return {
        *written,
        *twilio_receipts._REASONS.values(),
        *twilio_receipts._DEFAULT_REASONS.values(),
        *vonage_receipts.SMS_API_REASONS.values(),
        *vonage_receipts._DEFAULT_REASONS.values(),
        *("daily-limit-reached", "too-fast-for-carrier", "provider-adapter-failed"),
        *("no-answer", "connection-lost", "no-connection", "no-secure-connection"),
        *(delivery.OPTED_OUT, delivery.NOT_SENT_IN_TIME, delivery.FAILED_OVER, delivery.RESTORED, delivery.QUIET_HOURS),
        *(delivery.MAILED_INSTEAD, delivery.DUPLICATE, delivery.TOO_MANY_TEXTS),
    }


def test_every_reason_of_the_hub_has_a_sentence_and_no_other() -> None:
    assert reasons_of_the_source() == SENTENCES.keys()


@pytest.mark.parametrize("reason", SENTENCES)
def test_a_reason_is_a_word_and_its_sentence_is_one(reason: str) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", reason)
    assert re.fullmatch(r"[A-Z][^.]{10,110}\.", SENTENCES[reason])


def test_a_word_of_another_version_has_no_sentence() -> None:
    assert sentence_of("of-another-version") is None

"""What Twilio's refusals mean for a text (https://www.twilio.com/docs/api/errors).

Twilio splits codes now and then, so one that is not listed is judged by its HTTP status.
"""

from collections.abc import Mapping

from adapters.providers import http_answers
from domain.model.pace import SECOND_US
from domain.model.send_outcome import Barred, NotSent, Refused, SendOutcome, Throttled, Unknown

OUTCOMES: Mapping[int, SendOutcome] = {
    # The recipient.
    21211: Refused("invalid-recipient"),
    21214: Refused("invalid-recipient"),  # cannot be reached
    21217: Refused("invalid-recipient"),  # not in E.164
    21408: Refused("country-not-allowed"),
    21610: Refused("opted-out-at-provider", opted_out=True),
    21612: Refused("unroutable"),
    21614: Refused("not-textable"),
    21635: Refused("not-textable"),  # a landline
    30003: Refused("unreachable"),
    30005: Refused("unknown-handset"),
    30006: Refused("not-textable"),
    # The text.
    21602: Refused("content-refused"),  # empty
    21605: Refused("content-refused"),  # too long
    21617: Refused("content-refused"),  # too long
    21619: Refused("content-refused"),  # empty
    21620: Refused("content-refused"),  # an attachment that cannot be had
    21658: Refused("content-refused"),  # too long
    30004: Refused("content-refused"),  # blocked
    30007: Refused("content-refused"),  # filtered
    30110: Refused("content-refused"),  # a link that is blocked
    # Credentials and account.
    20003: Barred("credentials-refused"),
    20008: Barred("credentials-refused"),  # test credentials
    10001: Barred("account-suspended"),
    20005: Barred("account-suspended"),
    30002: Barred("account-suspended"),
    20404: Barred("account-not-found"),
    21608: Barred("account-on-trial"),
    21609: Barred("callback-refused"),
    # The sender.
    21212: Barred("sender-refused"),
    21603: Barred("sender-refused"),
    21606: Barred("sender-refused"),
    21659: Barred("sender-refused"),
    21660: Barred("sender-refused"),
    21701: Barred("sender-refused"),  # no such messaging service
    21703: Barred("no-sender-in-service"),
    21704: Barred("no-sender-in-service"),
    30032: Barred("sender-not-registered"),
    30034: Barred("sender-not-registered"),
    # What passes. A queue of 36,000 segments does not empty in a moment, and a day's allowance less so.
    14107: Throttled(),
    20429: Throttled(),
    21611: Throttled(60 * SECOND_US),
    30001: Throttled(60 * SECOND_US),
    30022: Throttled(60 * SECOND_US),
    63038: Throttled(900 * SECOND_US),
    30450: NotSent("taken-for-fraud"),
    30453: NotSent("taken-for-fraud"),
    # Twilio does not know itself.
    20500: Unknown("server-error"),
    20503: Unknown("server-error"),
    30008: Unknown("carrier-error"),
}


def outcome_of(status: int, code: object, *, retry_after_us: int | None = None) -> SendOutcome:
    """For any answer but a success. `code` is as it came, of whatever type."""
    return http_answers.outcome_of(status, OUTCOMES.get(number_of(code)), retry_after_us=retry_after_us)


def is_unlisted(status: int, code: object) -> bool:
    """Whether the status alone had to be judged, of a refusal that has a code."""
    return 400 <= status < 500 and code is not None and number_of(code) not in OUTCOMES


def number_of(code: object) -> int:
    """A code as it came, in JSON or a form; 0 for none."""
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= 6:
        return int(code)
    return code if isinstance(code, int) else 0

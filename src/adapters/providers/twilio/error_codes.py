"""What Twilio's refusals mean for a text (https://www.twilio.com/docs/api/errors).

Twilio splits codes now and then, so one that is not listed is judged by its HTTP status.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from domain.model.pace import SECOND_US
from domain.model.send_outcome import Barred, NotSent, Refused, SendOutcome, Throttled, Unknown

_LONGEST_WAIT_US = 3_600 * SECOND_US

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
    # The text.
    21602: Refused("content-refused"),  # empty
    21605: Refused("content-refused"),  # too long
    21617: Refused("content-refused"),  # too long
    21619: Refused("content-refused"),  # empty
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
}

_BY_STATUS: Mapping[int, SendOutcome] = {
    401: Barred("credentials-refused"),
    402: Barred("no-credit"),
    403: Barred("not-permitted"),
    404: Barred("account-not-found"),
    407: NotSent("no-connection"),
    408: Unknown("no-answer"),
    429: Throttled(),
}


def outcome_of(status: int, code: object, *, retry_after_us: int | None = None) -> SendOutcome:
    """For any answer but a success. `code` is as it came, of whatever type."""
    if status >= 500:
        # Twilio may have taken the text before it failed.
        return Unknown("server-error")
    if status < 400:
        return Unknown("unreadable-answer")
    outcome = OUTCOMES.get(number_of(code)) or _BY_STATUS.get(status) or Refused("refused-by-provider")
    if status == 429 and not isinstance(outcome, Throttled):
        outcome = Throttled()
    if isinstance(outcome, Throttled) and retry_after_us is not None:
        return Throttled(retry_after_us)
    return outcome


def retry_after_us(header: str | None) -> int | None:
    """From a number of seconds or an HTTP date (RFC 9110), an hour at the most; None for nonsense and for the past."""
    if header is None:
        return None
    header = header.strip()
    if header.isascii() and header.isdigit():
        # More digits than a sensible number has are cut off, as they are slow to read.
        wait_us = int(header[:12]) * SECOND_US
    else:
        try:
            until = parsedate_to_datetime(header)
        except (ValueError, OverflowError):
            return None
        wait_us = int((_aware(until) - datetime.now(UTC)).total_seconds() * SECOND_US)
    return min(wait_us, _LONGEST_WAIT_US) if wait_us > 0 else None


def number_of(code: object) -> int:
    """A code as it came, in JSON or a form; 0 for none."""
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= 6:
        return int(code)
    return code if isinstance(code, int) else 0


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)

"""What an HTTP answer says of a text by its status and headers, whichever provider it comes from."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from domain.model.credentials_check import ACCEPTED, CredentialsCheck, not_asked, refused
from domain.model.pace import SECOND_US
from domain.model.send_outcome import Barred, NotSent, Refused, SendOutcome, Throttled, Unknown

# Told of the HTTP status and the code of a refusal that a provider's table does not have.
UnlistedCode = Callable[[int, str], None]

_LONGEST_WAIT_US = 3_600 * SECOND_US
_SHOWABLE = re.compile(r"[\w-]{1,40}", re.ASCII)

_BY_STATUS: Mapping[int, SendOutcome] = {
    401: Barred("credentials-refused"),
    402: Barred("no-credit"),
    403: Barred("not-permitted"),
    404: Barred("account-not-found"),
    407: NotSent("no-connection"),
    408: Unknown("no-answer"),
    429: Throttled(),
}
_CHECKS: Mapping[int, CredentialsCheck] = {
    401: refused("credentials-refused"),
    403: refused("not-permitted"),
    404: refused("account-not-found"),
    429: not_asked("throttled"),
}


def outcome_of(status: int, listed: SendOutcome | None, *, retry_after_us: int | None = None) -> SendOutcome:
    """For any answer but a success. `listed` is what the provider's code stands for, None where that is not known."""
    if status >= 500:
        # The provider may have taken the text before it failed.
        return Unknown("server-error")
    if status < 400:
        return Unknown("unreadable-answer")
    outcome = listed or _BY_STATUS.get(status) or Refused("refused-by-provider")
    if status == 429 and not isinstance(outcome, Throttled):
        outcome = Throttled()
    if isinstance(outcome, Throttled) and retry_after_us is not None:
        return Throttled(retry_after_us)
    return outcome


def check_of(status: int) -> CredentialsCheck:
    """What an answer says of the credentials that it was asked for with."""
    if 200 <= status < 300:
        return ACCEPTED
    if status >= 500:
        return not_asked("server-error")
    return _CHECKS.get(status, not_asked("unreadable-answer"))


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


def showable(code: object) -> str:
    """A code as it may be logged, since what stands in its place may be anything."""
    written = str(code)[:100]
    return written if _SHOWABLE.fullmatch(written) else "unreadable"


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)

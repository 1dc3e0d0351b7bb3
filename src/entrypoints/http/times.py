"""Times on the wire: RFC 3339, and microseconds since the Unix epoch within."""

from datetime import UTC, date, datetime, timedelta

from domain.model.instant import instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)
_EARLIEST = datetime.min.replace(tzinfo=UTC) - _EPOCH
_LATEST = datetime.max.replace(tzinfo=UTC) - _EPOCH


def optional_instant(at_us: int | None) -> str | None:
    return None if at_us is None else instant(at_us)


def microseconds(text: str) -> int:
    """Reads what the contract's validation has let pass as `date-time`. A leap second is the second after it."""
    written = text.upper()
    leap = written[17:19] == "60"
    if leap:
        written = f"{written[:17]}59{written[19:]}"
    try:
        since = datetime.fromisoformat(written) - _EPOCH + (_SECOND if leap else timedelta(0))
    except (ValueError, OverflowError):
        # The year 0, or one that an offset moves out of the calendar.
        since = _EARLIEST if written < "1970" else _LATEST
    return min(max(since, _EARLIEST), _LATEST) // _MICROSECOND


def day(text: str) -> date:
    """Reads what the contract's validation has let pass as `date`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        # The year 0.
        return date.min


def optional_microseconds(text: str | None) -> int | None:
    return None if text is None else microseconds(text)

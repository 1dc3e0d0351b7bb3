"""Times as programs read them: RFC 3339."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Of times that are all in UTC, and are written without saying so.
_EPOCH_IN_UTC = datetime(1970, 1, 1)  # noqa: DTZ001


def instant(at_us: int) -> str:
    """In UTC, to the millisecond."""
    return (_EPOCH_IN_UTC + timedelta(microseconds=at_us)).isoformat(timespec="milliseconds") + "Z"


def microseconds_of(written: str) -> int:
    """Since the Unix epoch; without an offset it is UTC. Raises ValueError for what is no time of ISO 8601."""
    at = datetime.fromisoformat(written)
    return ((at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)

"""Durations as people write them: ISO 8601, such as P30D or PT9H."""

from datetime import timedelta

from pydantic import TypeAdapter, ValidationError

from domain.errors import InvalidValue

_DURATION = TypeAdapter(timedelta)


def read_duration(text: str) -> timedelta:
    """Raises `InvalidValue`."""
    try:
        return _DURATION.validate_python(text)
    except ValidationError:
        raise InvalidValue("A duration is written as P30D or PT9H.") from None


def written_duration(duration: timedelta) -> str:
    return str(_DURATION.dump_python(duration, mode="json"))

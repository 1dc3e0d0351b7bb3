"""How much a program may send in a day or a month, and how often to one number."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.errors import InvalidValue
from domain.model.pace import SECOND_US

_MOST_SEGMENTS = 1_000_000_000
_MOST_TEXTS = 1_000
_LONGEST_WHILE = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Budget:
    """So many segments in a period, which its name tells: a day (2026-11-26) or a month (2026-11). `until_us` is when
    it ends.
    """

    period: str
    segments: int
    until_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetUse:
    """A program has used at least so many per cent of a budget, for the first time in its period."""

    program_id: str
    budget: Budget
    used: int
    percent: int


@dataclass(frozen=True, slots=True)
class Velocity:
    """So many texts to one number within a while."""

    texts: int
    within: timedelta

    def __post_init__(self) -> None:
        if not 1 <= self.texts <= _MOST_TEXTS or not timedelta(seconds=1) <= self.within <= _LONGEST_WHILE:
            raise InvalidValue("A number gets 1 to 1,000 texts within a second to 31 days (5/PT1H).")

    @property
    def within_us(self) -> int:
        return int(self.within.total_seconds() * SECOND_US)


def check_segments(segments: int | None) -> None:
    """Raises `InvalidValue`."""
    if segments is not None and not 1 <= segments <= _MOST_SEGMENTS:
        raise InvalidValue("A budget is 1 to 1,000,000,000 segments.")


def check_zone(name: str) -> None:
    """Raises `InvalidValue`."""
    try:
        _zone(name)
    except (KeyError, ValueError, OSError):
        raise InvalidValue("A zone is a name such as America/Chicago or UTC.") from None


def daily_budget(segments: int, zone: str, at_us: int) -> Budget:
    day = day_of(at_us, zone)
    return Budget(day.isoformat(), segments, beginning_us(day + timedelta(days=1), zone))


def monthly_budget(segments: int, zone: str, at_us: int) -> Budget:
    first = day_of(at_us, zone).replace(day=1)
    return Budget(first.isoformat()[:7], segments, beginning_us((first + timedelta(days=31)).replace(day=1), zone))


def day_of(at_us: int, zone: str) -> date:
    return datetime.fromtimestamp(at_us // SECOND_US, UTC).astimezone(_zone(zone)).date()


def hour_of(at_us: int, zone: str) -> int:
    """0 to 23, as clocks in the zone show it."""
    return datetime.fromtimestamp(at_us // SECOND_US, UTC).astimezone(_zone(zone)).hour


def beginning_us(day: date, zone: str) -> int:
    return int(datetime.combine(day, time.min, _zone(zone)).timestamp()) * SECOND_US


@lru_cache(1_000)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)

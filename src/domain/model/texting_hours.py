"""The hours in which a program's texts may reach people, by the clocks of those who get them, as FCC 47 CFR
64.1200(c)(1) reckons for telephone solicitations (8 to 21).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Self
from zoneinfo import ZoneInfo

from domain.errors import InvalidValue

# Every offset of today's time zones is a whole number of these, and all of them change at the start of one.
_QUARTER_US = 900_000_000
_A_DAY = 96
_A_WEEK = 7 * _A_DAY
_WHOLE_WEEK = (1 << _A_WEEK) - 1
_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY = "|".join(_DAYS)
_RULE = re.compile(rf"(?:({_DAY})(?:-({_DAY}))? )?(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TextingHours:
    """`quarters` has a bit for each quarter hour of a week by the clock, from Monday 00:00 on: whether it is open.

    Of people whose number stands for several time zones, it is open when it is in all of them; in a week in which it
    never is, when it is in most of them. Times are microseconds since the Unix epoch.
    """

    quarters: int

    def __post_init__(self) -> None:
        if not 0 < self.quarters <= _WHOLE_WEEK:
            raise InvalidValue("Texting hours are a quarter of an hour a week at the least.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `09:00-20:00`, for every day, or `Mo-Sa 09:00-20:00, Su 12:00-20:00`: days not named have no hours.

        Raises `InvalidValue`.
        """
        quarters = 0
        for rule in text.split(","):
            read = _RULE.fullmatch(rule.strip())
            if read is None:
                raise InvalidValue("Texting hours are written as 09:00-20:00 or Mo-Sa 09:00-20:00, Su 12:00-20:00.")
            start, end = _quarter(read[3], read[4]), _quarter(read[5], read[6])
            if start >= end:
                raise InvalidValue("Texting hours end later than they begin; those over midnight are two.")
            for day in _days(read[1], read[2]):
                quarters |= ((1 << end) - (1 << start)) << day * _A_DAY
        return cls(quarters)

    def __str__(self) -> str:
        windows = [tuple(_windows(self.quarters >> day * _A_DAY & (1 << _A_DAY) - 1)) for day in range(7)]
        rules = []
        for its, days in groupby(range(7), key=windows.__getitem__):
            first, *others = days
            named = f"{_DAYS[first]}-{_DAYS[others[-1]]} " if others else f"{_DAYS[first]} "
            rules += [("" if len(others) == 6 else named) + window for window in its]
        return ", ".join(rules)

    def opens_us(self, zones: tuple[str, ...], at_us: int) -> int:
        """That time itself where it is open then, else when it opens next."""
        week, within = divmod(at_us // _QUARTER_US, _A_WEEK)
        ahead = _open(self, zones, week) >> within
        if ahead & 1:
            return at_us
        while not ahead:
            week, within = week + 1, 0
            ahead = _open(self, zones, week)
        return (week * _A_WEEK + within + _first(ahead)) * _QUARTER_US

    def closes_us(self, zones: tuple[str, ...], at_us: int) -> int:
        """When it closes that is open at that time; a week later or more where it never does."""
        quarter = at_us // _QUARTER_US
        week, within = divmod(quarter, _A_WEEK)
        ahead = (_open(self, zones, week) | _open(self, zones, week + 1) << _A_WEEK) >> within
        return (quarter + _first(~ahead)) * _QUARTER_US


@lru_cache(1_000)
def _open(hours: TextingHours, zones: tuple[str, ...], week: int) -> int:
    """As `quarters`, of the so many-th week since the epoch by UTC."""
    # The n-th of these says when it is open in n zones or more.
    in_zones = [_WHOLE_WEEK]
    for zone in zones:
        here = _open_in(hours, zone, week)
        in_zones = [_WHOLE_WEEK, *(n | fewer & here for fewer, n in zip(in_zones, [*in_zones[1:], 0], strict=True))]
    return next(filter(None, reversed(in_zones[1:])), 0)


@lru_cache(1_000)
def _open_in(hours: TextingHours, zone: str, week: int) -> int:
    clock, open_, start = ZoneInfo(zone), 0, _EPOCH + timedelta(weeks=week)
    for quarter in range(_A_WEEK):
        local = (start + timedelta(minutes=15 * quarter)).astimezone(clock)
        of_week = local.weekday() * _A_DAY + local.hour * 4 + local.minute // 15
        open_ |= (hours.quarters >> of_week & 1) << quarter
    return open_


def _first(bits: int) -> int:
    """The place of the lowest bit that is set."""
    return (bits & -bits).bit_length() - 1


def _quarter(hour: str, minute: str) -> int:
    quarter, odd = divmod(int(hour) * 60 + int(minute), 15)
    if odd or int(minute) > 59 or quarter > _A_DAY:
        raise InvalidValue("Texting hours begin and end at quarter hours from 00:00 to 24:00.")
    return quarter


def _days(first: str | None, last: str | None) -> Iterator[int]:
    """Of the week, from 0 on; those of a week's end and its start, too, as in `Sa-Mo`."""
    if first is None:
        yield from range(7)
    else:
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        for day in range(start, start + (end - start) % 7 + 1):
            yield day % 7


def _windows(quarters: int) -> Iterator[str]:
    """Of one day."""
    end = 0
    while left := quarters >> end:
        start = end + _first(left)
        end = start + _first(~(quarters >> start))
        yield f"{_written(start)}-{_written(end)}"


def _written(quarter: int) -> str:
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"

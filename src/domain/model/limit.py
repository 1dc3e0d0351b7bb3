"""Limits that several senders share: those of a provider account, a campaign, a pool of numbers.

A limit bounds the pace of all of them together, how many of theirs go in a day, or both. Times are whole microseconds
since the Unix epoch on the hub's clock.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.errors import InvalidValue
from domain.model.message_body import MAX_SEGMENTS
from domain.model.pace import SECOND_US, Pace

_LONGEST_NAME = 100
_MOST_A_DAY = 1_000_000_000
_FURTHEST_AHEAD_US = 600 * SECOND_US
_LONGEST_DAYS = 366


class Counted(Enum):
    """What a limit counts: every text once, or by its segments."""

    REQUESTS = "requests"
    SEGMENTS = "segments"


@dataclass(frozen=True, slots=True)
class DailyCap:
    """So many in a day, as days are in the zone (an IANA name, such as America/Chicago)."""

    amount: int
    zone: str

    def __post_init__(self) -> None:
        if not 1 <= self.amount <= _MOST_A_DAY:
            raise InvalidValue("A daily cap is 1 to 1,000,000,000.")
        try:
            _zone(self.zone)
        except (KeyError, ValueError, OSError):
            raise InvalidValue("A zone is a name such as America/Chicago or UTC.") from None

    def day_of(self, at_us: int) -> int:
        """The number of the day, since 1 January of the year 1."""
        return _at(at_us, self.zone).toordinal()

    def next_day_us(self, at_us: int) -> int:
        tomorrow = _at(at_us, self.zone).date() + timedelta(days=1)
        return int(datetime.combine(tomorrow, time.min, _zone(self.zone)).timestamp()) * SECOND_US

    def last_us(self, count: float, *, used: float, from_us: float, every_us: float) -> float | None:
        """When the last of so many goes, where one would go `every_us` from `from_us` on but for the cap, of which so
        much is used on that day. None: in more than a year.
        """
        left = max(self.amount - used, 0)
        for _ in range(_LONGEST_DAYS):
            midnight_us = self.next_day_us(int(from_us))
            by_then = min(left, (midnight_us - from_us) // every_us + 1)
            if count <= by_then:
                return from_us + max(count - 1, 0) * every_us
            count -= by_then
            from_us, left = midnight_us, self.amount
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`parent` is the limit that it stands under: whoever needs a slot of this one needs one of that, too."""

    name: str
    counts: Counted = Counted.SEGMENTS
    pace: Pace | None = None
    daily: DailyCap | None = None
    parent: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= _LONGEST_NAME or not self.name.isprintable() or self.name != self.name.strip():
            raise InvalidValue("A limit's name is 1 to 100 printable characters.")
        if self.pace is None and self.daily is None:
            raise InvalidValue("A limit has a pace, a daily cap, or both.")


class SharedSchedule:
    """The slots of a limit while a claim gives them away: which time is taken, and how many were used on the day.

    Unlike a sender's own line, which is taken up to one moment, it has gaps: a slow sender's next text may stand
    further ahead than a fast one's.
    """

    def __init__(
        self,
        limit: Limit,
        *,
        taken: Iterable[Sequence[int]] = (),
        day: int | None = None,
        used: int = 0,
        now_us: int,
    ) -> None:
        """`taken` are stretches of time from one moment to another, in their order."""
        self.limit = limit
        furthest_us = now_us + _FURTHEST_AHEAD_US
        if limit.pace is not None:
            furthest_us += limit.pace.planned_interval_us(MAX_SEGMENTS)
        # What lies further ahead was taken by a clock that was set back since.
        self._taken = [(start, end) for start, end in taken if now_us < end <= furthest_us]
        ahead = day is not None and limit.daily is not None and day > limit.daily.day_of(now_us) + 1
        self.day = None if ahead else day
        self.used = 0 if ahead else used

    @property
    def taken(self) -> Sequence[tuple[int, int]]:
        return self._taken

    def most_within(self, span_us: int) -> int | None:
        """How many texts it can let go in so long at the most; None where only the day bounds it."""
        return None if self.limit.pace is None else span_us // self._length_us(1) + 1

    def earliest_us(self, from_us: int, segments: int) -> int:
        """When a text may go, not before `from_us`."""
        at_us = self._first_gap_us(from_us, segments)
        daily = self.limit.daily
        if daily is not None and self._used_on(daily.day_of(at_us)) and not self._fits(daily, at_us, segments):
            return self._first_gap_us(daily.next_day_us(at_us), segments)
        return at_us

    def used_on_day_of(self, at_us: int) -> int:
        """0 where there is no cap."""
        return 0 if self.limit.daily is None else self._used_on(self.limit.daily.day_of(at_us))

    def take(self, at_us: int, segments: int) -> None:
        """Reserves the moment for a text, in the stretches of a pace and in the count of a daily cap."""
        daily = self.limit.daily
        if daily is not None:
            day = daily.day_of(at_us)
            self.used = self._used_on(day) + self._cost(segments)
            self.day = day if self.day is None else max(day, self.day)
        if self.limit.pace is not None:
            self._occupy(at_us, at_us + self._length_us(segments))

    def _cost(self, segments: int) -> int:
        return segments if self.limit.counts is Counted.SEGMENTS else 1

    def _length_us(self, segments: int) -> int:
        return 0 if self.limit.pace is None else self.limit.pace.planned_interval_us(self._cost(segments))

    def _used_on(self, day: int) -> int:
        if self.day is None or day > self.day:
            return 0
        # Of an earlier day nothing is known any more, but that it must be nearly over: it counts as full.
        return self.used if day == self.day or self.limit.daily is None else max(self.used, self.limit.daily.amount)

    def _fits(self, daily: DailyCap, at_us: int, segments: int) -> bool:
        return self._used_on(daily.day_of(at_us)) + self._cost(segments) <= daily.amount

    def _first_gap_us(self, from_us: int, segments: int) -> int:
        length_us = self._length_us(segments)
        if not length_us:
            return from_us
        at_us = from_us
        for start_us, end_us in self._taken:
            if at_us + length_us <= start_us:
                break
            at_us = max(at_us, end_us)
        return at_us

    def _occupy(self, start_us: int, end_us: int) -> None:
        place = bisect_left(self._taken, (start_us, end_us))
        self._taken.insert(place, (start_us, end_us))
        # What is too short for a text between two that are taken is taken as well.
        shortest_us = self._length_us(1)
        joined: list[tuple[int, int]] = []
        for start, end in self._taken:
            if joined and start - joined[-1][1] < shortest_us:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        self._taken = joined


def _at(at_us: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at_us // SECOND_US, UTC).astimezone(_zone(zone))


@lru_cache(1_000)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)

"""How fast texts may follow one another."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from domain.errors import InvalidValue

SECOND_US = 1_000_000

_INTERVALS = {"s": 1, "min": 60, "h": 3_600, "day": 86_400}
_WRITTEN = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(?:/(s|min|h|day))?", re.ASCII)

# Slots are planned a little wider than the pace, so that jitter on the way to the provider never makes two texts
# stand closer than it allows.
_SLACK_PER_MILLE = 1_005


@dataclass(frozen=True, slots=True)
class Pace:
    """Message segments per second, exact."""

    per_second: Fraction

    def __post_init__(self) -> None:
        if not 0 < self.per_second <= 1_000_000:
            raise InvalidValue("A pace is more than zero and at most a million segments per second.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `1`, `0.5`, `1/s`, `40/min`, `100/h` or `2000/day`; a bare number is per second."""
        match = _WRITTEN.fullmatch(text.strip())
        if match is None:
            raise InvalidValue("A pace is written as 1, 0.5, 1/s, 40/min, 100/h or 2000/day.")
        amount, unit = match.groups()
        return cls(Fraction(amount) / _INTERVALS[unit or "s"])

    def __str__(self) -> str:
        for unit, seconds in _INTERVALS.items():
            amount = self.per_second * seconds
            if amount.denominator == 1:
                return f"{amount}/{unit}"
        return f"{float(self.per_second):.6f}".rstrip("0").rstrip(".") + "/s"

    def interval_us(self, segments: int = 1) -> int:
        """The least time from a text of so many segments to the next text, rounded up to a whole microsecond."""
        return -(-SECOND_US * segments * self.per_second.denominator // self.per_second.numerator)

    def planned_interval_us(self, segments: int = 1) -> int:
        """The same as slots are planned: half a per cent longer, for the jitter on the way to the provider."""
        planned = SECOND_US * segments * self.per_second.denominator * _SLACK_PER_MILLE
        return -(-planned // (self.per_second.numerator * 1_000))

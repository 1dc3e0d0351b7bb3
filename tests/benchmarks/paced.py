"""How a sender's pace was kept."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

# What two readings of a clock and two turns of an event loop may differ by.
TOLERANCE_US = 1_000


@dataclass(frozen=True, kw_only=True)
class Paced:
    """`moments_us` are those of one sender's texts, in their order."""

    moments_us: Sequence[int]
    interval_us: int

    @property
    def gaps_us(self) -> Sequence[int]:
        return [later - earlier for earlier, later in pairwise(self.moments_us)]

    @property
    def early(self) -> int:
        return sum(gap < self.interval_us - TOLERANCE_US for gap in self.gaps_us)

    @property
    def used(self) -> float:
        """The share of the pace, from the first to the last; 0 where nothing followed the first."""
        gaps = self.gaps_us
        return len(gaps) * self.interval_us / sum(gaps) if gaps else 0.0

    @property
    def gaps_ms(self) -> tuple[float, float, float]:
        """The shortest, the median and the longest."""
        gaps = self.gaps_us
        if not gaps:
            return (float("nan"),) * 3
        return min(gaps) / 1_000, statistics.median(gaps) / 1_000, max(gaps) / 1_000

"""A limit that several senders share, as one of them finds it who wants to know how long it will take."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from domain.model.limit import Counted, Limit, SharedSchedule
from domain.model.pace import SECOND_US
from domain.model.slots import Reservation, VirtualSchedule
from domain.model.waiting import Waiting

_REACH_US = Reservation().reach_us


@dataclass(frozen=True, slots=True)
class WaitingSender:
    """A sender with something that waits. `limit_ids` are all the limits that it stands under."""

    id: int
    limit_ids: frozenset[int]
    schedule: VirtualSchedule
    waiting: Waiting


@dataclass(frozen=True, slots=True)
class OtherSender:
    """One that waits at the same limit, which counts `units` of each of its texts. By its own pace it may send
    `texts_per_us`; its last text left at `last_us`, or will.
    """

    texts: float
    units: float
    texts_per_us: float
    last_us: int

    @classmethod
    def of(cls, sender: WaitingSender, counts: Counted) -> Self:
        """`counts` is what the limit that is shared counts; something must be waiting at the sender."""
        waiting, pace = sender.waiting, sender.schedule.pace
        return cls(
            texts=waiting.texts,
            units=waiting.counted(counts) / waiting.texts,
            texts_per_us=float(pace.per_second) / SECOND_US * waiting.texts / waiting.segments,
            last_us=sender.schedule.last_us,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLine:
    """`free_us` is the next moment that is nobody's, `used` how many are used of the cap of its day, and `left` the
    share of what the others had that waits still.
    """

    limit: Limit
    free_us: int
    used: float = 0
    others: Sequence[OtherSender] = ()
    left: float = 1.0

    @classmethod
    def found(cls, schedule: SharedSchedule, others: Iterable[WaitingSender], *, now_us: int) -> Self:
        """As it is now, with those who wait for a place in it."""
        free_us = schedule.earliest_us(now_us, 1)
        counts = schedule.limit.counts
        return cls(
            limit=schedule.limit,
            free_us=free_us,
            used=schedule.used_on_day_of(free_us),
            others=[OtherSender.of(each, counts) for each in others],
        )

    def most(self, waiting: Waiting) -> float:
        """How many such texts may go on its day."""
        if self.limit.daily is None or not waiting.texts:
            return math.inf
        return max(self.limit.daily.amount - self.used, 0) * waiting.texts / waiting.counted(self.limit.counts)

    def takes_us(self, before: Waiting, *, last_us: int) -> float:
        """How long it takes until a sender's turn comes that has so many texts more before it.

        Of those that wait the one goes first whose last text is the longest ago (`last_us`): they take turns, as far
        as the pace of each allows.
        """
        if self.limit.pace is None:
            return 0
        interval_us = self.limit.pace.planned_interval_us()
        takes_us = math.inf
        while True:
            units, units_per_us = before.counted(self.limit.counts), 0.0
            for each in self.others:
                turns = min(each.texts * self.left, before.texts + (each.last_us < last_us))
                # Slow ones miss turns; how many, depends on how long it takes.
                if each.texts_per_us * takes_us < turns:
                    units_per_us += each.texts_per_us * each.units
                else:
                    units += turns * each.units
            room = 1 - units_per_us * interval_us
            if room <= 0 or units * interval_us / room >= takes_us:
                return takes_us
            takes_us = units * interval_us / room

    def by(self, now_us: int, *, own: Waiting, own_us: float, gone: Waiting) -> Self:
        """How it is later, when some of a sender's texts are `gone`; its `own` would take it `own_us` by itself."""
        counts, free_us, left = self.limit.counts, max(self.free_us, now_us), self.left
        if self.limit.pace is not None and (self.others or own.texts):
            interval_us = self.limit.pace.planned_interval_us()
            theirs = left * sum(each.texts * each.units for each in self.others)
            through_us = interval_us * (own.counted(counts) + theirs)
            units_per_us = sum(each.texts_per_us * each.units for each in self.others)
            units_per_us += own.counted(counts) / own_us if own_us else 0
            if units_per_us * interval_us >= 1:
                # While anything waits, it is given away as far as claims reach.
                free_us = max(free_us, min(now_us + _REACH_US, self.free_us + int(through_us)))
            left *= max(1 - (free_us - self.free_us) / through_us, 0)
        daily = self.limit.daily
        same_day = daily is None or daily.day_of(free_us) == daily.day_of(self.free_us)
        used = self.used + gone.counted(counts) if same_day else 0
        return replace(self, free_us=free_us, used=used, left=left)

    def capped_us(self, before: Waiting, last: Waiting, *, leaves_us: float) -> float | None:
        """When the cap lets the last text go that would leave at `leaves_us` without one; None: not within a year."""
        if self.limit.daily is None:
            return leaves_us
        for_us = leaves_us - self.free_us
        units = own = (before + last).counted(self.limit.counts)
        units += sum(min(each.texts * self.left, each.texts_per_us * for_us) * each.units for each in self.others)
        if self.limit.pace is not None:
            units = max(own, min(units, for_us / self.limit.pace.planned_interval_us() + 1))
        if units <= self.limit.daily.amount - self.used:
            return leaves_us
        return self.limit.daily.last_us(units, used=self.used, from_us=self.free_us, every_us=max(for_us / units, 1))

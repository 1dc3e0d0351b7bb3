"""How fast a sender may send, and which moment each text gets.

Times are whole microseconds since the Unix epoch on the hub's clock (the database's, see `domain.ports.clock`).
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Self

from domain.errors import InvalidValue
from domain.model.delivery import DeliveryState

SECOND_US = 1_000_000

_INTERVALS = {"s": 1, "min": 60, "h": 3_600, "day": 86_400}
_WRITTEN = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(?:/(s|min|h|day))?", re.ASCII)

# Slots are planned a little wider than the pace, so that jitter on the way to the provider never makes two texts
# stand closer than it allows.
_SLACK = Fraction(1005, 1000)

_MOST_SEGMENTS = 24  # No program may send longer texts.
_LONGEST_DELAY_US = 300 * SECOND_US


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
        """The least time from a text of so many segments to the next text."""
        return math.ceil(SECOND_US * segments / self.per_second)

    def planned_interval_us(self, segments: int = 1) -> int:
        return math.ceil(SECOND_US * segments * _SLACK / self.per_second)


@dataclass(frozen=True, slots=True)
class Reservation:
    """How much of a sender's line one claim may take. Times are in microseconds."""

    window_us: int = 500_000  # A more urgent text waits no longer than this behind what is reserved.
    lookahead_us: int = 250_000  # The next claim is made this much before the last slot, so that none is missed.
    guard_us: int = 100_000  # How late a slot may still be used; kept free where another dispatcher takes over.
    most: int = 500  # Slots of one sender in one claim.


@dataclass(frozen=True, slots=True)
class Candidate:
    """A queued delivery that may get the next slot, unless something has come up meanwhile."""

    delivery_id: int
    segments: int
    opted_out: bool = False
    canceled: bool = False
    expires_us: int | None = None

    def end_instead_of_slot(self, at_us: int) -> DeliveryState | None:
        """What becomes of it where it is not to be sent at that time; None where it is."""
        if self.canceled:
            return DeliveryState.CANCELED
        if self.opted_out:
            return DeliveryState.BLOCKED
        return DeliveryState.EXPIRED if self.expires_us is not None and self.expires_us <= at_us else None


@dataclass(frozen=True, slots=True)
class Slot:
    """When a delivery is to be sent, and after when it must not be, since the line may be another's by then."""

    delivery_id: int
    at_us: int
    not_after_us: int


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """What one claim does to one sender. `ended` is what becomes of deliveries that are not to be sent. `due_us` is
    when to claim again, None when nothing is left to send.
    """

    slots: tuple[Slot, ...]
    ended: Mapping[int, DeliveryState]
    schedule: "VirtualSchedule"
    due_us: int | None


@dataclass(frozen=True, slots=True)
class VirtualSchedule:
    """The generic cell rate algorithm as a reservation: `next_free_us` is when the sender's line is free again.

    It is the whole memory of what was sent, so it is stored; a restart or another dispatcher goes on from there.
    """

    pace: Pace
    next_free_us: int

    def candidates_wanted(self, now_us: int, reservation: Reservation) -> int:
        """How many candidates a plan can use, were each of one segment."""
        span_us = reservation.lookahead_us + reservation.window_us - max(self.next_free_us - now_us, 0)
        return min(max(span_us // self.pace.planned_interval_us(), 1), reservation.most)

    def plan(
        self, candidates: Sequence[Candidate], *, now_us: int, reservation: Reservation, taken_over: bool = False
    ) -> SlotPlan:
        """Gives the next slots to the candidates, in their order; those that are not to be sent take none.

        A text of n segments keeps the line busy for n intervals after it, even where that is more than the window.
        `taken_over` says that another dispatcher had the sender last, and may use its last slot late.
        """
        first_us = max(min(self.next_free_us, now_us + self._furthest_us(reservation)), 0)
        if taken_over:
            first_us += reservation.guard_us
        at_us = max(first_us, now_us)
        horizon_us = now_us + reservation.lookahead_us + reservation.window_us
        reserved: list[tuple[Candidate, int]] = []
        ended: dict[int, DeliveryState] = {}
        left_over = len(candidates) >= self.candidates_wanted(now_us, reservation)
        for candidate in candidates:
            if (end := candidate.end_instead_of_slot(at_us)) is not None:
                ended[candidate.delivery_id] = end
            elif (reserved and at_us > horizon_us) or len(reserved) == reservation.most:
                left_over = True
                break
            else:
                reserved.append((candidate, at_us))
                at_us += self.pace.planned_interval_us(candidate.segments)
        last_us = at_us + reservation.guard_us
        return SlotPlan(
            slots=tuple(self._slot(candidate, slot_us, last_us) for candidate, slot_us in reserved),
            ended=ended,
            # The guard stays even where nothing was taken: from the next claim on the sender is no longer taken over.
            schedule=replace(self, next_free_us=at_us if reserved else first_us),
            due_us=max(now_us, at_us - reservation.lookahead_us) if left_over else None,
        )

    def delayed(self, by_us: int, *, now_us: int) -> Self:
        """The line kept free for so long from now, as a provider asks by `Retry-After`; five minutes at most."""
        return replace(self, next_free_us=max(self.next_free_us, now_us + min(by_us, _LONGEST_DELAY_US)))

    def _slot(self, candidate: Candidate, at_us: int, last_us: int) -> Slot:
        not_after_us = last_us - self.pace.planned_interval_us(candidate.segments)
        if candidate.expires_us is not None:
            not_after_us = min(not_after_us, candidate.expires_us - 1)
        return Slot(candidate.delivery_id, at_us, not_after_us)

    def _furthest_us(self, reservation: Reservation) -> int:
        """How far ahead the line can really be taken; more than that is a clock that was set back."""
        ahead_us = reservation.lookahead_us + reservation.window_us + reservation.guard_us
        return ahead_us + self.pace.planned_interval_us(_MOST_SEGMENTS) + _LONGEST_DELAY_US

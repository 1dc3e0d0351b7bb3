"""Which moment each text gets. Times are whole microseconds since the Unix epoch on the hub's clock (the database's,
see `domain.ports.clock`).
"""

import heapq
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from domain.model.delivery import DeliveryState
from domain.model.limit import SharedSchedule
from domain.model.message_body import MAX_SEGMENTS
from domain.model.pace import SECOND_US, Pace
from domain.model.turns import NO_TURNS, Candidate, FairOrder, Turns

_LONGEST_DELAY_US = 300 * SECOND_US


def _not_busy(_sender_id: int) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Reservation:
    """How much of a sender's line one claim may take. Times are in microseconds.

    `busy_until` tells by a sender's id when what was claimed before will have left, where that is later than planned:
    slots before that would be used late, and all that follow them.
    """

    window_us: int = 500_000  # A more urgent text waits no longer than this behind what is reserved.
    lookahead_us: int = 250_000  # The next claim is made this much before the last slot, so that none is missed.
    guard_us: int = 250_000  # How late a slot may still be used; kept free where another dispatcher takes over.
    patience_us: int = 5_000_000  # How late a text may leave where its sender's texts need no distance.
    takes_us: int = 0  # How long the claim is likely to take: a slot before its end would be missed.
    stagger_us: int = 200  # Senders that wake up together do not all send at the same moment.
    most: int = 500  # Slots of one sender in one claim.
    most_in_all: int = 100_000  # Slots of all senders in one claim, as far as is known before it.
    busy_until: Callable[[int], int] = _not_busy

    @property
    def reach_us(self) -> int:
        return self.lookahead_us + self.window_us


@dataclass(frozen=True, slots=True)
class Slot:
    """When a delivery is to be sent, and after when it must not be, since the line may be another's by then."""

    delivery_id: int
    at_us: int
    not_after_us: int


@dataclass(frozen=True, slots=True)
class VirtualSchedule:
    """The generic cell rate algorithm (ITU-T I.371) as a reservation: `next_free_us` is when the sender's line
    is free again.

    It is the whole memory of what was sent, so it is stored; a restart or another dispatcher goes on from there.
    `backlog_us` is for senders whose provider queues by itself and paces what it has: how much of its time may be
    taken in advance. 0: texts leave at the pace.
    """

    pace: Pace
    next_free_us: int
    backlog_us: int = 0

    @property
    def last_us(self) -> int:
        """When its last text goes, were it of one segment: who shares a limit has its turn by that."""
        return self.next_free_us - self.backlog_us - self.pace.planned_interval_us()

    def candidates_wanted(self, now_us: int, reservation: Reservation) -> int:
        """How many candidates a plan can use, were each of one segment."""
        span_us = reservation.reach_us + self.backlog_us - max(self.next_free_us - now_us, 0)
        return min(max(span_us // self.pace.planned_interval_us() + 1, 1), reservation.most)

    def delayed(self, by_us: int, *, now_us: int) -> Self:
        """The line kept free for so long from now, as a provider asks by `Retry-After`; five minutes at most."""
        free_us = now_us + min(by_us, _LONGEST_DELAY_US) + self.backlog_us
        return replace(self, next_free_us=max(self.next_free_us, free_us))

    def given_back(self, slots: Iterable[tuple[int, int]]) -> Self:
        """Free again from those slots on, each with its segments, behind which nothing is taken."""
        free_us = self.next_free_us
        for at_us, segments in sorted(slots, reverse=True):
            if at_us + self.pace.planned_interval_us(segments) == free_us:
                free_us = at_us
        return replace(self, next_free_us=free_us)

    def at_pace(self, pace: Pace, *, now_us: int, last_slot_us: int | None) -> Self:
        """With another pace from now on. Slots that are given away keep their times, the last of them `last_slot_us`;
        what is owed for the text after it is owed at the new pace. More than the longest text owes is no debt but a
        delay, which does not depend on the pace.
        """
        from_us = now_us if last_slot_us is None or self.backlog_us else max(now_us, last_slot_us)
        ahead_us = max(self.next_free_us - from_us, 0)
        owed_us = ahead_us if self.backlog_us else min(ahead_us, self.pace.planned_interval_us(MAX_SEGMENTS))
        owed_then_us = math.ceil(owed_us * self.pace.per_second / pace.per_second)
        return replace(self, pace=pace, next_free_us=from_us + ahead_us - owed_us + owed_then_us)

    def furthest_us(self, now_us: int, reservation: Reservation) -> int:
        """How far ahead the line can really be taken; more than that is a clock that was set back."""
        ahead_us = reservation.reach_us + reservation.guard_us + self.backlog_us
        return now_us + ahead_us + self.pace.planned_interval_us(MAX_SEGMENTS) + _LONGEST_DELAY_US


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """What one claim does to one sender. `ended` is what becomes of deliveries that are not to be sent, `put_off` says
    until when recipients are not to be texted. `due_us` is when to claim again, None when nothing is left to send, and
    `next_us` when the next can be sent at the earliest.
    """

    slots: Sequence[Slot]
    ended: Mapping[int, DeliveryState]
    put_off: Mapping[int, int]
    schedule: VirtualSchedule
    turns: Turns
    due_us: int | None
    next_us: int

    def put_off_us(self, candidate: Candidate) -> int | None:
        """Until when to put off one that waits behind all these; None where it may be sent when its turn comes."""
        return candidate.put_off_us(self.next_us, max(self.next_us, self.schedule.next_free_us))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A sender's part in a claim: its own schedule, those that it shares with others, and who waits.

    `most` bounds its slots, and is how many deliveries were looked at of each program and priority; None: as many as
    its schedule can use. `taken_over`: another dispatcher had the sender last, and may use its last slot late.
    """

    schedule: VirtualSchedule
    waiting: Sequence[Candidate]
    turns: Turns = NO_TURNS
    shared: Sequence[SharedSchedule] = ()
    taken_over: bool = False
    most: int | None = None


def plan(lines: Mapping[int, Line], *, now_us: int, reservation: Reservation) -> Mapping[int, SlotPlan]:
    """Gives the next slots of each sender to those whose turn it is; who is not to be sent takes none.

    A text of n segments keeps the line busy for n intervals after it, even where that is more than the window. Senders
    that share a limit get its slots in the order of time, whoever of them is looked at first.
    """
    plans: dict[int, _LinePlan] = {}
    fresh_us = now_us + reservation.takes_us
    for sender_id, line in lines.items():
        busy_us = reservation.busy_until(sender_id)
        its = _LinePlan(line, now_us=now_us, fresh_us=fresh_us, busy_us=busy_us, reservation=reservation)
        plans[sender_id] = its
        if its.is_fresh:
            fresh_us += reservation.stagger_us
    sharing = [(*its.rank, sender_id) for sender_id, its in plans.items() if lines[sender_id].shared]
    heapq.heapify(sharing)
    while sharing:
        at_us, _, sender_id = heapq.heappop(sharing)
        its = plans[sender_id]
        # What the others were given meanwhile may have moved it back.
        if its.rank[0] > at_us or its.give_slot():
            heapq.heappush(sharing, (*its.rank, sender_id))
    for sender_id, its in plans.items():
        if not lines[sender_id].shared:
            while its.give_slot():
                pass
    return {sender_id: its.finished() for sender_id, its in plans.items()}


class _LinePlan:
    def __init__(self, line: Line, *, now_us: int, fresh_us: int, busy_us: int, reservation: Reservation) -> None:
        schedule = line.schedule
        self._line = line
        self._now_us = now_us
        self._reservation = reservation
        self._horizon_us = now_us + reservation.reach_us
        self._most = schedule.candidates_wanted(now_us, reservation) if line.most is None else line.most
        self._waiting = FairOrder(line.waiting, line.turns, looked_at=self._most)
        self._more_wait = self._waiting.more_may_wait
        self._free_us = max(schedule.next_free_us, 0)
        if self._free_us > self._horizon_us:
            self._free_us = min(self._free_us, schedule.furthest_us(now_us, reservation))
        if not schedule.backlog_us:
            if line.taken_over:
                self._free_us += reservation.guard_us
            self._free_us = max(self._free_us, busy_us)
        self._first_us = self._free_us
        self._turn_us = schedule.backlog_us + schedule.pace.planned_interval_us()
        self.is_fresh = self._free_us <= now_us + reservation.takes_us
        self._not_before_us = fresh_us if self.is_fresh else now_us
        self._blocked_until_us: int | None = None
        self._slots: list[tuple[Candidate, int]] = []
        self._ended: dict[int, DeliveryState] = {}
        self._put_off: dict[int, int] = {}

    @property
    def next_us(self) -> int:
        """When the sender itself may send next."""
        return max(self._not_before_us, self._free_us - self._line.schedule.backlog_us)

    @property
    def rank(self) -> tuple[int, int]:
        """When the next may go by all its limits, and when the sender's last one went: of those that wait for the same
        slot, the one gets it whose last is the longest ago.
        """
        own_us = self.next_us
        candidate = self._waiting.peek()
        at_us = own_us if candidate is None else self._at_us(own_us, candidate.segments)
        return at_us, self._free_us - self._turn_us

    def give_slot(self) -> bool:
        """To the next whose turn it is. False where there is none, or no slot in reach."""
        while (candidate := self._waiting.peek()) is not None:
            own_us = self.next_us
            at_us = self._at_us(own_us, candidate.segments)
            if (end := candidate.end_instead_of_slot(at_us)) is not None:
                self._ended[candidate.delivery_id] = end
                self._waiting.drop()
                continue
            # The sender's own next slot is reserved even where it lies far ahead; what is shared, others may need.
            beyond = at_us > self._horizon_us and (bool(self._slots) or at_us > own_us)
            if beyond or len(self._slots) >= self._most:
                self._more_wait = True
                self._blocked_until_us = at_us
                return False
            # A provider that queues by itself lets it go later.
            if (until_us := candidate.put_off_us(at_us, max(at_us, self._free_us))) is not None:
                self._put_off[candidate.delivery_id] = until_us
                self._waiting.drop()
                continue
            self._give(candidate, at_us)
            return True
        return False

    def finished(self) -> SlotPlan:
        schedule = self._line.schedule
        last_us = self._free_us + self._reservation.guard_us
        next_us = self.next_us if self._blocked_until_us is None else self._blocked_until_us
        return SlotPlan(
            slots=[self._slot(candidate, at_us, last_us) for candidate, at_us in self._slots],
            ended=self._ended,
            put_off=self._put_off,
            # The guard stays even where nothing was taken: from the next claim on the sender is no longer taken over.
            schedule=VirtualSchedule(
                schedule.pace, self._free_us if self._slots else self._first_us, schedule.backlog_us
            ),
            turns=self._waiting.turns(),
            due_us=max(self._now_us, next_us - self._ahead_us) if self._more_wait else None,
            next_us=next_us,
        )

    @property
    def _ahead_us(self) -> int:
        """How long before the next slot to claim again. What is shared is given away as far as claims reach: who comes
        later than that to it would find it taken.
        """
        return self._reservation.reach_us if self._line.shared else self._reservation.lookahead_us

    def _at_us(self, own_us: int, segments: int) -> int:
        """The first moment that suits the sender and all that it shares."""
        if not self._line.shared:
            return own_us
        at_us = own_us
        while True:
            suits_us = at_us
            for shared in self._line.shared:
                suits_us = shared.earliest_us(suits_us, segments)
            if suits_us == at_us:
                return at_us
            at_us = suits_us

    def _give(self, candidate: Candidate, at_us: int) -> None:
        for shared in self._line.shared:
            shared.take(at_us, candidate.segments)
        self._slots.append((candidate, at_us))
        self._waiting.take()
        self._free_us = max(self._free_us, at_us) + self._line.schedule.pace.planned_interval_us(candidate.segments)

    def _slot(self, candidate: Candidate, at_us: int, last_us: int) -> Slot:
        if self._line.schedule.backlog_us:
            not_after_us = at_us + self._reservation.patience_us
        else:
            not_after_us = last_us - self._line.schedule.pace.planned_interval_us(candidate.segments)
        if self._line.shared:
            not_after_us = min(not_after_us, at_us + self._reservation.guard_us)
        if candidate.expires_us is not None:
            not_after_us = min(not_after_us, candidate.expires_us - 1)
        if candidate.hours is not None:
            not_after_us = min(not_after_us, candidate.hours.closes_us(candidate.zones, at_us) - 1)
        return Slot(candidate.delivery_id, at_us, not_after_us)

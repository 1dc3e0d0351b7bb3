"""What waits at a sender, and when a new text would be through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from domain.model.pace import Pace
from domain.model.priority import Priority
from domain.model.shared_line import SharedLine
from domain.model.slots import Reservation
from domain.model.turns import NO_TURNS, PASSED_OVER, Turns
from domain.model.waiting import NOTHING, Waiting, most_had, together

_REACH_US, _LOOKAHEAD_US = Reservation().reach_us, Reservation().lookahead_us
_LATE_US = 25_000  # How late a claim is made, on the average.


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAhead:
    """How it is at `at_us`. What is `waiting`, by priority and program, has no slot yet; texts for later count when
    their time comes. `free_us` is when the line is free of what has one; where the provider queues by itself, texts
    leave `backlog_us` before their time. `shared` are the limits that the sender stands under. `stopped`: nothing is
    sent before somebody lets it go on; `paused` are programs for which that holds.
    """

    pace: Pace
    at_us: int
    free_us: int = 0
    backlog_us: int = 0
    waiting: Mapping[tuple[Priority, str], Waiting] = field(default_factory=dict)
    turns: Turns = NO_TURNS
    shared: Sequence[SharedLine] = ()
    stopped: bool = False
    paused: frozenset[str] = frozenset()

    def joined(self, program_id: str, priority: Priority, accepted: Waiting, *, now_us: int) -> Self:
        ahead = self.by(now_us)
        line = priority, program_id
        return replace(ahead, waiting={**ahead.waiting, line: ahead.waiting.get(line, NOTHING) + accepted})

    def completed_us(
        self,
        program_id: str,
        priority: Priority,
        *,
        texts: int,
        segments: float,
        now_us: int,
        not_before_us: int | None = None,
    ) -> int | None:
        """When the last of so many texts would leave, each of so many segments, which may be an average. None where
        nobody can say.
        """
        if self.stopped or program_id in self.paused:
            return None
        if not_before_us is not None and self._is_held_up_by_a_cap:
            return None
        from_us = now_us if not_before_us is None else max(now_us, not_before_us)
        leaves_us = self.by(from_us).leaves_us(program_id, priority, texts=texts, segments=segments)
        return None if leaves_us is None else max(leaves_us, from_us)

    def by(self, now_us: int) -> Self:
        """How it is later, as far as can be told: texts get their slots, and nobody comes."""
        if now_us - self.at_us <= _LATE_US and (self.waiting or self.shared):
            return self  # What was due to be claimed then, is due still.
        next_us = self._leaves_us(NOTHING)
        ahead_us = _REACH_US if self.shared else _LOOKAHEAD_US
        late_us = now_us - _LATE_US + ahead_us - next_us
        if late_us < 0 and not self.shared:
            return self
        everything = together(self.waiting.values())
        gone, free_us, waiting, turns = NOTHING, self.free_us, self.waiting, self.turns
        if late_us >= 0 and everything.texts:
            text_us = (self._leaves_us(everything) - next_us) / everything.texts
            a_claim = (_REACH_US - ahead_us + _LATE_US) // text_us + 1
            claimed = (late_us // (text_us * a_claim) + 1) * a_claim
            gone = everything.first(min([claimed, *(line.most(everything) for line in self.shared)]))
            free_us, turns = int(next_us + gone.texts * text_us), NO_TURNS
            waiting = _left(waiting, gone.segments)
        own_us = everything.segments * self.pace.planned_interval_us()
        shared = [line.by(now_us, own=everything, own_us=own_us, gone=gone) for line in self.shared]
        return replace(self, at_us=now_us, free_us=free_us, waiting=waiting, turns=turns, shared=shared)

    def leaves_us(self, program_id: str, priority: Priority, *, texts: int, segments: float) -> int | None:
        """When the last of so many would leave that came at this moment, each of so many segments, which may be an
        average. None: not within a year.
        """
        before = self._before_the_last(program_id, priority, texts, segments)
        leaves_us = self._leaves_us(before)
        by_caps = [line.capped_us(before, Waiting(1, segments), leaves_us=leaves_us) for line in self.shared]
        allowed = [each for each in by_caps if each is not None]
        return int(max([leaves_us, *allowed])) if len(allowed) == len(by_caps) else None

    @property
    def _is_held_up_by_a_cap(self) -> bool:
        everything = together(self.waiting.values())
        return any(line.most(everything) < everything.texts for line in self.shared)

    def _leaves_us(self, before: Waiting) -> float:
        """When a text leaves that has so many before it, but for daily caps."""
        next_us = max(self.free_us, self.at_us - self.backlog_us)
        interval_us = self.pace.planned_interval_us()
        takes_us = before.segments * interval_us
        for line in self.shared:
            next_us = max(next_us, line.free_us)
            takes_us = max(takes_us, line.takes_us(before, last_us=self.free_us - interval_us))
        return next_us + takes_us

    def _before_the_last(self, program_id: str, priority: Priority, texts: int, segments: float) -> Waiting:
        """What has its turn (`domain.model.turns`) before the last of so many new ones."""
        own = self.waiting.get((priority, program_id), NOTHING)
        before = own + Waiting(texts - 1, (texts - 1) * segments)
        if len(self.waiting) == bool(own.texts):
            return before
        served, passed_over = self.turns.served, self.turns.passed_over
        had = served.get((priority, program_id), 0) + before.segments
        above, below = NOTHING, dict.fromkeys(Priority, NOTHING)
        for (lane, program), waits in self.waiting.items():
            if lane < priority:
                above += waits
            elif lane > priority:
                below[lane] += waits
            elif program != program_id and (behind := had - served.get((lane, program), 0)) >= 0:
                before += waits.first(behind * waits.texts // waits.segments + 1)
        before += above.first((before.texts + 1) * PASSED_OVER - passed_over.get(priority, 0))
        for lane, waits in below.items():
            before += waits.first((before.texts + passed_over.get(lane, 0)) // PASSED_OVER)
        return before


def _left(waiting: Mapping[tuple[Priority, str], Waiting], gone: float) -> Mapping[tuple[Priority, str], Waiting]:
    """What is left when so many segments have gone in their turns."""
    left: dict[tuple[Priority, str], Waiting] = {}
    lower = sum(waits.segments for waits in waiting.values())
    for lane in Priority:
        lines = {line: waits for line, waits in waiting.items() if line[0] == lane}
        in_lane = sum(waits.segments for waits in lines.values())
        lower -= in_lane
        had = min(in_lane, gone - min(lower, gone / (PASSED_OVER + 1)))
        gone -= had
        each = most_had([waits.segments for waits in lines.values()], had)
        for line, waits in lines.items():
            if waits.segments > each:
                left[line] = waits - waits.first(each * waits.texts / waits.segments)
    return left

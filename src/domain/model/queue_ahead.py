"""What waits at a sender, and when a new text would be through."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from domain.model.pace import Pace
from domain.model.priority import Priority
from domain.model.turns import PASSED_OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAhead:
    """`segments` wait, by priority and program; those of texts for later count when their time comes. `free_us` is when
    the line is free of what is reserved, and `pace` the slowest of those that the sender is bound to. `stopped`:
    nothing is sent before somebody lets it go on; `paused` are programs for which that holds.
    """

    pace: Pace
    free_us: int
    segments: Mapping[tuple[Priority, str], int] = field(default_factory=dict)
    stopped: bool = False
    paused: frozenset[str] = frozenset()

    def joined(self, program_id: str, priority: Priority, segments: int) -> Self:
        line = priority, program_id
        return replace(self, segments={**self.segments, line: self.segments.get(line, 0) + segments})

    def completed_us(
        self,
        program_id: str,
        priority: Priority,
        *,
        segments: int,
        of_the_last: int,
        now_us: int,
        not_before_us: int | None = None,
    ) -> int | None:
        """When the last of so many segments would be sent, as turns are given (`domain.model.turns`); `of_the_last`
        are those of the last text, which need not be waited for. None where nobody can say.
        """
        if self.stopped or program_id in self.paused:
            return None
        free_us = max(now_us, self.free_us)
        if not_before_us is not None and not_before_us > free_us:
            # What waits now is through by then, or goes on being waited for.
            drained_us = free_us + self._interval_us(sum(self.segments.values()))
            return max(not_before_us, drained_us) + self._interval_us(segments - of_the_last)
        return free_us + self._interval_us(self._before_the_end(program_id, priority, segments) - of_the_last)

    def _interval_us(self, segments: int) -> int:
        return self.pace.planned_interval_us(segments) if segments > 0 else 0

    def _before_the_end(self, program_id: str, priority: Priority, segments: int) -> int:
        own = self.segments.get((priority, program_id), 0) + segments
        beside = sum(
            min(waiting, own)
            for (lane, program), waiting in self.segments.items()
            if lane == priority and program != program_id
        )
        above = sum(waiting for (lane, _), waiting in self.segments.items() if lane < priority)
        below = sum(waiting for (lane, _), waiting in self.segments.items() if lane > priority)
        # Of more urgent texts so many go by at the most before it is this lane's turn, and lower lanes have theirs.
        through = min(own + beside + above, (own + beside) * (PASSED_OVER + 1))
        return through + min(below, through // PASSED_OVER)

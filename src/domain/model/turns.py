"""Whose turn it is at a sender: more urgent texts go first, programs take turns, and nobody waits for ever."""

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.model.delivery import DeliveryState
from domain.model.priority import Priority
from domain.model.texting_hours import TextingHours

# A lane that waits while this many texts of more urgent lanes go gets the next turn.
PASSED_OVER = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A queued delivery that may get the next slot, unless something has come up meanwhile.

    `hours` are those in which its recipient, who is in `zones`, is texted; None: at any time.
    """

    delivery_id: int
    segments: int
    priority: Priority = Priority.NORMAL
    program_id: str = ""
    opted_out: bool = False
    canceled: bool = False
    expires_us: int | None = None
    hours: TextingHours | None = None
    zones: tuple[str, ...] = ()

    def end_instead_of_slot(self, at_us: int) -> DeliveryState | None:
        """What becomes of it where it is not to be sent at that time; None where it is."""
        if self.canceled:
            return DeliveryState.CANCELED
        if self.opted_out:
            return DeliveryState.BLOCKED
        return DeliveryState.EXPIRED if self.expires_us is not None and self.expires_us <= at_us else None

    def put_off_us(self, *times_us: int) -> int | None:
        """Until when its recipient is not to be texted; None where they may be at each of these times."""
        if self.hours is not None:
            for at_us in times_us:
                if (opens_us := self.hours.opens_us(self.zones, at_us)) > at_us:
                    return opens_us
        return None


@dataclass(frozen=True, slots=True)
class Turns:
    """What a sender remembers of the turns it has given, from one claim to the next.

    `passed_over` is how many texts went by each waiting lane since it had a turn; `served` is how many segments each
    waiting program of a lane had beyond the least of them. Both are empty while one program waits in one lane.
    """

    passed_over: Mapping[Priority, int] = field(default_factory=dict)
    served: Mapping[tuple[Priority, str], int] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> "Turns":
        """From what `written` gave; None is what it gives where there is nothing to remember."""
        if text is None:
            return NO_TURNS
        stored = json.loads(text)
        return cls(
            {Priority(lane): count for lane, count in stored["passed_over"]},
            {(Priority(lane), program): count for lane, program, count in stored["served"]},
        )

    def written(self) -> str | None:
        """As `read` takes it; None where there is nothing to remember."""
        if not self.passed_over and not self.served:
            return None
        return json.dumps(
            {
                "passed_over": [[int(lane), count] for lane, count in self.passed_over.items()],
                "served": [[int(lane), program, count] for (lane, program), count in self.served.items()],
            },
            separators=(",", ":"),
        )


NO_TURNS = Turns()


class FairOrder:
    """The candidates of one sender in the order in which they are to be sent.

    Those of one program and priority keep the order in which they are given, which is that of their acceptance. Where
    there are `looked_at` of them, more may wait behind: nobody's turn is known any more when these are through. None:
    all are here.
    """

    def __init__(self, candidates: Iterable[Candidate], turns: Turns, *, looked_at: int | None = None) -> None:
        self._lanes: dict[Priority, dict[str, deque[Candidate]]] = {}
        for each in candidates:
            self._lanes.setdefault(each.priority, {}).setdefault(each.program_id, deque()).append(each)
        lines = [(lane, program) for lane, programs in self._lanes.items() for program in programs]
        self._cut_off = {
            (lane, program)
            for lane, program in lines
            if looked_at is not None and len(self._lanes[lane][program]) >= looked_at
        }
        self.more_may_wait = bool(self._cut_off)
        self._out_of_sight = False
        self._passed_over: dict[Priority, int] = {}
        self._served = dict.fromkeys(lines, 0)
        # Where there is but one line, as with most senders, no turns are to be told.
        if len(lines) > 1:
            self._remember(turns)

    def _remember(self, turns: Turns) -> None:
        self._passed_over = {lane: turns.passed_over.get(lane, 0) for lane in sorted(self._lanes)}
        for lane, programs in self._lanes.items():
            known = {program: turns.served[lane, program] for program in programs if (lane, program) in turns.served}
            # A program that comes anew is neither ahead of the others nor behind them.
            least = min(known.values(), default=0)
            self._served |= {(lane, program): known.get(program, least) - least for program in programs}

    def peek(self) -> Candidate | None:
        """Whose turn it is; None where nobody waits."""
        if not self._lanes or self._out_of_sight:
            return None
        lane = self._next_lane() if len(self._lanes) > 1 else next(iter(self._lanes))
        programs = self._lanes[lane]
        if len(programs) == 1:
            (waiting,) = programs.values()
            return waiting[0]
        return min(programs.values(), key=lambda waiting: self._rank(waiting[0]))[0]

    def take(self) -> None:
        """The one whose turn it is gets its slot."""
        taken = self._pop()
        self._served[taken.priority, taken.program_id] += taken.segments
        for lane in self._passed_over:
            if lane == taken.priority:
                self._passed_over[lane] = 0
            elif lane > taken.priority:
                self._passed_over[lane] += 1

    def drop(self) -> None:
        """The one whose turn it is needs none."""
        self._pop()

    def turns(self) -> Turns:
        """What is to be remembered of those that wait still, or may."""
        if not self._lanes and len(self._cut_off) < 2:
            return NO_TURNS
        waiting = self._cut_off | {(lane, program) for lane, programs in self._lanes.items() for program in programs}
        if len(waiting) < 2:
            return NO_TURNS
        lanes = {lane for lane, _ in waiting}
        served: dict[tuple[Priority, str], int] = {}
        for lane in lanes:
            counts = {program: self._served[lane, program] for its, program in waiting if its == lane}
            if len(counts) > 1:
                served |= {(lane, program): count - min(counts.values()) for program, count in counts.items()}
        passed_over = {lane: count for lane, count in self._passed_over.items() if lane in lanes and count}
        return Turns(passed_over if len(lanes) > 1 else {}, served)

    def _next_lane(self) -> Priority:
        for lane in reversed(self._passed_over):
            if lane in self._lanes and self._passed_over[lane] >= PASSED_OVER:
                return lane
        return min(self._lanes)

    def _rank(self, candidate: Candidate) -> tuple[int, int]:
        return self._served[candidate.priority, candidate.program_id], candidate.delivery_id

    def _pop(self) -> Candidate:
        candidate = self.peek()
        if candidate is None:
            raise LookupError("Nobody waits.")
        programs = self._lanes[candidate.priority]
        waiting = programs[candidate.program_id]
        waiting.popleft()
        if not waiting:
            del programs[candidate.program_id]
            self._out_of_sight = (candidate.priority, candidate.program_id) in self._cut_off
            if not programs:
                del self._lanes[candidate.priority]
        return candidate

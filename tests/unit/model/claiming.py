"""Senders and limits, claim after claim, with what a store keeps between them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.model.limit import Limit, SharedSchedule
from domain.model.pace import Pace
from domain.model.priority import Priority
from domain.model.slots import Line, Reservation, VirtualSchedule, plan
from domain.model.turns import Candidate, Turns
from tests.unit.builders import NOON, SECOND

DAY = 86_400 * SECOND
RESERVATION = Reservation()
CADENCE = 50_000


@dataclass(frozen=True, slots=True)
class Sent:
    sender: str
    at_us: int
    candidate: Candidate


@dataclass
class Sender:
    """As it is stored. `queued` are its texts by priority and program, each line in its order."""

    schedule: VirtualSchedule
    limits: Sequence[str] = ()
    queued: dict[tuple[Priority, str], list[Candidate]] = field(default_factory=lambda: defaultdict(list))
    turns: str | None = None
    due_us: int | None = None
    owner: int = 1

    def candidates(self, wanted: int) -> list[Candidate]:
        return [each for key in sorted(self.queued) for each in self.queued[key][:wanted]]


class Hub:
    """Senders and limits as a store keeps them. `sent` is what got a slot, in the order of the slots."""

    def __init__(self, limits: Mapping[str, Limit], *, reservation: Reservation = RESERVATION) -> None:
        self.limits = limits
        self.kept: dict[str, tuple[Sequence[Sequence[int]], int | None, int]] = dict.fromkeys(limits, ((), None, 0))
        self.senders: dict[str, Sender] = {}
        self.reservation = reservation
        self.now_us = NOON
        self.given: list[Sent] = []

    def sender(self, name: str, pace: str, *limits: str, backlog_us: int = 0) -> None:
        self.senders[name] = Sender(VirtualSchedule(Pace.parse(pace), 0, backlog_us), limits)

    def accept(
        self, sender: str, count: int = 1, *, segments: int = 1, program: str = "", priority: Priority = Priority.NORMAL
    ) -> None:
        its = self.senders[sender]
        first = sum(len(line) for each in self.senders.values() for line in each.queued.values()) + len(self.given)
        its.queued[priority, program] += [
            Candidate(delivery_id=first + which, segments=segments, priority=priority, program_id=program)
            for which in range(count)
        ]
        its.due_us = self.now_us if its.due_us is None else its.due_us

    def claim(self, dispatcher: int = 1) -> int:
        """How many got a slot."""
        due = {
            name: each for name, each in self.senders.items() if each.due_us is not None and each.due_us <= self.now_us
        }
        order = sorted(due, key=lambda name: due[name].due_us or 0)
        shared = {
            name: SharedSchedule(limit, taken=taken, day=day, used=used, now_us=self.now_us)
            for name, limit in self.limits.items()
            for taken, day, used in [self.kept[name]]
        }
        wanted = [due[name].schedule.candidates_wanted(self.now_us, self.reservation) for name in order]
        lines = {
            place: Line(
                schedule=its.schedule,
                waiting=its.candidates(wanted[place]),
                turns=Turns.read(its.turns),
                shared=[shared[limit] for limit in its.limits],
                taken_over=its.owner != dispatcher,
            )
            for place, its in enumerate(due[name] for name in order)
        }
        plans = plan(lines, now_us=self.now_us, reservation=self.reservation)
        for place, its_plan in plans.items():
            its = due[order[place]]
            its.schedule, its.turns, its.owner = its_plan.schedule, its_plan.turns.written(), dispatcher
            its.due_us = its_plan.due_us
            slots = {slot.delivery_id: slot.at_us for slot in its_plan.slots}
            gone = slots.keys() | its_plan.ended.keys()
            for line in its.queued.values():
                head = line[: wanted[place]]
                self.given += [
                    Sent(order[place], slots[each.delivery_id], each) for each in head if each.delivery_id in slots
                ]
                line[: wanted[place]] = [each for each in head if each.delivery_id not in gone]
            if its.due_us is None and any(its.queued.values()):
                its.due_us = self.now_us
        used = {limit for its in due.values() for limit in its.limits}
        self.kept |= {name: (shared[name].taken, shared[name].day, shared[name].used) for name in used}
        return sum(len(each.slots) for each in plans.values())

    def run(self, for_us: int) -> None:
        """As one dispatcher claims: what is due, but never twice in 50 ms."""
        until_us = self.now_us + for_us
        while True:
            dues = [each.due_us for each in self.senders.values() if each.due_us is not None]
            if not dues or max(min(dues), self.now_us) >= until_us:
                break
            self.now_us = max(min(dues), self.now_us)
            self.claim()
            self.now_us += CADENCE
        self.now_us = max(self.now_us, until_us)

    def sent(self, *senders: str, before_us: int | None = None) -> list[Sent]:
        found = [
            each
            for each in self.given
            if (not senders or each.sender in senders) and (before_us is None or each.at_us < before_us)
        ]
        return sorted(found, key=lambda each: each.at_us)

    def segments(self, *senders: str, before_us: int | None = None) -> int:
        return sum(each.candidate.segments for each in self.sent(*senders, before_us=before_us))

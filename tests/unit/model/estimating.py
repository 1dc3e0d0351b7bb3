"""Queues as they are found at noon, and how long a new text would take."""

from collections.abc import Mapping

from domain.model.pace import Pace
from domain.model.priority import Priority
from domain.model.queue_ahead import QueueAhead
from domain.model.shared_line import SharedLine
from domain.model.turns import Turns
from domain.model.waiting import Waiting
from tests.unit.builders import NOON

PACE = Pace.parse("1/s")
PLANNED = PACE.planned_interval_us()


def a_queue(
    waiting: Mapping[tuple[Priority, str], int | Waiting] | None = None,
    *limits: SharedLine,
    free_us: int = 0,
    turns: str | None = None,
    backlog_us: int = 0,
) -> QueueAhead:
    """Texts are of one segment where nothing else is said."""
    its = {line: Waiting(each, each) if isinstance(each, int) else each for line, each in (waiting or {}).items()}
    return QueueAhead(
        pace=PACE,
        at_us=NOON,
        free_us=free_us,
        backlog_us=backlog_us,
        waiting=its,
        turns=Turns.read(turns),
        shared=limits,
    )


def seconds(
    queue: QueueAhead,
    texts: int = 1,
    *,
    program: str = "ours",
    priority: Priority = Priority.NORMAL,
    segments: int = 1,
    at_us: int = NOON,
    not_before_us: int | None = None,
) -> float:
    """From `at_us` until the last has left, in planned seconds."""
    completed_us = queue.completed_us(
        program, priority, texts=texts, segments=segments, now_us=at_us, not_before_us=not_before_us
    )
    assert completed_us is not None
    return (completed_us - at_us) / PLANNED

import pytest

from domain.model.pace import Pace
from domain.model.priority import Priority
from domain.model.queue_ahead import QueueAhead
from tests.unit.builders import NOON, SECOND

PACE = Pace.parse("1/s")
PLANNED = PACE.planned_interval_us()
URGENT, NORMAL, BULK = Priority


def seconds(
    waiting: dict[tuple[Priority, str], int],
    *,
    program: str = "ours",
    priority: Priority = NORMAL,
    segments: int = 1,
    of_the_last: int = 1,
    free_us: int = 0,
    not_before_us: int | None = None,
) -> float:
    ahead = QueueAhead(pace=PACE, free_us=free_us, segments=waiting)
    completed_us = ahead.completed_us(
        program, priority, segments=segments, of_the_last=of_the_last, now_us=NOON, not_before_us=not_before_us
    )
    assert completed_us is not None
    return (completed_us - NOON) / PLANNED


def test_a_text_with_nobody_before_it_goes_at_once() -> None:
    assert seconds({}) == 0


def test_the_last_of_many_waits_for_the_others() -> None:
    assert seconds({}, segments=30, of_the_last=3) == 27


def test_what_the_line_owes_comes_first() -> None:
    assert seconds({}, free_us=NOON + 3 * PLANNED) == 3


def test_its_own_programs_texts_go_before_it() -> None:
    assert seconds({(NORMAL, "ours"): 100}) == 100


def test_another_programs_batch_holds_it_up_by_a_turn() -> None:
    assert seconds({(NORMAL, "theirs"): 25_000}) == 1


def test_programs_take_turns_until_theirs_are_through() -> None:
    assert seconds({(NORMAL, "theirs"): 25_000, (NORMAL, "library"): 10}, segments=100) == 100 + 10 + 99


def test_urgent_texts_go_before_it() -> None:
    assert seconds({(URGENT, "theirs"): 5}) == 5


def test_no_lane_is_starved_by_urgent_ones() -> None:
    assert seconds({(URGENT, "theirs"): 10_000}) == 9


def test_less_urgent_ones_get_a_tenth_of_the_slots() -> None:
    assert seconds({(BULK, "theirs"): 10_000}, segments=90) == 99


def test_what_is_for_later_waits_until_then() -> None:
    later = NOON + 100 * PLANNED
    assert seconds({(NORMAL, "ours"): 10}, not_before_us=later, segments=5) == 104
    assert seconds({(NORMAL, "ours"): 200}, not_before_us=later, segments=5) == 204


def test_what_joins_is_before_whoever_comes_after() -> None:
    ahead = QueueAhead(pace=PACE, free_us=0).joined("ours", NORMAL, 7).joined("ours", NORMAL, 3)
    assert ahead.completed_us("ours", NORMAL, segments=1, of_the_last=1, now_us=NOON) == NOON + 10 * PLANNED


@pytest.mark.parametrize(
    "ahead",
    [
        QueueAhead(pace=PACE, free_us=0, stopped=True),
        QueueAhead(pace=PACE, free_us=0, paused=frozenset({"ours"})),
    ],
)
def test_nobody_knows_when_what_stands_still_goes_on(ahead: QueueAhead) -> None:
    assert ahead.completed_us("ours", NORMAL, segments=1, of_the_last=1, now_us=NOON) is None
    assert ahead.completed_us("ours", NORMAL, segments=1, of_the_last=1, now_us=NOON, not_before_us=SECOND) is None

import pytest

from domain.model.priority import Priority
from domain.model.queue_ahead import QueueAhead
from domain.model.waiting import Waiting
from tests.unit.builders import NOON, SECOND
from tests.unit.model.estimating import PACE, PLANNED, a_queue, seconds

URGENT, NORMAL, BULK = Priority


def test_a_text_with_nobody_before_it_goes_at_once() -> None:
    assert seconds(a_queue()) == 0


def test_the_last_of_many_waits_for_the_others() -> None:
    assert seconds(a_queue(), 10, segments=3) == 27


def test_what_is_reserved_comes_first() -> None:
    assert seconds(a_queue(free_us=NOON + 3 * PLANNED)) == 3


def test_its_own_programs_texts_go_before_it() -> None:
    assert seconds(a_queue({(NORMAL, "ours"): 100})) == 100


def test_another_programs_batch_holds_it_up_by_what_is_reserved_and_a_turn() -> None:
    reserved_us = NOON + PLANNED
    assert seconds(a_queue({(NORMAL, "theirs"): 25_000}, free_us=reserved_us)) == 2
    assert seconds(a_queue({(NORMAL, "theirs"): Waiting(5_000, 15_000)}, free_us=reserved_us)) == 4


def test_programs_take_turns_until_theirs_are_through() -> None:
    waiting = {(NORMAL, "theirs"): 25_000, (NORMAL, "library"): 10}
    assert seconds(a_queue(waiting, free_us=NOON + PLANNED), 100) == 1 + 100 + 10 + 99


def test_a_program_that_has_had_its_turn_is_behind() -> None:
    queue = a_queue(
        {(NORMAL, "theirs"): 20, (NORMAL, "library"): 20},
        free_us=NOON + PLANNED,
        turns='{"passed_over":[],"served":[[1,"theirs",0],[1,"library",1]]}',
    )
    assert seconds(queue) == 2


def test_urgent_texts_go_before_it() -> None:
    assert seconds(a_queue({(URGENT, "theirs"): 5})) == 5


def test_no_lane_is_starved_by_urgent_ones() -> None:
    queue = a_queue({(URGENT, "theirs"): 10_000}, free_us=NOON + PLANNED)
    assert seconds(queue) == 1 + 9


def test_a_lane_that_waits_already_is_passed_over_no_more_than_that() -> None:
    queue = a_queue(
        {(URGENT, "theirs"): 100, (NORMAL, "ours"): 1},
        free_us=NOON + PLANNED,
        turns='{"passed_over":[[1,7]],"served":[]}',
    )
    assert seconds(queue) == 1 + 2 + 1 + 9


@pytest.mark.parametrize(("waiting", "after"), [({BULK: 10_000}, 99), ({NORMAL: 10_000, BULK: 10_000}, 109)])
def test_each_less_urgent_lane_gets_its_turn(waiting: dict[Priority, int], after: int) -> None:
    queue = a_queue({(lane, "theirs"): texts for lane, texts in waiting.items()}, free_us=NOON + PLANNED)
    assert seconds(queue, 90, priority=URGENT) == pytest.approx(1 + after, abs=1)


def test_what_is_for_later_waits_until_then_and_for_what_waits_still() -> None:
    later_us = NOON + 100 * PLANNED
    assert seconds(a_queue({(NORMAL, "ours"): 10}), 5, not_before_us=later_us) == 104
    assert seconds(a_queue({(NORMAL, "ours"): 200}), 5, not_before_us=later_us) == 204
    assert seconds(a_queue({(NORMAL, "theirs"): 200}), 5, not_before_us=later_us) == pytest.approx(110, abs=1)


def test_what_joins_is_before_whoever_comes_after() -> None:
    queue = a_queue()
    for texts in (7, 3):
        queue = queue.joined("ours", NORMAL, Waiting(texts, texts), now_us=NOON)
    assert seconds(queue) == 10


def test_the_queue_goes_on_while_nobody_looks() -> None:
    queue = a_queue({(NORMAL, "ours"): 20, (NORMAL, "theirs"): 200}, free_us=NOON)
    at_us = NOON + 10 * PLANNED
    assert seconds(queue, at_us=at_us) == pytest.approx(30, abs=1)
    assert seconds(queue, program="other", at_us=at_us) == pytest.approx(3, abs=1)
    assert seconds(queue, at_us=NOON + 300 * PLANNED) == 0


def test_what_was_due_to_be_claimed_a_moment_ago_is_so_still() -> None:
    queue = a_queue({(NORMAL, "theirs"): 100}, free_us=NOON + 200_000)
    assert seconds(queue, priority=URGENT, at_us=NOON + 20_000) * PLANNED == 180_000
    assert seconds(queue, priority=URGENT, at_us=NOON + 60_000) * PLANNED == 140_000 + PLANNED


def test_a_provider_that_queues_by_itself_gets_texts_as_long_as_its_queue_is_short() -> None:
    an_hour_us = 3_600 * PLANNED
    queue = a_queue(free_us=NOON - an_hour_us, backlog_us=an_hour_us)
    assert seconds(queue, 3_600) == 0
    assert seconds(queue, 4_601) == 1_000
    assert seconds(a_queue(free_us=NOON + SECOND, backlog_us=an_hour_us), 2) == (SECOND + PLANNED) / PLANNED


@pytest.mark.parametrize(
    "queue",
    [
        QueueAhead(pace=PACE, at_us=NOON, stopped=True),
        QueueAhead(pace=PACE, at_us=NOON, paused=frozenset({"ours"})),
    ],
)
@pytest.mark.parametrize("not_before_us", [None, NOON + SECOND])
def test_nobody_knows_when_what_stands_still_goes_on(queue: QueueAhead, not_before_us: int | None) -> None:
    completed_us = queue.completed_us("ours", NORMAL, texts=1, segments=1, now_us=NOON, not_before_us=not_before_us)
    assert completed_us is None

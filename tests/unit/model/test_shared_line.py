"""When a text would be through beside those of other senders, and with so many a day."""

from collections.abc import Sequence

import pytest

from domain.model.limit import Counted, DailyCap, Limit
from domain.model.pace import Pace
from domain.model.priority import Priority
from domain.model.queue_ahead import QueueAhead
from domain.model.shared_line import OtherSender, SharedLine, WaitingSender
from domain.model.slots import VirtualSchedule
from domain.model.waiting import Waiting
from tests.unit.builders import NOON, SECOND
from tests.unit.model.claiming import DAY
from tests.unit.model.estimating import PACE, PLANNED, a_queue, seconds

NORMAL = Priority.NORMAL
MIDNIGHT = NOON - NOON % DAY + DAY


def a_limit(
    pace: str | None = "1/s",
    *others: OtherSender,
    counts: Counted = Counted.SEGMENTS,
    free_us: int = NOON,
    cap: DailyCap | None = None,
    used: int = 0,
) -> SharedLine:
    limit = Limit(name="campaign", counts=counts, pace=None if pace is None else Pace.parse(pace), daily=cap)
    return SharedLine(limit=limit, free_us=free_us, used=used, others=others)


def another(texts: int, pace: str = "50/s", *, segments: int = 1, counts: Counted = Counted.SEGMENTS) -> OtherSender:
    """A sender whose last text was a moment ago."""
    schedule = VirtualSchedule(Pace.parse(pace), next_free_us=NOON)
    waiting = WaitingSender(2, frozenset({1}), schedule, Waiting(texts, texts * segments))
    return OtherSender.of(waiting, counts)


def test_a_limit_that_is_slower_than_the_sender_sets_its_pace() -> None:
    assert seconds(a_queue(None, a_limit("0.5/s")), 11) == 20


@pytest.mark.parametrize(("texts", "segments", "after"), [(6, 1, 10), (2, 3, 3), (6, 3, 15)])
def test_a_limit_on_requests_counts_a_long_text_once(texts: int, segments: int, after: int) -> None:
    limit = a_limit("0.5/s", counts=Counted.REQUESTS)
    assert seconds(a_queue(None, limit), texts, segments=segments) == after


@pytest.mark.parametrize(
    ("others", "after"),
    [
        ([another(1_000)], 200),
        ([another(30)], 130),
        ([another(1_000), another(1_000)], 300),
        ([another(1_000, segments=3)], 400),
    ],
)
def test_senders_of_one_limit_take_turns(others: Sequence[OtherSender], after: int) -> None:
    assert seconds(a_queue(None, a_limit("1/s", *others)), 101) == pytest.approx(after, abs=1)


def test_a_slow_sender_gets_no_more_turns_than_its_own_pace_allows() -> None:
    limit = a_limit("1/s", another(1_000, "0.1/s"))
    assert seconds(a_queue(None, limit), 91) == pytest.approx(100, rel=0.01)


def test_a_limit_with_room_for_all_holds_nobody_up() -> None:
    assert seconds(a_queue(None, a_limit("30/s", another(1_000, "10/s"), another(1_000, "10/s"))), 101) == 100


def test_what_the_limit_has_given_away_comes_first() -> None:
    assert seconds(a_queue(None, a_limit("1/s", another(10), free_us=NOON + 2 * PLANNED))) == 2


def test_a_busy_limit_is_given_away_ahead_of_time_while_nobody_looks() -> None:
    queue = a_queue(None, a_limit("10/s", another(1_000)))
    assert seconds(queue, at_us=NOON + SECOND) * PLANNED == pytest.approx(0.75 * SECOND, rel=0.01)
    assert seconds(queue, at_us=NOON + 200 * SECOND) == 0


# With so many a day


CAP = DailyCap(100, "UTC")


def after_midnight(queue: QueueAhead, texts: int, *, at_us: int = NOON) -> float:
    """In planned seconds."""
    completed_us = queue.completed_us("ours", NORMAL, texts=texts, segments=1, now_us=at_us)
    assert completed_us is not None
    return (completed_us - MIDNIGHT) / PLANNED


def test_what_fits_into_the_day_goes_today() -> None:
    assert seconds(a_queue(None, a_limit(None, cap=CAP, used=40)), 60) == 59


def test_what_exceeds_the_cap_goes_on_at_midnight() -> None:
    limit = a_limit(None, cap=CAP, used=40)
    assert after_midnight(a_queue(None, limit), 61) == pytest.approx(0, abs=2)
    assert after_midnight(a_queue({(NORMAL, "theirs"): 40}, limit), 61) == pytest.approx(40, abs=2)
    assert after_midnight(a_queue(None, limit), 261) * PLANNED == pytest.approx(2 * DAY, abs=2 * SECOND)


def test_midnight_is_that_of_the_caps_zone() -> None:
    limit = a_limit(None, cap=DailyCap(100, "America/Chicago"), used=100)
    assert after_midnight(a_queue(None, limit), 101) * PLANNED == pytest.approx((5 + 24) * 3_600 * SECOND, rel=0.01)


def test_where_the_pace_is_too_slow_for_the_day_the_cap_is_not_used_up() -> None:
    before_midnight_us = MIDNIGHT - 50 * PLANNED
    limit = a_limit(None, cap=CAP, free_us=before_midnight_us)
    queue = QueueAhead(pace=PACE, at_us=before_midnight_us, shared=[limit])
    assert after_midnight(queue, 150, at_us=before_midnight_us) == pytest.approx(100, abs=2)


def test_what_others_send_counts_against_the_cap() -> None:
    limit = a_limit(None, another(1_000, "1/s"), cap=CAP)
    assert seconds(a_queue(None, limit), 50) == 49
    assert after_midnight(a_queue(None, limit), 60) == pytest.approx(10, abs=2)


def test_a_cap_that_would_take_more_than_a_year_is_not_foretold() -> None:
    queue = a_queue(None, a_limit(None, cap=DailyCap(1, "UTC")))
    assert queue.completed_us("ours", NORMAL, texts=400, segments=1, now_us=NOON) is None


def test_nobody_knows_what_a_cap_leaves_of_a_later_day_while_texts_wait_for_it() -> None:
    tomorrow_us = MIDNIGHT + 3_600 * SECOND
    held_up = a_queue({(NORMAL, "theirs"): 200}, a_limit(None, cap=CAP))
    completed_us = held_up.completed_us("ours", NORMAL, texts=1, segments=1, now_us=NOON, not_before_us=tomorrow_us)
    assert completed_us is None
    free = a_queue({(NORMAL, "theirs"): 50}, a_limit(None, cap=CAP, used=50))
    assert seconds(free, 100, at_us=NOON, not_before_us=tomorrow_us) * PLANNED == pytest.approx(
        tomorrow_us - NOON + 99 * PLANNED, abs=2
    )

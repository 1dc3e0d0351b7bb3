"""Limits that senders share: gaps between what is taken, what texts cost, and how many go in a day."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidValue
from domain.model.limit import Counted, DailyCap, Limit, SharedSchedule
from domain.model.pace import Pace
from tests.unit.builders import NOON, SECOND

HOUR = 3_600 * SECOND
DAY = 24 * HOUR
CHICAGO = "America/Chicago"


def us(text: str, zone: str = "UTC") -> int:
    """The moment that clocks of the zone show so."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


def a_limit(pace: str | None = "10/s", *, counts: Counted = Counted.SEGMENTS, daily: DailyCap | None = None) -> Limit:
    return Limit(name="campaign", pace=None if pace is None else Pace.parse(pace), counts=counts, daily=daily)


def a_schedule(
    pace: str | None = "10/s",
    *taken: tuple[int, int],
    counts: Counted = Counted.SEGMENTS,
    daily: DailyCap | None = None,
    day: int | None = None,
    used: int = 0,
    now_us: int = NOON,
) -> SharedSchedule:
    """What is taken counts in milliseconds from noon."""
    stretches = [(NOON + start * 1_000, NOON + end * 1_000) for start, end in taken]
    limit = a_limit(pace, counts=counts, daily=daily)
    return SharedSchedule(limit, taken=stretches, day=day, used=used, now_us=now_us)


def taken_ms(schedule: SharedSchedule) -> list[tuple[float, float]]:
    return [((start - NOON) / 1_000, (end - NOON) / 1_000) for start, end in schedule.taken]


@pytest.mark.parametrize("name", ["", " campaign", "campaign ", "x" * 101, "a\nb"])
def test_a_limit_without_a_proper_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match="name"):
        Limit(name=name, pace=Pace.parse("1/s"))


def test_a_limit_that_limits_nothing_is_refused() -> None:
    with pytest.raises(InvalidValue, match="a pace, a daily cap, or both"):
        Limit(name="campaign")


@pytest.mark.parametrize("amount", [0, -1, 1_000_000_001])
def test_a_daily_cap_of_nothing_or_too_much_is_refused(amount: int) -> None:
    with pytest.raises(InvalidValue):
        DailyCap(amount, "UTC")


@pytest.mark.parametrize("zone", ["", "Chicago", "America/Nowhere", "../etc/passwd", "/etc/passwd", "America", "a\0b"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(InvalidValue, match="zone"):
        DailyCap(1, zone)


def test_nothing_taken_lets_a_text_go_at_once() -> None:
    assert a_schedule().earliest_us(NOON, 1) == NOON


def test_a_text_waits_for_the_end_of_what_is_taken() -> None:
    assert a_schedule("10/s", (0, 300)).earliest_us(NOON + 100_000, 1) == NOON + 300_000


def test_a_gap_that_is_long_enough_is_used() -> None:
    schedule = a_schedule("10/s", (0, 100), (250, 400))
    assert schedule.earliest_us(NOON, 1) == NOON + 100_000
    assert schedule.earliest_us(NOON, 2) == NOON + 400_000


def test_a_gap_must_have_room_from_when_the_text_may_go() -> None:
    schedule = a_schedule("10/s", (0, 100), (250, 400))
    assert schedule.earliest_us(NOON + 149_500, 1) == NOON + 149_500
    assert schedule.earliest_us(NOON + 149_501, 1) == NOON + 400_000


def test_a_text_may_go_before_all_that_is_taken() -> None:
    assert a_schedule("10/s", (101, 400)).earliest_us(NOON, 1) == NOON


def test_a_text_takes_as_long_as_its_segments() -> None:
    schedule = a_schedule("10/s")
    schedule.take(NOON, 3)
    assert taken_ms(schedule) == [(0, 301.5)]


def test_where_requests_are_counted_a_long_text_takes_no_longer_than_a_short_one() -> None:
    schedule = a_schedule("10/s", counts=Counted.REQUESTS)
    schedule.take(NOON, 24)
    assert taken_ms(schedule) == [(0, 100.5)]


def test_a_text_of_more_segments_than_go_in_a_second_finds_its_place() -> None:
    schedule = a_schedule("5/s")
    schedule.take(NOON, 24)
    assert schedule.earliest_us(NOON, 24) == NOON + 4_824_000


def test_what_is_too_short_for_any_text_is_closed() -> None:
    schedule = a_schedule("10/s")
    schedule.take(NOON, 1)
    schedule.take(NOON + 200_999, 1)
    assert taken_ms(schedule) == [(0, 301.499)]
    schedule.take(NOON + 402_000, 1)
    assert taken_ms(schedule) == [(0, 301.499), (402, 502.5)]


def test_what_has_passed_is_forgotten() -> None:
    assert taken_ms(a_schedule("10/s", (-500, -100), (-90, 0), (-10, 90), (200, 300))) == [(-10, 90), (200, 300)]


def test_what_was_taken_by_a_clock_that_was_set_back_since_is_forgotten() -> None:
    year_ms = 365 * 86_400_000
    schedule = a_schedule("10/s", (0, 100), (year_ms, year_ms + 100))
    assert taken_ms(schedule) == [(0, 100)]


def test_a_clock_that_is_set_back_takes_no_real_stretch_away() -> None:
    schedule = a_schedule("1/s")
    schedule.take(NOON + 300 * SECOND, 24)
    later = SharedSchedule(a_limit("1/s"), taken=schedule.taken, now_us=NOON)
    assert later.taken == schedule.taken


steps = st.lists(
    st.tuples(st.integers(0, 3 * SECOND), st.integers(1, 24), st.integers(0, 300_000)), min_size=1, max_size=40
)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(["1/s", "7/s", "100/s", "40/min"]), st.sampled_from(Counted), steps)
def test_whatever_is_taken_in_whatever_order_nothing_overlaps(
    pace: str, counts: Counted, wanted: list[tuple[int, int, int]]
) -> None:
    limit = a_limit(pace, counts=counts)
    now_us, kept = NOON, list[tuple[int, int]]()
    occupied: list[tuple[int, int]] = []
    for ahead_us, segments, wait_us in wanted:
        schedule = SharedSchedule(limit, taken=kept, now_us=now_us)
        at_us = schedule.earliest_us(now_us + ahead_us, segments)
        assert at_us >= now_us + ahead_us
        schedule.take(at_us, segments)
        cost = segments if counts is Counted.SEGMENTS else 1
        occupied.append((at_us, at_us + Pace.parse(pace).planned_interval_us(cost)))
        kept, now_us = list(schedule.taken), now_us + wait_us
        assert kept == sorted(kept)
    for (_, end_us), (start_us, _) in pairwise(sorted(occupied)):
        assert end_us <= start_us


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(["1/s", "7/s", "100/s"]), steps)
def test_no_earlier_moment_would_have_done(pace: str, wanted: list[tuple[int, int, int]]) -> None:
    schedule = a_schedule(pace)
    for ahead_us, segments, _ in wanted:
        at_us = schedule.earliest_us(NOON + ahead_us, segments)
        length_us = Pace.parse(pace).planned_interval_us(segments)
        starts = [NOON + ahead_us, *(end for _, end in schedule.taken)]
        fits = [
            start
            for start in starts
            if start >= NOON + ahead_us
            and all(start + length_us <= other or end <= start for other, end in schedule.taken)
        ]
        assert at_us == min(fits)
        schedule.take(at_us, segments)


@pytest.mark.parametrize(
    ("now", "next_day"),
    [
        ("2026-03-20T12:00:00", "2026-03-21T05:00:00"),
        ("2026-03-21T04:59:59", "2026-03-21T05:00:00"),
        ("2026-03-21T05:00:00", "2026-03-22T05:00:00"),
        # The day of 23 hours, whose clocks go forward at 2 o'clock.
        ("2026-03-08T05:59:59", "2026-03-08T06:00:00"),
        ("2026-03-08T06:00:00", "2026-03-09T05:00:00"),
        # The day of 25 hours.
        ("2026-11-01T04:59:59", "2026-11-01T05:00:00"),
        ("2026-11-01T05:00:00", "2026-11-02T06:00:00"),
        ("2026-11-01T07:30:00", "2026-11-02T06:00:00"),
    ],
)
def test_a_day_ends_at_midnight_of_the_zone(now: str, next_day: str) -> None:
    assert DailyCap(1, CHICAGO).next_day_us(us(now)) == us(next_day)


@given(
    st.integers(us("2020-01-01T00:00:00"), us("2040-01-01T00:00:00")),
    st.sampled_from([CHICAGO, "UTC", "Asia/Kolkata", "Africa/Cairo", "Pacific/Apia", "America/Havana"]),
)
def test_the_next_day_begins_after_now_and_is_another_day(now_us: int, zone: str) -> None:
    cap = DailyCap(1, zone)
    next_us = cap.next_day_us(now_us)
    assert now_us < next_us <= now_us + 25 * HOUR
    assert cap.day_of(next_us) == cap.day_of(now_us) + 1
    assert cap.day_of(next_us - 1) == cap.day_of(now_us)


def test_the_number_of_a_day_counts_from_the_year_1() -> None:
    assert DailyCap(1, "UTC").day_of(us("2026-03-20T23:59:59")) == datetime(2026, 3, 20, tzinfo=UTC).toordinal()
    assert DailyCap(1, CHICAGO).day_of(us("2026-03-20T04:59:59")) == datetime(2026, 3, 19, tzinfo=UTC).toordinal()


MIDNIGHT = us("2026-03-21T00:00:00")


def capped(
    amount: int, *, used: int = 0, pace: str | None = None, counts: Counted = Counted.SEGMENTS
) -> SharedSchedule:
    """A limit of so many a day, of which some were used today."""
    cap = DailyCap(amount, "UTC")
    return a_schedule(pace, daily=cap, counts=counts, day=cap.day_of(NOON), used=used)


def test_under_the_cap_a_text_goes_at_once() -> None:
    schedule = capped(5, used=2)
    assert schedule.earliest_us(NOON, 3) == NOON
    schedule.take(NOON, 3)
    assert schedule.used == 5


def test_over_the_cap_a_text_goes_at_the_next_midnight() -> None:
    assert capped(5, used=5).earliest_us(NOON, 1) == MIDNIGHT
    assert capped(5, used=3).earliest_us(NOON, 3) == MIDNIGHT
    assert capped(5, used=3).earliest_us(NOON, 2) == NOON


def test_the_next_day_begins_with_nothing_used() -> None:
    schedule = capped(5, used=5)
    schedule.take(MIDNIGHT, 3)
    assert (schedule.used, schedule.day) == (3, DailyCap(1, "UTC").day_of(MIDNIGHT))


def test_requests_are_counted_once_each_by_a_cap_as_well() -> None:
    schedule = capped(5, used=4, counts=Counted.REQUESTS)
    assert schedule.earliest_us(NOON, 24) == NOON
    schedule.take(NOON, 24)
    assert schedule.used == 5


def test_a_text_that_is_larger_than_the_cap_goes_when_nothing_was_used_that_day() -> None:
    assert capped(5).earliest_us(NOON, 24) == NOON
    assert capped(5, used=1).earliest_us(NOON, 24) == MIDNIGHT


def test_after_a_text_that_was_larger_than_the_cap_nothing_goes_that_day() -> None:
    schedule = capped(5)
    schedule.take(NOON, 24)
    assert schedule.earliest_us(NOON, 1) == MIDNIGHT


def test_a_limit_of_both_kinds_keeps_both() -> None:
    schedule = capped(3, pace="10/s")
    at = []
    for _ in range(5):
        at.append(schedule.earliest_us(NOON, 1))
        schedule.take(at[-1], 1)
    assert [each - NOON for each in at[:3]] == [0, 100_500, 201_000]
    assert [each - MIDNIGHT for each in at[3:]] == [0, 100_500]


def test_a_pace_that_reaches_beyond_midnight_uses_the_next_days_cap() -> None:
    schedule = capped(5, used=4, pace="1/s")
    schedule.take(MIDNIGHT - SECOND // 2, 1)
    assert schedule.used == 5
    at_us = schedule.earliest_us(MIDNIGHT - SECOND // 4, 1)
    assert at_us == MIDNIGHT + 505_000
    schedule.take(at_us, 1)
    assert schedule.used == 1


def test_what_is_given_away_for_tomorrow_leaves_no_room_today() -> None:
    schedule = capped(5, used=5)
    schedule.take(MIDNIGHT, 1)
    assert schedule.earliest_us(MIDNIGHT - SECOND, 1) >= MIDNIGHT


def test_a_clock_that_was_set_back_by_a_day_gives_no_second_helping() -> None:
    schedule = capped(5, used=5)
    later = SharedSchedule(
        a_limit(None, daily=DailyCap(5, "UTC")), day=schedule.day, used=schedule.used, now_us=NOON - DAY
    )
    assert later.earliest_us(NOON - DAY, 1) >= MIDNIGHT - DAY


def test_a_clock_that_was_set_back_by_a_year_does_not_stop_a_limit_for_a_year() -> None:
    cap = DailyCap(5, "UTC")
    schedule = a_schedule(None, daily=cap, day=cap.day_of(NOON + 365 * DAY), used=5, now_us=NOON + DAY)
    assert schedule.earliest_us(NOON + DAY, 1) <= NOON + 2 * DAY
    schedule.take(MIDNIGHT + DAY, 1)
    assert schedule.earliest_us(MIDNIGHT + DAY + SECOND, 1) == MIDNIGHT + DAY + SECOND


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(["UTC", CHICAGO]),
    st.integers(5, 40),
    st.lists(st.tuples(st.integers(0, 9 * HOUR), st.integers(0, SECOND), st.integers(1, 5)), max_size=40),
)
def test_whatever_happens_no_day_has_more_than_its_cap(
    zone: str, amount: int, wanted: list[tuple[int, int, int]]
) -> None:
    cap = DailyCap(amount, zone)
    limit = a_limit(None, daily=cap)
    now_us, day, used = NOON, None, 0
    on_days: dict[int, int] = {}
    for wait_us, ahead_us, segments in wanted:
        now_us += wait_us
        schedule = SharedSchedule(limit, day=day, used=used, now_us=now_us)
        at_us = schedule.earliest_us(now_us + ahead_us, segments)
        # As a claim does: what is further ahead than it reaches stays queued.
        if at_us <= now_us + SECOND:
            schedule.take(at_us, segments)
            on_days[cap.day_of(at_us)] = on_days.get(cap.day_of(at_us), 0) + segments
        day, used = schedule.day, schedule.used
    assert all(count <= amount for count in on_days.values())

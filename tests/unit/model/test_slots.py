"""Which moments the texts of senders get, alone and under limits that they share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.model.delivery import DeliveryState
from domain.model.limit import SharedSchedule
from domain.model.pace import Pace
from domain.model.slots import Line, Reservation, Slot, SlotPlan, VirtualSchedule, plan
from domain.model.turns import Candidate
from tests.unit.builders import NOON, SECOND

YEAR = 365 * 86_400 * SECOND
RESERVATION = Reservation(guard_us=100_000)

WRITTEN_PACES = ("1", "0.5", "1/s", "50/s", "7/s", "300/s", "20/min", "40/min", "100/h", "2000/day", "1/day")

paces = st.sampled_from(WRITTEN_PACES).map(Pace.parse) | st.fractions(Fraction(1, 86_400), 1_000).map(Pace)
segments = st.integers(1, 24)
moments = st.integers(NOON - 10 * SECOND, NOON + 10 * SECOND)


def a_schedule(pace: str = "1/s", *, next_free_us: int = 0, backlog_us: int = 0) -> VirtualSchedule:
    return VirtualSchedule(Pace.parse(pace), next_free_us, backlog_us)


def candidates(*of_segments: int, opted_out: Sequence[int] = (), first: int = 1) -> list[Candidate]:
    """Those at the places of `opted_out`, counted from 1 as the ids are, must not be texted."""
    return [
        Candidate(delivery_id=place, segments=each, opted_out=place in opted_out)
        for place, each in enumerate(of_segments, start=first)
    ]


def planned(
    schedule: VirtualSchedule,
    waiting: Sequence[Candidate],
    *,
    now_us: int = NOON,
    reservation: Reservation = RESERVATION,
    shared: Sequence[SharedSchedule] = (),
    taken_over: bool = False,
    most: int | None = None,
) -> SlotPlan:
    """What a claim does to a sender that is alone."""
    line = Line(schedule=schedule, waiting=waiting, shared=shared, taken_over=taken_over, most=most)
    return plan({1: line}, now_us=now_us, reservation=reservation)[1]


def times(plan: SlotPlan) -> list[int]:
    """The slots, in microseconds after noon."""
    return [slot.at_us - NOON for slot in plan.slots]


@dataclass
class OneSender:
    """A sender as a store keeps it, that several dispatchers plan for: whoever planned last is its owner."""

    schedule: VirtualSchedule
    owner: str | None = None
    due_us: int | None = None
    given: list[tuple[str, Slot, int]] = field(default_factory=list)

    def plan(self, dispatcher: str, waiting: Sequence[Candidate], now_us: int) -> SlotPlan:
        wanted = self.schedule.candidates_wanted(now_us, RESERVATION)
        plan = planned(self.schedule, waiting[:wanted], now_us=now_us, taken_over=self.owner != dispatcher)
        of_segments = {each.delivery_id: each.segments for each in waiting}
        self.given += [(dispatcher, slot, of_segments[slot.delivery_id]) for slot in plan.slots]
        self.schedule, self.owner, self.due_us = plan.schedule, dispatcher, plan.due_us
        return plan

    def assert_spaced(self) -> None:
        for (_, slot, its_segments), (_, following, _) in pairwise(self.given):
            assert following.at_us - slot.at_us >= self.schedule.pace.planned_interval_us(its_segments)


def test_an_idle_sender_sends_at_once() -> None:
    plan = planned(a_schedule(), [Candidate(delivery_id=1, segments=1)])
    assert times(plan) == [0]


def test_a_busy_sender_sends_as_soon_as_its_line_is_free() -> None:
    plan = planned(a_schedule(next_free_us=NOON + 300_000), candidates(1))
    assert times(plan) == [300_000]


def test_texts_follow_each_other_at_the_pace() -> None:
    plan = planned(a_schedule("10/s"), candidates(1, 1, 1))
    assert times(plan) == [0, 100_500, 201_000]
    assert plan.schedule.next_free_us == NOON + 301_500


def test_a_text_of_three_segments_keeps_the_line_busy_for_three_intervals() -> None:
    plan = planned(a_schedule("10/s"), candidates(3, 1))
    assert times(plan) == [0, 301_500]


def test_a_long_text_leaves_its_debt_to_the_next_plan() -> None:
    debt = planned(a_schedule("1/s"), candidates(24)).schedule
    later = planned(debt, candidates(1), now_us=NOON + 10 * SECOND)
    assert times(later) == [24_120_000]


def test_no_credit_is_saved_up_while_a_sender_is_idle() -> None:
    after_a_day = NOON + 86_400 * SECOND
    plan = planned(a_schedule("10/s", next_free_us=NOON), candidates(1, 1), now_us=after_a_day)
    assert [slot.at_us - after_a_day for slot in plan.slots] == [0, 100_500]


def test_a_plan_reaches_no_further_than_window_and_lookahead() -> None:
    reservation = Reservation(window_us=300_000, lookahead_us=100_000)
    plan = planned(a_schedule("10/s"), candidates(*[1] * 9), reservation=reservation)
    assert times(plan) == [0, 100_500, 201_000, 301_500]


def test_a_slow_sender_gets_one_slot_however_far_away() -> None:
    plan = planned(a_schedule("1/day", next_free_us=NOON + 40 * SECOND), candidates(1, 1))
    assert times(plan) == [40 * SECOND]


def test_a_plan_has_no_more_than_the_most_slots() -> None:
    reservation = Reservation(most=3)
    plan = planned(a_schedule("100/s"), candidates(*[1] * 9), reservation=reservation)
    assert [slot.delivery_id for slot in plan.slots] == [1, 2, 3]
    assert plan.due_us is not None


def test_what_finds_no_slot_makes_the_sender_due_a_lookahead_before_its_line_is_free() -> None:
    reservation = Reservation(window_us=300_000, lookahead_us=100_000)
    plan = planned(a_schedule("10/s"), candidates(*[1] * 9), reservation=reservation)
    assert plan.schedule.next_free_us == NOON + 402_000
    assert plan.due_us == NOON + 302_000


def test_the_sender_is_due_at_once_where_the_lookahead_has_begun() -> None:
    reservation = Reservation(window_us=10_000, lookahead_us=100_000, most=1)
    plan = planned(a_schedule("100/s"), candidates(1, 1), reservation=reservation)
    assert plan.due_us == NOON


def test_a_sender_with_nothing_left_is_not_due() -> None:
    plan = planned(a_schedule("10/s"), candidates(1, 1))
    assert plan.due_us is None


def test_a_sender_stays_due_when_it_brought_as_many_candidates_as_were_wanted() -> None:
    schedule = a_schedule("10/s")
    wanted = schedule.candidates_wanted(NOON, RESERVATION)
    assert planned(schedule, candidates(*[1] * wanted)).due_us is not None
    assert planned(schedule, candidates(*[1] * (wanted - 1))).due_us is None


def test_a_sender_stays_due_when_all_that_were_wanted_have_opted_out() -> None:
    plan = planned(a_schedule("1/s"), candidates(1, opted_out=[1]))
    assert plan.due_us == NOON


def test_without_candidates_a_plan_changes_nothing() -> None:
    schedule = a_schedule(next_free_us=NOON + 300_000)
    plan = planned(schedule, [])
    assert (plan.slots, plan.ended, plan.schedule, plan.due_us) == ([], {}, schedule, None)


def test_who_has_opted_out_takes_no_slot() -> None:
    plan = planned(a_schedule("10/s"), candidates(1, 24, 1, 24, opted_out=[2, 4]))
    assert plan.ended == {2: DeliveryState.BLOCKED, 4: DeliveryState.BLOCKED}
    assert [(slot.delivery_id, slot.at_us - NOON) for slot in plan.slots] == [(1, 0), (3, 100_500)]


def test_only_opted_out_candidates_leave_the_line_as_free_as_it_was() -> None:
    schedule = a_schedule(next_free_us=NOON - 5)
    plan = planned(schedule, candidates(1, 1, opted_out=[1, 2]))
    assert (plan.slots, list(plan.ended), plan.schedule) == ([], [1, 2], schedule)


@pytest.mark.parametrize(
    ("candidate", "end"),
    [
        (Candidate(delivery_id=1, segments=1), None),
        (Candidate(delivery_id=1, segments=1, canceled=True), DeliveryState.CANCELED),
        (Candidate(delivery_id=1, segments=1, opted_out=True), DeliveryState.BLOCKED),
        (Candidate(delivery_id=1, segments=1, expires_us=NOON), DeliveryState.EXPIRED),
        (Candidate(delivery_id=1, segments=1, expires_us=NOON - YEAR), DeliveryState.EXPIRED),
        (Candidate(delivery_id=1, segments=1, expires_us=NOON + 1), None),
        (Candidate(delivery_id=1, segments=1, opted_out=True, expires_us=NOON), DeliveryState.BLOCKED),
        (Candidate(delivery_id=1, segments=1, opted_out=True, canceled=True, expires_us=NOON), DeliveryState.CANCELED),
    ],
)
def test_what_comes_up_before_a_slot_ends_a_candidate(candidate: Candidate, end: DeliveryState | None) -> None:
    assert candidate.end_instead_of_slot(NOON) is end


def test_a_candidate_expires_by_the_slot_that_it_would_get_and_leaves_it_to_the_next() -> None:
    waiting = [
        Candidate(delivery_id=1, segments=1),
        Candidate(delivery_id=2, segments=1, expires_us=NOON + 100_500),
        Candidate(delivery_id=3, segments=1, expires_us=NOON + 100_501),
    ]
    plan = planned(a_schedule("10/s"), waiting)
    assert plan.ended == {2: DeliveryState.EXPIRED}
    assert [(slot.delivery_id, slot.at_us - NOON) for slot in plan.slots] == [(1, 0), (3, 100_500)]


def test_a_slot_is_not_used_late_when_its_text_expires_before() -> None:
    waiting = [
        Candidate(delivery_id=1, segments=1, expires_us=NOON + 50_000),
        Candidate(delivery_id=2, segments=1, expires_us=NOON + YEAR),
    ]
    plan = planned(a_schedule("10/s"), waiting)
    assert [slot.not_after_us - NOON for slot in plan.slots] == [49_999, 200_500]


@given(paces, moments, st.lists(st.integers(NOON - SECOND, NOON + 3 * SECOND), max_size=20))
def test_no_slot_can_be_used_when_its_text_has_expired(pace: Pace, next_free_us: int, expiries: list[int]) -> None:
    waiting = [
        Candidate(delivery_id=place, segments=1, expires_us=expires_us) for place, expires_us in enumerate(expiries)
    ]
    plan = planned(VirtualSchedule(pace, next_free_us), waiting)
    assert all(slot.at_us <= slot.not_after_us < expiries[slot.delivery_id] for slot in plan.slots)


@pytest.mark.parametrize(
    ("pace", "wanted"), [("1/day", 1), ("1/s", 1), ("10/s", 8), ("50/s", 38), ("100/s", 75), ("1000/s", 500)]
)
def test_as_many_candidates_are_wanted_as_have_room_in_the_window(pace: str, wanted: int) -> None:
    assert a_schedule(pace).candidates_wanted(NOON, RESERVATION) == wanted


def test_fewer_candidates_are_wanted_where_the_line_is_taken_for_a_while() -> None:
    assert a_schedule("10/s", next_free_us=NOON + 350_000).candidates_wanted(NOON, RESERVATION) == 4
    assert a_schedule("10/s", next_free_us=NOON + YEAR).candidates_wanted(NOON, RESERVATION) == 1


def test_a_taker_over_keeps_clear_of_the_slots_that_may_still_be_used_late() -> None:
    schedule = a_schedule("10/s", next_free_us=NOON + 300_000)
    own = planned(schedule, candidates(1))
    taken_over = planned(schedule, candidates(1), taken_over=True)
    assert (times(own), times(taken_over)) == ([300_000], [400_000])


def test_a_taker_over_starts_at_once_where_the_last_slot_is_long_past() -> None:
    schedule = a_schedule("10/s", next_free_us=NOON - 200_000)
    plan = planned(schedule, candidates(1), taken_over=True)
    assert times(plan) == [0]


def test_a_taker_over_that_took_nothing_keeps_clear_of_them_the_next_time_as_well() -> None:
    line = OneSender(a_schedule("50/s"))
    line.plan("first", candidates(1), NOON)
    late_us = line.given[0][1].not_after_us
    # It is the owner from now on, as stores keep who planned last.
    line.plan("second", candidates(1, opted_out=[1]), NOON + 1_000)
    (slot,) = line.plan("second", candidates(1), NOON + 2_000).slots
    assert slot.at_us - late_us >= line.schedule.pace.interval_us()


@given(st.data(), paces, moments, st.booleans(), st.lists(segments, max_size=40))
def test_slots_are_in_the_future_in_order_and_no_closer_than_the_pace_allows(
    data: st.DataObject,
    pace: Pace,
    next_free_us: int,
    taken_over: bool,  # noqa: FBT001
    of_segments: list[int],
) -> None:
    blocked = data.draw(st.sets(st.integers(1, max(len(of_segments), 1))))
    plan = planned(
        VirtualSchedule(pace, next_free_us), candidates(*of_segments, opted_out=list(blocked)), taken_over=taken_over
    )
    for slot, following in pairwise(plan.slots):
        assert following.at_us - slot.at_us >= pace.planned_interval_us(of_segments[slot.delivery_id - 1])
        assert following.delivery_id > slot.delivery_id
    for slot in plan.slots:
        assert slot.at_us >= max(NOON, next_free_us)
        assert slot.delivery_id not in blocked
    if plan.slots:
        last = plan.slots[-1]
        assert plan.schedule.next_free_us == last.at_us + pace.planned_interval_us(of_segments[last.delivery_id - 1])
    # Every candidate has a slot, is blocked or comes after all that have or are.
    handled = {slot.delivery_id for slot in plan.slots} | set(plan.ended)
    assert handled == set(range(1, len(handled) + 1))
    assert plan.due_us is None or plan.due_us >= NOON


@given(st.data(), paces, moments, st.lists(segments, min_size=1, max_size=40))
def test_not_even_the_latest_use_of_a_slot_comes_close_to_a_taker_over_that_starts_right_away(
    data: st.DataObject, pace: Pace, next_free_us: int, of_segments: list[int]
) -> None:
    plan = planned(VirtualSchedule(pace, next_free_us), candidates(*of_segments))
    taken_over_us = data.draw(st.integers(NOON, plan.schedule.next_free_us + SECOND))
    successor = planned(plan.schedule, candidates(1), now_us=taken_over_us, taken_over=True).slots[0]
    for slot in plan.slots:
        assert slot.not_after_us + pace.interval_us(of_segments[slot.delivery_id - 1]) <= successor.at_us
        assert slot.not_after_us >= slot.at_us + RESERVATION.guard_us


def test_the_last_slot_may_be_used_late_by_the_whole_guard() -> None:
    plan = planned(a_schedule("10/s"), candidates(1, 2))
    assert [slot.not_after_us - NOON for slot in plan.slots] == [301_000, 200_500]


steps = st.one_of(
    st.tuples(st.just("accept"), segments),
    st.tuples(st.just("accept a backlog"), segments),
    st.tuples(st.just("accept and opt out"), segments),
    st.tuples(st.just("wait"), st.integers(0, 2 * SECOND)),
    st.tuples(st.just("claim"), st.integers(1, 3)),
    st.tuples(st.just("claim when due"), st.integers(1, 3)),
    st.tuples(st.just("delay"), st.integers(0, 400 * SECOND)),
)


@settings(deadline=None, max_examples=300)
@given(paces, st.lists(steps, max_size=60))
def test_whatever_happens_no_two_slots_of_any_dispatchers_come_closer_than_the_pace_allows(
    pace: Pace, happenings: list[tuple[str, int]]
) -> None:
    line = OneSender(VirtualSchedule(pace, 0))
    now_us = NOON
    waiting: list[Candidate] = []
    accepted = 0
    for what, amount in happenings:
        match what:
            case "accept" | "accept a backlog" | "accept and opt out":
                count = 80 if what == "accept a backlog" else 1
                opted_out = what == "accept and opt out"
                waiting += [
                    Candidate(delivery_id=accepted + each, segments=amount, opted_out=opted_out)
                    for each in range(1, count + 1)
                ]
                accepted += count
                line.due_us = now_us if line.due_us is None else line.due_us
            case "wait":
                now_us += amount
            case "delay":
                line.schedule = line.schedule.delayed(amount, now_us=now_us)
            case _ if line.due_us is not None:
                now_us = max(now_us, line.due_us) if what == "claim when due" else now_us
                if line.due_us <= now_us:
                    plan = line.plan(f"dispatcher {amount}", waiting, now_us)
                    waiting = waiting[len(plan.slots) + len(plan.ended) :]
            case _:
                pass
    line.assert_spaced()
    for (one, slot, its_segments), (other, following, _) in pairwise(line.given):
        assert one == other or following.at_us - slot.not_after_us >= pace.interval_us(its_segments)


@pytest.mark.parametrize("written", ["1/s", "50/s", "300/s", "1000/s", "0.5", "20/min", "40/min", "2000/day"])
def test_a_sender_with_a_standing_backlog_uses_99_percent_of_its_pace(written: str) -> None:
    line = OneSender(a_schedule(written))
    backlog = candidates(*[1] * 500)
    end_us = NOON + max(60 * SECOND, 300 * line.schedule.pace.interval_us())
    now_us = NOON
    while now_us < end_us:
        line.plan("the only one", backlog, now_us)
        assert line.due_us is not None
        # A dispatcher looks every 50 ms and its claim takes a while, too.
        now_us = max(now_us, line.due_us) + 80_000
    sent = sum(slot.at_us < end_us for _, slot, _ in line.given)
    possible = (end_us - NOON) * line.schedule.pace.per_second / SECOND
    assert 0.99 <= sent / possible <= 1.0
    line.assert_spaced()


@given(paces, st.booleans())
def test_a_clock_that_was_set_back_by_a_year_stalls_a_sender_for_minutes(
    pace: Pace,
    taken_over: bool,  # noqa: FBT001
) -> None:
    plan = planned(VirtualSchedule(pace, NOON + YEAR), candidates(1), taken_over=taken_over)
    assert plan.slots[0].at_us <= NOON + 302 * SECOND + pace.planned_interval_us(24)
    assert plan.schedule.next_free_us == plan.slots[0].at_us + pace.planned_interval_us()


@given(paces, segments, st.integers(0, 300 * SECOND))
def test_that_bound_never_cuts_a_real_debt_short(pace: Pace, count: int, delay_us: int) -> None:
    busy = a_schedule(next_free_us=NOON + 750_000)
    schedule = planned(VirtualSchedule(pace, busy.next_free_us), candidates(count), taken_over=True).schedule
    schedule = schedule.delayed(delay_us, now_us=NOON)
    assert planned(schedule, candidates(1)).slots[0].at_us == schedule.next_free_us


def test_a_time_before_the_epoch_is_no_slot() -> None:
    plan = planned(a_schedule(next_free_us=-YEAR), candidates(1), now_us=-SECOND)
    assert plan.slots[0].at_us == 0


def test_a_delay_keeps_the_line_free_from_now_on() -> None:
    assert a_schedule().delayed(2 * SECOND, now_us=NOON).next_free_us == NOON + 2 * SECOND


def test_a_delay_gives_no_slot_back() -> None:
    schedule = a_schedule(next_free_us=NOON + 9 * SECOND)
    assert schedule.delayed(2 * SECOND, now_us=NOON) == schedule


@given(moments, st.integers(300 * SECOND, YEAR))
def test_a_delay_is_never_longer_than_five_minutes(next_free_us: int, by_us: int) -> None:
    delayed = a_schedule(next_free_us=next_free_us).delayed(by_us, now_us=NOON)
    assert delayed.next_free_us == NOON + 300 * SECOND


BACKLOG = 60 * SECOND


def test_a_sender_whose_provider_queues_sends_at_once_what_that_may_queue() -> None:
    its = planned(a_schedule("10/s", backlog_us=BACKLOG), candidates(*[1] * 400))
    assert times(its) == [0] * 400


def test_a_backlog_that_is_full_lets_texts_out_at_the_pace() -> None:
    sender = OneSender(a_schedule("10/s", backlog_us=BACKLOG))
    now_us = NOON
    waiting = candidates(*[1] * 2_000)
    while waiting:
        its = sender.plan("the only one", waiting, now_us)
        waiting = waiting[len(its.slots) :]
        now_us = max(now_us + 50_000, sender.due_us or 0)
    sent = [slot.at_us - NOON for _, slot, _ in sender.given]
    at_the_pace = [at_us for at_us in sent if at_us > 5 * SECOND]
    assert 597 <= sum(at_us < SECOND for at_us in sent) <= 610
    assert {following - at_us for at_us, following in pairwise(at_the_pace)} <= {100_500}
    # It is never ahead of the pace by more than what may be queued.
    for place, at_us in enumerate(sent):
        assert place * 100_500 <= at_us + BACKLOG


def test_a_backlog_that_was_emptied_is_filled_at_once_again() -> None:
    full = a_schedule("10/s", next_free_us=NOON + BACKLOG, backlog_us=BACKLOG)
    assert times(planned(full, candidates(*[1] * 5))) == [0, 100_500, 201_000, 301_500, 402_000]
    half = a_schedule("10/s", next_free_us=NOON + BACKLOG // 2, backlog_us=BACKLOG)
    assert times(planned(half, candidates(*[1] * 5))) == [0] * 5


def test_texts_that_need_no_distance_may_leave_late_but_not_for_ever() -> None:
    (slot,) = planned(a_schedule("10/s", backlog_us=BACKLOG), candidates(1)).slots
    assert slot.not_after_us == slot.at_us + RESERVATION.patience_us


def test_a_taker_over_needs_no_guard_where_texts_need_no_distance() -> None:
    schedule = a_schedule("10/s", next_free_us=NOON + BACKLOG, backlog_us=BACKLOG)
    assert times(planned(schedule, candidates(1), taken_over=True)) == [0]


def test_a_delay_holds_even_where_the_backlog_has_room() -> None:
    delayed = a_schedule("10/s", backlog_us=BACKLOG).delayed(3 * SECOND, now_us=NOON)
    assert times(planned(delayed, candidates(1))) == [3 * SECOND]


def test_a_backlog_wants_more_candidates() -> None:
    assert a_schedule("1/s", backlog_us=BACKLOG).candidates_wanted(NOON, RESERVATION) == 61
    full = a_schedule("1/s", next_free_us=NOON + BACKLOG, backlog_us=BACKLOG)
    assert full.candidates_wanted(NOON, RESERVATION) == 1


def test_a_clock_that_was_set_back_stalls_a_backlog_no_longer_than_any_sender() -> None:
    schedule = a_schedule("10/s", next_free_us=NOON + YEAR, backlog_us=BACKLOG)
    assert times(planned(schedule, candidates(1)))[0] <= 310 * SECOND


def test_of_a_sender_that_is_barred_one_text_is_tried() -> None:
    its = planned(a_schedule("100/s"), candidates(*[1] * 9), most=1)
    assert [slot.delivery_id for slot in its.slots] == [1]
    assert its.due_us is not None


def test_the_one_that_a_barred_sender_tries_is_one_that_is_to_be_sent() -> None:
    its = planned(a_schedule("100/s"), candidates(1, 1, 1, opted_out=[1, 2]), most=1)
    assert (list(its.ended), [slot.delivery_id for slot in its.slots]) == ([1, 2], [3])


def test_a_sender_that_is_barred_with_one_text_left_stays_due() -> None:
    assert planned(a_schedule("100/s"), candidates(1), most=1).due_us is not None


@dataclass
class Repaced:
    """What a sender has given away, and what it may give away at its new pace."""

    old: SlotPlan
    schedule: VirtualSchedule

    @classmethod
    def after(cls, schedule: VirtualSchedule, waiting: Sequence[Candidate], pace: str) -> "Repaced":
        old = planned(schedule, waiting)
        last_us = old.slots[-1].at_us if old.slots else None
        return cls(old, old.schedule.at_pace(Pace.parse(pace), now_us=NOON, last_slot_us=last_us))

    def next_us(self) -> int:
        return planned(self.schedule, candidates(1, first=1_000)).slots[0].at_us


def test_a_faster_pace_is_not_held_up_by_what_the_slow_one_owed() -> None:
    slow = a_schedule("1/day", next_free_us=NOON + 3_600 * SECOND)
    quick = slow.at_pace(Pace.parse("10/s"), now_us=NOON, last_slot_us=None)
    assert times(planned(quick, candidates(1)))[0] < SECOND


def test_a_slower_pace_owes_for_the_last_text_at_the_slower_pace() -> None:
    busy = a_schedule("10/s", next_free_us=NOON + 100_500)
    slow = busy.at_pace(Pace.parse("1/s"), now_us=NOON, last_slot_us=None)
    assert times(planned(slow, candidates(1))) == [1_005_000]


def test_slots_that_are_given_away_keep_their_distance_at_a_faster_pace() -> None:
    repaced = Repaced.after(a_schedule("10/s"), candidates(*[1] * 7), "1000/s")
    assert repaced.next_us() - repaced.old.slots[-1].at_us >= Pace.parse("1000/s").planned_interval_us()


def test_slots_that_are_given_away_keep_their_distance_at_a_slower_pace() -> None:
    repaced = Repaced.after(a_schedule("10/s"), candidates(*[1] * 7), "1/s")
    assert repaced.next_us() - repaced.old.slots[-1].at_us >= 1_005_000


def test_a_long_text_that_is_given_away_keeps_the_line_for_its_segments_at_the_faster_pace() -> None:
    repaced = Repaced.after(a_schedule("1/s"), candidates(20), "10/s")
    assert repaced.next_us() - repaced.old.slots[-1].at_us >= 20 * Pace.parse("10/s").planned_interval_us()


def test_a_slot_that_is_given_away_at_a_slow_pace_does_not_strand_the_queue_at_a_faster_one() -> None:
    repaced = Repaced.after(a_schedule("1/h"), candidates(1), "1/s")
    assert repaced.next_us() - NOON <= 10 * SECOND


def test_a_provider_that_asked_to_wait_is_waited_for_no_longer_at_a_slower_pace() -> None:
    waits = a_schedule("300/s").delayed(60 * SECOND, now_us=NOON)
    slow = waits.at_pace(Pace.parse("1/s"), now_us=NOON, last_slot_us=None)
    assert 60 * SECOND <= slow.next_free_us - NOON <= (60 + 25) * SECOND


@given(paces, paces, moments, st.lists(segments, max_size=30))
def test_another_pace_lets_no_text_come_closer_to_the_last_slot_than_it_allows(
    old: Pace, new: Pace, next_free_us: int, of_segments: list[int]
) -> None:
    its = planned(VirtualSchedule(old, next_free_us), candidates(*of_segments))
    last_us = its.slots[-1].at_us if its.slots else None
    repaced = its.schedule.at_pace(new, now_us=NOON, last_slot_us=last_us)
    (slot,) = planned(repaced, candidates(1, first=1_000)).slots
    if last_us is not None:
        assert slot.at_us - last_us >= new.interval_us(of_segments[its.slots[-1].delivery_id - 1])
    # Nobody waits longer than for what was given away, and for one text of the new pace.
    owed_us = max(its.schedule.next_free_us - NOON, 0)
    rounding_us = math.ceil(old.per_second / new.per_second)
    assert slot.at_us - NOON <= owed_us + old.planned_interval_us() + new.planned_interval_us(24) + rounding_us


@given(paces, st.booleans())
def test_the_same_pace_again_changes_nothing_of_consequence(pace: Pace, slots_given: bool) -> None:  # noqa: FBT001
    its = planned(VirtualSchedule(pace, 0), candidates(1) if slots_given else [])
    last_us = its.slots[-1].at_us if its.slots else None
    again = its.schedule.at_pace(pace, now_us=NOON, last_slot_us=last_us)
    assert abs(again.next_free_us - max(its.schedule.next_free_us, NOON)) <= 1

"""Which moments texts get where senders share limits."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.model.limit import Counted, DailyCap, Limit, SharedSchedule
from domain.model.pace import Pace
from domain.model.priority import Priority
from domain.model.slots import Line, VirtualSchedule, plan
from domain.model.turns import NO_TURNS, Candidate
from tests.unit.builders import NOON, SECOND
from tests.unit.model.claiming import CADENCE, DAY, RESERVATION, Hub, Sent


def paced(pace: str, *, name: str = "campaign", counts: Counted = Counted.SEGMENTS) -> Limit:
    return Limit(name=name, pace=Pace.parse(pace), counts=counts)


def assert_apart(sent: Sequence[Sent], pace: str) -> None:
    for one, following in pairwise(sent):
        assert following.at_us - one.at_us >= Pace.parse(pace).planned_interval_us(one.candidate.segments)


def share_of(hub: Hub, sender: str, pace: str, *, within_us: int) -> float:
    possible = within_us * Pace.parse(pace).per_second / SECOND
    return float(hub.segments(sender, before_us=NOON + within_us) / possible)


def test_two_senders_of_one_limit_take_its_slots_alternately() -> None:
    hub = Hub({"campaign": paced("10/s")})
    for name in "ab":
        hub.sender(name, "10/s", "campaign")
        hub.accept(name, 3)
    hub.claim()
    sent = hub.sent()
    assert [each.sender for each in sent] == ["a", "b", "a", "b", "a", "b"]
    assert_apart(sent, "10/s")


@pytest.mark.parametrize("pace", ["1/s", "50/s"])
def test_senders_of_a_slow_limit_take_turns_from_claim_to_claim(pace: str) -> None:
    hub = Hub({"campaign": paced("1/s")})
    for name in "abc":
        hub.sender(name, pace, "campaign")
        hub.accept(name, 30)
    hub.run(30 * SECOND)
    assert [each.sender for each in hub.sent()][:30] == ["a", "b", "c"] * 10


def test_a_sender_under_two_limits_keeps_both() -> None:
    hub = Hub({"campaign": paced("10/s"), "account": paced("25/s")})
    hub.sender("a", "100/s", "campaign", "account")
    hub.sender("b", "100/s", "account")
    hub.accept("a", 300)
    hub.accept("b", 600)
    hub.run(20 * SECOND)
    assert_apart(hub.sent("a"), "10/s")
    assert_apart(hub.sent(), "25/s")
    # Of the account's slots each third is the first that is far enough from its last.
    assert share_of(hub, "a", "10/s", within_us=20 * SECOND) >= 0.8


def test_a_limit_on_requests_counts_a_long_text_once() -> None:
    hub = Hub({"account": paced("10/s", counts=Counted.REQUESTS)})
    hub.sender("a", "1000/s", "account")
    hub.accept("a", 4, segments=5)
    hub.claim()
    assert [each.at_us - NOON for each in hub.sent()] == [0, 100_500, 201_000, 301_500]


@pytest.mark.parametrize("pace", ["10/s", "50/s", "333/s"])
@pytest.mark.parametrize("senders", [1, 2, 3, 10])
def test_a_limit_with_a_backlog_is_used_by_99_percent(pace: str, senders: int) -> None:
    hub = Hub({"campaign": paced(pace)})
    for number in range(senders):
        hub.sender(f"{number}", "1000/s", "campaign")
        hub.accept(f"{number}", int(30 * Pace.parse(pace).per_second))
    hub.run(20 * SECOND)
    possible = 20 * Pace.parse(pace).per_second
    assert 0.99 <= hub.segments(before_us=NOON + 20 * SECOND) / possible <= 1
    assert_apart(hub.sent(), pace)


@pytest.mark.parametrize("pace", ["10/s", "50/s", "1000/s"])
def test_three_senders_of_one_campaign_get_equal_shares(pace: str) -> None:
    hub = Hub({"campaign": paced("30/s")})
    for name in "abc":
        hub.sender(name, pace, "campaign")
        hub.accept(name, 3_000)
    hub.run(60 * SECOND)
    shares = [hub.segments(name, before_us=NOON + 60 * SECOND) for name in "abc"]
    assert max(shares) <= 1.1 * min(shares)
    assert sum(shares) >= 0.99 * 30 * 60


def test_senders_of_different_paces_get_equal_shares_of_a_campaign_that_is_slower_than_each() -> None:
    hub = Hub({"campaign": paced("30/s")})
    for name, pace in {"a": "40/s", "b": "100/s", "c": "1000/s"}.items():
        hub.sender(name, pace, "campaign")
        hub.accept(name, 3_000)
    hub.run(60 * SECOND)
    shares = [hub.segments(name, before_us=NOON + 60 * SECOND) for name in "abc"]
    assert max(shares) <= 1.1 * min(shares)


@pytest.mark.parametrize("slow", ["1/s", "2/s", "5/s", "20/min"])
@pytest.mark.parametrize("fast", ["100/s", "1000/s"])
def test_a_slow_sender_keeps_its_own_pace_beside_a_fast_one_under_one_limit(slow: str, fast: str) -> None:
    hub = Hub({"account": paced("50/s")})
    hub.sender("fast", fast, "account")
    hub.sender("slow", slow, "account")
    hub.accept("fast", 6_000)
    hub.accept("slow", 500)
    hub.run(61 * SECOND)
    # But for the wait until a text of the fast one, that has begun, is over.
    interval_us, slot_us = Pace.parse(slow).planned_interval_us(), Pace.parse("50/s").planned_interval_us()
    assert share_of(hub, "slow", slow, within_us=60 * SECOND) >= 0.99 * interval_us / (interval_us + slot_us)
    assert hub.segments(before_us=NOON + 60 * SECOND) >= 0.99 * 60 * 50


def test_a_text_that_comes_while_others_have_the_limit_waits_no_longer_than_what_is_reserved() -> None:
    hub = Hub({"account": paced("50/s")})
    for name in ("busy", "idle"):
        hub.sender(name, "100/s", "account")
    hub.accept("busy", 1_000)
    hub.run(3 * SECOND)
    accepted_us = hub.now_us
    hub.accept("idle")
    hub.run(SECOND)
    (sent,) = hub.sent("idle")
    assert sent.at_us - accepted_us <= RESERVATION.reach_us + CADENCE


def test_a_parents_slots_are_shared_by_all_that_stand_under_it() -> None:
    hub = Hub({"account": paced("20/s"), "one": paced("15/s"), "other": paced("15/s")})
    for name, limit in {"a": "one", "b": "one", "c": "other"}.items():
        hub.sender(name, "100/s", limit, "account")
        hub.accept(name, 1_000)
    hub.run(20 * SECOND)
    assert_apart(hub.sent(), "20/s")
    assert_apart(hub.sent("a", "b"), "15/s")
    assert hub.segments(before_us=NOON + 20 * SECOND) >= 0.99 * 20 * 20


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["1/s", "7/s", "50/s", "300/s"]), st.integers(1, 60)), min_size=1, max_size=5),
    st.sampled_from(["5/s", "40/s", "200/s"]),
    st.lists(st.tuples(st.integers(0, 4), st.integers(1, 24), st.integers(0, 700_000), st.integers(1, 3)), max_size=25),
)
def test_whatever_happens_nobody_gets_ahead_of_the_limit_or_of_its_own_pace(
    senders: list[tuple[str, int]], pace: str, happenings: list[tuple[int, int, int, int]]
) -> None:
    hub = Hub({"limit": paced(pace)})
    for number, (its_pace, count) in enumerate(senders):
        hub.sender(f"{number}", its_pace, "limit")
        hub.accept(f"{number}", count)
    for which, segments, wait_us, dispatcher in happenings:
        hub.accept(f"{which % len(senders)}", segments=segments)
        hub.claim(dispatcher)
        hub.now_us += wait_us
    assert_apart(hub.sent(), pace)
    for number, (its_pace, _) in enumerate(senders):
        assert_apart(hub.sent(f"{number}"), its_pace)
    for sent in hub.given:
        assert sent.at_us >= NOON


def test_a_shared_slot_is_used_late_by_no_more_than_the_guard() -> None:
    schedule = VirtualSchedule(Pace.parse("1/s"), 0)
    shared = SharedSchedule(paced("10/s"), now_us=NOON)
    waiting = [Candidate(delivery_id=1, segments=1)]
    its = plan({1: Line(schedule=schedule, waiting=waiting, shared=[shared])}, now_us=NOON, reservation=RESERVATION)[1]
    (slot,) = its.slots
    assert slot.not_after_us == slot.at_us + RESERVATION.guard_us


def test_a_daily_cap_makes_its_senders_wait_for_midnight_and_the_next_claim_comes_then() -> None:
    midnight_us = NOON - NOON % DAY + DAY
    hub = Hub({"campaign": Limit(name="campaign", daily=DailyCap(5, "UTC"))})
    for name in "ab":
        hub.sender(name, "10/s", "campaign")
        hub.accept(name, 6)
    hub.run(10 * SECOND)
    assert hub.segments() == 5
    for each in hub.senders.values():
        assert each.due_us is not None
        assert midnight_us - RESERVATION.reach_us <= each.due_us < midnight_us
    hub.run(DAY)
    assert hub.segments(before_us=midnight_us) == 5
    assert hub.segments(before_us=midnight_us + DAY) == 10
    hub.run(DAY)
    assert hub.segments() == 12


def test_a_capped_sender_does_not_hold_up_one_without_a_cap() -> None:
    hub = Hub({"campaign": Limit(name="campaign", daily=DailyCap(5, "UTC")), "account": paced("20/s")})
    hub.sender("capped", "10/s", "campaign", "account")
    hub.sender("free", "20/s", "account")
    hub.accept("capped", 100)
    hub.accept("free", 1_000)
    hub.run(20 * SECOND)
    assert hub.segments("capped") == 5
    assert hub.segments(before_us=NOON + 20 * SECOND) >= 0.99 * 20 * 20


def test_a_long_text_that_does_not_fit_into_the_day_does_not_use_it_up() -> None:
    hub = Hub({"campaign": Limit(name="campaign", daily=DailyCap(5, "UTC"))})
    hub.sender("a", "10/s", "campaign")
    hub.sender("b", "10/s", "campaign")
    hub.accept("a", 1, segments=3)
    hub.claim()
    hub.accept("a", 1, segments=3)
    hub.accept("b", 2)
    hub.run(SECOND)
    assert hub.segments("b") == 2
    assert hub.segments("a") == 3


def test_senders_that_wake_up_together_do_not_all_send_at_the_same_moment() -> None:
    hub = Hub({})
    for number in range(5):
        hub.sender(f"{number}", "1/s")
        hub.accept(f"{number}", 2)
    hub.claim()
    assert [each.at_us - NOON for each in hub.sent()] == [0, 200, 400, 600, 800]


def test_a_sender_that_is_busy_takes_no_part_in_the_stagger() -> None:
    hub = Hub({})
    for number in range(3):
        hub.sender(f"{number}", "1/s")
        hub.accept(f"{number}", 2)
    busy = hub.senders["1"]
    busy.schedule = replace(busy.schedule, next_free_us=NOON + 300_000)
    hub.claim()
    assert [(each.sender, each.at_us - NOON) for each in hub.sent()] == [("0", 0), ("2", 200), ("1", 300_000)]


def test_programs_of_one_sender_take_turns_from_claim_to_claim() -> None:
    hub = Hub({})
    hub.sender("a", "1/s")
    hub.accept("a", 30, program="one")
    hub.accept("a", 30, program="other")
    hub.run(20 * SECOND)
    programs = [each.candidate.program_id for each in hub.sent()]
    assert programs == ["one", "other"] * (len(programs) // 2) + ["one"] * (len(programs) % 2)
    assert len(programs) >= 20


def test_a_lane_that_waits_long_gets_its_turn_over_several_claims() -> None:
    hub = Hub({})
    hub.sender("a", "1/s")
    for priority in Priority:
        hub.accept("a", 100, priority=priority)
    hub.run(60 * SECOND)
    lanes = [each.candidate.priority for each in hub.sent()]
    for start in range(len(lanes) - 12):
        assert {Priority.NORMAL, Priority.BULK} <= set(lanes[start : start + 12])
    assert lanes.count(Priority.URGENT) >= 0.8 * len(lanes)


@pytest.mark.parametrize("pace", ["1/s", "2/s", "5/s", "10/s", "50/s"])
def test_a_lower_lane_gets_no_more_than_every_tenth_slot_whatever_the_pace(pace: str) -> None:
    hub = Hub({})
    hub.sender("a", pace)
    hub.accept("a", 2_000, priority=Priority.URGENT)
    hub.accept("a", 2_000, priority=Priority.BULK)
    hub.run(20 * SECOND)
    lanes = [each.candidate.priority for each in hub.sent()]
    assert lanes == ([Priority.URGENT] * 9 + [Priority.BULK] * 1) * (len(lanes) // 10) + [Priority.URGENT] * (
        len(lanes) % 10
    )


@pytest.mark.parametrize("pace", ["1/s", "2/s", "10/s", "50/s"])
def test_programs_with_short_and_long_texts_get_the_same_number_of_segments(pace: str) -> None:
    hub = Hub({})
    hub.sender("a", pace)
    hub.accept("a", 2_000, segments=1, program="short")
    hub.accept("a", 200, segments=20, program="long")
    hub.run(200 * SECOND)
    had = {"short": 0, "long": 0}
    for each in hub.sent():
        had[each.candidate.program_id] += each.candidate.segments
        if had["short"] == 2_000:
            break
        assert abs(had["short"] - had["long"]) <= 20


def test_those_who_opted_out_before_urgent_texts_let_no_other_lane_past_them() -> None:
    hub = Hub({})
    hub.sender("a", "10/s")
    hub.accept("a", 20, priority=Priority.URGENT)
    hub.accept("a", 100, priority=Priority.BULK)
    line = hub.senders["a"].queued[Priority.URGENT, ""]
    line[:8] = [replace(each, opted_out=True) for each in line[:8]]
    hub.run(SECOND)
    assert [each.candidate.priority for each in hub.sent()][:9] == [Priority.URGENT] * 9


def test_turns_are_forgotten_when_one_waits_alone() -> None:
    hub = Hub({})
    hub.sender("a", "1/s")
    hub.accept("a", 3, program="one")
    hub.accept("a", 1, program="other")
    hub.run(10 * SECOND)
    assert hub.senders["a"].turns is None
    assert NO_TURNS.written() is None

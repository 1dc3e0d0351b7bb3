"""Whose turn it is: within a program, among programs, among priorities, and from one claim to the next."""

from collections import Counter
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.model.priority import Priority
from domain.model.turns import NO_TURNS, Candidate, FairOrder, Turns

U, N, B = Priority.URGENT, Priority.NORMAL, Priority.BULK


def waiting(
    program: str, *of_segments: int, first: int = 1, priority: Priority = N, opted_out: bool = False
) -> list[Candidate]:
    return [
        Candidate(
            delivery_id=delivery_id, segments=segments, program_id=program, priority=priority, opted_out=opted_out
        )
        for delivery_id, segments in enumerate(of_segments, start=first)
    ]


def taken(order: FairOrder, count: int = 1_000_000) -> list[Candidate]:
    """Those who get the next slots."""
    got: list[Candidate] = []
    while len(got) < count and (candidate := order.peek()) is not None:
        got.append(candidate)
        order.take()
    return got


def ids(candidates: Iterable[Candidate]) -> list[int]:
    return [each.delivery_id for each in candidates]


def programs(candidates: Iterable[Candidate]) -> str:
    return "".join(each.program_id for each in candidates)


def lanes(candidates: Iterable[Candidate]) -> list[Priority]:
    return [each.priority for each in candidates]


class Sender:
    """What waits at a sender, claimed in portions as a store does it: so many of each line are looked at."""

    def __init__(self, *those: Sequence[Candidate]) -> None:
        self.waiting = [each for some in those for each in some]
        self.turns: str | None = None

    def claim(self, slots: int, *, looked_at: int | None = None) -> list[Candidate]:
        wanted = slots if looked_at is None else looked_at
        seen: Counter[tuple[Priority, str]] = Counter()
        given_out: list[Candidate] = []
        for each in sorted(self.waiting, key=lambda each: (each.priority, each.program_id, each.delivery_id)):
            if seen[each.priority, each.program_id] < wanted:
                given_out.append(each)
                seen[each.priority, each.program_id] += 1
        order = FairOrder(given_out, Turns.read(self.turns), looked_at=wanted)
        got = taken(order, slots)
        self.turns = order.turns().written()
        gone = set(ids(got))
        self.waiting = [each for each in self.waiting if each.delivery_id not in gone]
        return got


def test_where_nobody_waits_it_is_nobodys_turn() -> None:
    assert FairOrder([], NO_TURNS).peek() is None


def test_nobody_can_take_a_turn_where_nobody_waits() -> None:
    with pytest.raises(LookupError):
        FairOrder([], NO_TURNS).take()


def test_whose_turn_it_is_can_be_asked_twice() -> None:
    order = FairOrder(waiting("a", 1, 1), NO_TURNS)
    assert order.peek() == order.peek()


def test_within_a_program_the_first_come_is_the_first_served() -> None:
    assert ids(taken(FairOrder(waiting("a", 1, 24, 1, 3), NO_TURNS))) == [1, 2, 3, 4]


def test_programs_take_turns() -> None:
    both = waiting("a", 1, 1, 1) + waiting("b", 1, 1, 1, first=4)
    assert programs(taken(FairOrder(both, NO_TURNS))) == "ababab"


def test_the_earliest_text_goes_first_where_programs_are_even() -> None:
    both = waiting("a", 1, 1, first=3) + waiting("b", 1, 1, first=1)
    assert programs(taken(FairOrder(both, NO_TURNS))) == "baba"


def test_a_program_pays_for_its_long_texts_with_turns() -> None:
    both = waiting("a", 3, 3, 3) + waiting("b", *[1] * 9, first=4)
    assert programs(taken(FairOrder(both, NO_TURNS), 9)) == "abbbabbba"


def test_a_program_that_is_alone_in_its_lane_owes_nothing_to_another() -> None:
    both = waiting("a", 24, 24) + waiting("b", 1, 1, first=3, priority=B)
    assert programs(taken(FairOrder(both, NO_TURNS))) == "aabb"


def test_a_newcomer_is_neither_ahead_nor_behind() -> None:
    sender = Sender(waiting("a", *[1] * 50), waiting("b", *[1] * 50, first=51))
    sender.claim(20, looked_at=50)
    sender.waiting += waiting("c", *[1] * 50, first=101)
    got = Counter(each.program_id for each in sender.claim(30))
    assert got == {"a": 10, "b": 10, "c": 10}


def test_a_program_that_comes_again_has_saved_up_nothing_and_owes_nothing() -> None:
    sender = Sender(waiting("a", *[1] * 100), waiting("b", 24, first=101))
    for _ in range(3):
        sender.claim(10)
    sender.waiting += waiting("b", *[1] * 50, first=102)
    assert Counter(each.program_id for each in sender.claim(20, looked_at=50)) == {"a": 10, "b": 10}


@pytest.mark.parametrize("slots", [1, 2, 7, 37])
def test_one_text_waits_only_a_few_slots_for_a_batch_of_another_program(slots: int) -> None:
    batch = waiting("a", *[1] * 25_000)
    sender = Sender(batch[:2_000])
    sender.claim(slots)
    sender.waiting += waiting("b", 1, first=25_001)
    got = [each for _ in range(3) for each in sender.claim(slots)]
    assert 25_001 in ids(got)[:3]


def test_the_more_urgent_goes_first() -> None:
    all_three = waiting("a", 1, priority=B) + waiting("a", 1, first=2) + waiting("a", 1, first=3, priority=U)
    assert lanes(taken(FairOrder(all_three, NO_TURNS))) == [U, N, B]


@pytest.mark.parametrize("lower", [N, B])
def test_every_tenth_slot_goes_to_a_lane_that_waits_below_another(lower: Priority) -> None:
    both = waiting("a", *[1] * 100, priority=U) + waiting("a", *[1] * 100, first=101, priority=lower)
    assert lanes(taken(FairOrder(both, NO_TURNS), 40)) == ([U] * 9 + [lower]) * 4


def test_with_three_lanes_every_tenth_slot_is_a_lower_ones_and_each_has_a_turn_in_a_dozen() -> None:
    of_all = [each for lane in Priority for each in waiting("a", *[1] * 500, first=1_000 * lane + 1, priority=lane)]
    order = lanes(taken(FairOrder(of_all, NO_TURNS), 500))
    for start in range(len(order) - 12):
        assert order[start : start + 10].count(U) < 10
        assert {U, N, B} == set(order[start : start + 12])
    assert order.count(U) >= 400
    assert order.count(N) >= 40
    assert order.count(B) >= 40


@pytest.mark.parametrize("slots", [1, 3, 8])
def test_a_lane_is_not_passed_over_for_longer_because_claims_are_small(slots: int) -> None:
    sender = Sender(waiting("a", *[1] * 200, priority=U), waiting("a", *[1] * 200, first=201, priority=B))
    got = [each for _ in range(40 // slots) for each in sender.claim(slots)]
    assert lanes(got) == (([U] * 9 + [B]) * 4)[: len(got)]


def test_a_lane_that_had_its_turn_is_passed_over_anew() -> None:
    both = waiting("a", *[1] * 30, priority=U) + waiting("a", 1, 1, first=31, priority=B)
    order = FairOrder(both, Turns(passed_over={B: 9}))
    assert lanes(taken(order, 11)) == [B] + [U] * 9 + [B]


def test_the_dropped_are_charged_nothing() -> None:
    gone = waiting("a", 24, 24, opted_out=True)
    rest = waiting("a", 1, 1, first=3) + waiting("b", 1, 1, first=5) + waiting("a", 1, first=7, priority=B)
    order = FairOrder(gone + rest, NO_TURNS)
    for _ in gone:
        order.drop()
    assert programs(taken(order)) == "ababa"


def test_the_dropped_pass_nobody_over() -> None:
    order = FairOrder(waiting("a", *[1] * 9, priority=U) + waiting("a", 1, first=10, priority=B), NO_TURNS)
    for _ in range(8):
        order.drop()
    assert order.turns() == NO_TURNS


def test_nothing_is_remembered_while_one_program_waits_in_one_lane() -> None:
    order = FairOrder(waiting("a", *[1] * 9), NO_TURNS)
    taken(order, 5)
    assert order.turns() == NO_TURNS


def test_who_has_nothing_left_is_forgotten_and_who_may_have_more_is_not() -> None:
    both = waiting("a", 5, 5) + waiting("b", 1, 1, 1, 1, first=3)
    all_here, perhaps_not = FairOrder(both, NO_TURNS), FairOrder(both, NO_TURNS, looked_at=2)
    for order in (all_here, perhaps_not):
        taken(order, 6)
    assert all_here.turns() == NO_TURNS
    # Behind the last of a program that was cut off nobody knows whose turn it is.
    assert perhaps_not.turns().served == {(N, "a"): 1, (N, "b"): 0}


def test_what_is_remembered_stays_small_however_long_it_goes_on() -> None:
    sender = Sender(waiting("a", *[3] * 500), waiting("b", *[2] * 500, first=501))
    for _ in range(50):
        sender.claim(10)
    assert all(count <= 3 for count in Turns.read(sender.turns).served.values())


counts = st.integers(0, 10_000)
names = st.text(min_size=1, max_size=20)


@given(
    st.dictionaries(st.sampled_from(Priority), counts),
    st.dictionaries(st.tuples(st.sampled_from(Priority), names), counts),
)
def test_what_is_written_is_read_as_it_was(
    passed_over: dict[Priority, int], served: dict[tuple[Priority, str], int]
) -> None:
    turns = Turns(passed_over, served)
    assert Turns.read(turns.written()) == turns


def test_nothing_is_written_where_there_is_nothing_to_remember() -> None:
    assert NO_TURNS.written() is None
    assert Turns.read(None) == NO_TURNS


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.lists(st.integers(1, 24), min_size=200, max_size=200), min_size=2, max_size=4),
    st.lists(st.integers(1, 20), min_size=1, max_size=10),
)
def test_over_several_claims_no_program_is_ahead_of_another_by_more_than_its_longest_text(
    of_programs: list[list[int]], slots: list[int]
) -> None:
    sender = Sender(
        *(waiting(f"{place}", *segments, first=1_000 * place) for place, segments in enumerate(of_programs))
    )
    longest = max(each for some in of_programs for each in some)
    had: Counter[str] = Counter({f"{place}": 0 for place in range(len(of_programs))})
    for count in slots:
        for each in sender.claim(count):
            had[each.program_id] += each.segments
            assert max(had.values()) - min(had.values()) <= longest


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(Priority), st.integers(1, 24)), max_size=60),
    st.lists(st.integers(1, 9), max_size=20),
    st.integers(1, 9),
)
def test_everybody_gets_one_turn_and_each_line_keeps_its_order(
    those: list[tuple[str, Priority, int]], slots: list[int], looked_at: int
) -> None:
    sender = Sender(
        [
            Candidate(delivery_id=place, segments=segments, program_id=program, priority=priority)
            for place, (program, priority, segments) in enumerate(those)
        ]
    )
    got = [each for count in [*slots, *[9] * 60] for each in sender.claim(count, looked_at=looked_at)]
    assert sorted(ids(got)) == list(range(len(those)))
    for line in {(each.program_id, each.priority) for each in got}:
        its = [each.delivery_id for each in got if (each.program_id, each.priority) == line]
        assert its == sorted(its)

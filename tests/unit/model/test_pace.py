"""How paces are read, and how long a text keeps a sender busy."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidValue
from domain.model.pace import Pace
from tests.unit.builders import SECOND

WRITTEN_PACES = ("1", "0.5", "1/s", "50/s", "7/s", "300/s", "20/min", "40/min", "100/h", "2000/day", "1/day")

paces = st.sampled_from(WRITTEN_PACES).map(Pace.parse) | st.fractions(Fraction(1, 86_400), 1_000).map(Pace)
segments = st.integers(1, 24)


@pytest.mark.parametrize(
    ("text", "per_second"),
    [
        ("1", Fraction(1)),
        ("0.5", Fraction(1, 2)),
        ("1/s", Fraction(1)),
        ("50/s", Fraction(50)),
        ("0.1/s", Fraction(1, 10)),
        ("40/min", Fraction(2, 3)),
        ("20/min", Fraction(1, 3)),
        ("100/h", Fraction(1, 36)),
        ("2000/day", Fraction(5, 216)),
        ("0.333333", Fraction(333_333, 1_000_000)),
        ("000000001", Fraction(1)),
        ("1000000", Fraction(1_000_000)),
        ("60000000/min", Fraction(1_000_000)),
        (" 1/s\n", Fraction(1)),
    ],
)
def test_a_pace_is_read_exactly(text: str, per_second: Fraction) -> None:
    assert Pace.parse(text).per_second == per_second


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "/s",
        "1/",
        "1 /s",
        "1/S",
        "1/sec",
        "1/week",
        "1//s",
        "1/s/s",
        "1/s 2/s",
        "-1",
        "+1",
        "1.",
        ".5",
        "1,5",
        "1.2.3",
        "1e3",
        "0x10",
        "inf",
        "nan",
        "1_000",
        "0.1234567",
        "1234567890",
        "\N{FULLWIDTH DIGIT ONE}",
        "\N{ARABIC-INDIC DIGIT ONE}",
        "1\n/s",
        "fast",
    ],
)
def test_what_is_not_written_as_a_pace_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="is written as"):
        Pace.parse(text)


@pytest.mark.parametrize("text", ["0", "0.0", "0/day", "0.000000/s", "1000001", "60000001/min", "999999999.999999"])
def test_a_pace_of_nothing_or_of_more_than_a_million_a_second_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="more than zero"):
        Pace.parse(text)


@pytest.mark.parametrize("per_second", [Fraction(0), Fraction(-1), Fraction(1_000_001)])
def test_a_pace_is_in_bounds_however_it_came_about(per_second: Fraction) -> None:
    with pytest.raises(InvalidValue):
        Pace(per_second)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1", "1/s"),
        ("50/s", "50/s"),
        ("60/min", "1/s"),
        ("0.5", "30/min"),
        ("40/min", "40/min"),
        ("100/h", "100/h"),
        ("60/h", "1/min"),
        ("2000/day", "2000/day"),
        ("24/day", "1/h"),
        ("0.333333", "0.333333/s"),
    ],
)
def test_a_pace_is_shown_in_the_shortest_unit_in_which_it_is_whole(text: str, shown: str) -> None:
    assert str(Pace.parse(text)) == shown


@given(st.integers(1, 10_000), st.sampled_from(["s", "min", "h", "day"]))
def test_a_whole_pace_is_read_back_as_it_is_shown(amount: int, unit: str) -> None:
    pace = Pace.parse(f"{amount}/{unit}")
    assert Pace.parse(str(pace)) == pace


@pytest.mark.parametrize(
    ("text", "interval_us"),
    [
        ("1/s", 1_000_000),
        ("50/s", 20_000),
        ("20/min", 3_000_000),
        ("40/min", 1_500_000),
        ("2000/day", 43_200_000),
        ("1/day", 86_400_000_000),
        ("3/s", 333_334),
        ("7/s", 142_858),
        ("0.333333", 3_000_004),
        ("999999", 2),
        ("1000000", 1),
    ],
)
def test_the_interval_is_whole_microseconds_and_never_too_short(text: str, interval_us: int) -> None:
    assert Pace.parse(text).interval_us() == interval_us


def test_a_text_of_three_segments_takes_the_time_of_three_not_three_rounded_times() -> None:
    assert Pace.parse("3/s").interval_us(3) == 1_000_000


@given(paces, segments)
def test_the_interval_is_exact_to_the_microsecond_above(pace: Pace, count: int) -> None:
    assert 0 <= pace.interval_us(count) - Fraction(count * SECOND) / pace.per_second < 1


@given(paces, segments)
def test_slots_are_planned_half_a_percent_wider_than_the_interval(pace: Pace, count: int) -> None:
    planned_us = pace.planned_interval_us(count)
    assert planned_us >= pace.interval_us(count)
    assert 0 <= planned_us - Fraction(count * SECOND) * Fraction(1005, 1000) / pace.per_second < 1

"""How the header Prefer is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.http.preferences import LONGEST_WAIT_S, Preferences

NONE = Preferences()
LENIENT = Preferences(lenient=True)

# The contract allows no more than 1,000 characters.
headers = st.text(max_size=1_000) | st.lists(
    st.sampled_from(["wait", "handling", "lenient", "=", " ", "\t", '"', ",", ";", "10", "0", "-1", "x", "\\", "é"]),
    max_size=40,
).map("".join)


@pytest.mark.parametrize("header", [None, "", " ", ",", ",,;", "=", '"'])
def test_who_prefers_nothing_gets_what_is_usual(header: str | None) -> None:
    assert Preferences.read(header) == NONE


@pytest.mark.parametrize(
    "header",
    ["wait=10", "Wait=10", " wait = 10 ", 'wait="10"', "wait=010", "wait=10; foo=bar", ",wait=10,", "a, wait=10"],
)
def test_a_wait_is_read_in_any_writing(header: str) -> None:
    assert Preferences.read(header) == Preferences(wait_s=10)


@pytest.mark.parametrize(("seconds", "wait_s"), [("0", 0), ("29", 29), ("30", 30), ("31", 30), ("9" * 900, 30)])
def test_nobody_waits_longer_than_half_a_minute(seconds: str, wait_s: int) -> None:
    assert Preferences.read(f"wait={seconds}") == Preferences(wait_s=wait_s)


@pytest.mark.parametrize(
    "header",
    [
        "wait",
        "wait=",
        "wait=x",
        "wait=-1",
        "wait=+1",
        "wait=1.5",
        "wait=1s",
        "wait=1 2",
        "wait=٣",
        "wait: 10",
        "await=10",
    ],
)
def test_a_wait_that_is_no_whole_number_of_seconds_is_passed_over(header: str) -> None:
    assert Preferences.read(header) == NONE


@pytest.mark.parametrize(
    "header", ["handling=lenient", "Handling=Lenient", 'handling="lenient"', "handling=lenient;a=b"]
)
def test_lenient_handling_is_read_in_any_writing(header: str) -> None:
    assert Preferences.read(header) == LENIENT


@pytest.mark.parametrize("header", ["handling=strict", "handling", "lenient", "handling=lenient2", "handling=len ient"])
def test_other_handling_is_the_usual_one(header: str) -> None:
    assert Preferences.read(header) == NONE


def test_preferences_stand_together_and_the_unknown_ones_are_passed_over() -> None:
    header = 'respond-async, handling=lenient, foo="a, wait=1, b"; bar, wait=5'
    assert Preferences.read(header) == Preferences(wait_s=5, lenient=True)


def test_of_two_the_first_counts_even_where_it_is_not_understood() -> None:
    assert Preferences.read("wait=5, wait=7") == Preferences(wait_s=5)
    assert Preferences.read("wait=x, wait=7, handling=strict, handling=lenient") == NONE


@pytest.mark.parametrize("header", ['foo="handling=lenient"', 'foo="a, handling=lenient, wait=3"', 'a="b", c="wait=3"'])
def test_what_stands_in_quotes_is_no_preference(header: str) -> None:
    assert Preferences.read(header) == NONE


@pytest.mark.parametrize(
    ("preferences", "applied"),
    [
        (NONE, ""),
        (Preferences(wait_s=0), "wait=0"),
        (LENIENT, "handling=lenient"),
        (Preferences(wait_s=30, lenient=True), "wait=30, handling=lenient"),
    ],
)
def test_what_was_applied_is_named(preferences: Preferences, applied: str) -> None:
    assert preferences.applied == applied


@given(headers)
def test_any_header_is_read_and_what_was_applied_is_read_back(header: str) -> None:
    preferences = Preferences.read(header)
    assert preferences.wait_s is None or 0 <= preferences.wait_s <= LONGEST_WAIT_S
    assert Preferences.read(preferences.applied) == preferences


@given(headers)
def test_what_comes_after_a_preference_does_not_change_it(rest: str) -> None:
    assert Preferences.read(f"wait=7,{rest}").wait_s == 7
    assert Preferences.read(f"handling=lenient ,{rest}").lenient

"""How lists of numbers are read."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.errors import NoRecipients, TooManyRecipients
from domain.model.recipients import MAX_RECIPIENTS, Recipients, read_recipients


def read(text: str, region: str = "US") -> Recipients:
    return asyncio.run(read_recipients(text, region=region))


def recipients(text: str) -> list[str]:
    return [number.e164 for number in read(text).numbers]


def refusals_of(text: str) -> Sequence[tuple[int, str]]:
    return read(text).refusals


def test_recipients_stand_in_the_order_of_the_list() -> None:
    assert recipients("970.690.4546,(970) 690-4544,+447400123456") == ["+19706904546", "+19706904544", "+447400123456"]


def test_one_recipient_needs_no_comma() -> None:
    assert recipients("(970) 690-4544") == ["+19706904544"]


def test_a_recipient_written_twice_is_texted_once_at_its_first_place() -> None:
    written = "(970) 690-4544,970.690.4546,1.970.690.4544,+19706904546,9706904547"

    assert recipients(written) == ["+19706904544", "+19706904546", "+19706904547"]


def test_a_number_that_stands_again_in_any_writing_is_a_double() -> None:
    found = read("970-690-4544, (970) 690-4544, +19706904544, 970-690-4546")
    assert ([number.e164 for number in found.numbers], found.doubles) == (["+19706904544", "+19706904546"], 2)


async def test_a_long_list_lets_others_have_their_turn() -> None:
    turns = 0

    async def another() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(another())
    await read_recipients(",".join(f"970690{line:04}" for line in range(1_000)), region="US")
    other.cancel()
    assert turns >= 10


@pytest.mark.parametrize(
    "written",
    ["9706904544,9706904546,", "9706904544,9706904546, ,", ",9706904544,,9706904546", " 9706904544 ,\n9706904546\n,,"],
)
def test_empty_places_are_passed_over(written: str) -> None:
    assert recipients(written) == ["+19706904544", "+19706904546"]


@pytest.mark.parametrize("written", ["", " ", ",", ",,,", " , \n,\t"])
def test_a_list_without_a_number_is_refused(written: str) -> None:
    with pytest.raises(NoRecipients):
        read(written)


def test_every_bad_recipient_is_named_by_its_position() -> None:
    assert refusals_of("12345,(970) 690-4544,CALL ME,900 234 5678,690-4544") == (
        (1, "is too short"),
        (3, "has letters or an extension"),
        (4, "is a premium-rate number"),
        (5, "lacks its area code"),
    )


def test_empty_places_count_as_positions() -> None:
    assert refusals_of(",(970) 690-4544,,12345, ,12345,") == ((4, "is too short"), (6, "is too short"))


def test_a_pause_after_a_number_does_not_pass_for_a_recipient() -> None:
    assert refusals_of("9706904544,,5") == ((3, "cannot be read as a phone number"),)


def test_recipients_are_taken_beside_refused_ones() -> None:
    assert recipients("9706904544,12345,9706904546") == ["+19706904544", "+19706904546"]


@pytest.mark.parametrize("separator", [";", "/", "\n", "|", "\N{FULLWIDTH COMMA}"])
def test_only_a_comma_parts_two_recipients(separator: str) -> None:
    assert [position for position, _ in refusals_of(f"9706904544{separator}9706904546")] == [1]


def test_ten_thousand_recipients_are_taken() -> None:
    written = ",".join(f"970690{line:04}" for line in range(MAX_RECIPIENTS))

    numbers = recipients(written + ",,")

    assert len(numbers) == 10_000
    assert (numbers[0], numbers[-1]) == ("+19706900000", "+19706909999")


def test_one_more_is_too_many_even_where_they_are_doubles() -> None:
    with pytest.raises(TooManyRecipients) as refused:
        read("9706904544," * (MAX_RECIPIENTS + 1))

    assert (refused.value.count, refused.value.limit) == (10_001, 10_000)


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters=","), max_size=16) | st.just("970-690-4544"), max_size=8))
def test_every_filled_place_is_a_number_a_double_or_a_refusal_that_shows_no_number(parts: list[str]) -> None:
    assume(any(part.strip() for part in parts))

    found = read(",".join(parts))

    assert len(found.numbers) == len(set(found.numbers))
    assert len(found.numbers) + found.doubles + len(found.refusals) == sum(bool(part.strip()) for part in parts)
    assert all(parts[position - 1].strip() for position, _ in found.refusals)
    assert not any(character.isdigit() for _, reason in found.refusals for character in reason)

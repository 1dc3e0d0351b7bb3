"""How long a text is, how much room it leaves, and what stands in the way of its shortest form."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.model.gsm7 import is_gsm7
from domain.model.message_body import MAX_CHARACTERS, Encoding, MessageBody

EMOJI = "\N{GRINNING FACE}"
QUOTE = "\N{RIGHT SINGLE QUOTATION MARK}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
JOINER = "\N{ZERO WIDTH JOINER}"

characters = st.sampled_from("aé{€" + EMOJI + QUOTE + ELLIPSIS + JOINER + "жç") | st.characters(
    exclude_characters="\0", codec="utf-8"
)
texts = (
    st.lists(st.builds(lambda character, length: character * length, characters, st.integers(1, 170)), min_size=1)
    .map(lambda runs: "".join(runs)[:MAX_CHARACTERS])
    .filter(lambda text: bool(text.strip()))
)


def plain(text: str) -> str | None:
    body = MessageBody(text).plain
    return None if body is None else body.text


def obstacles(text: str) -> list[tuple[str, int, str | None]]:
    return [(each.character, each.count, each.instead) for each in MessageBody(text).obstacles]


@pytest.mark.parametrize(
    ("text", "units", "left"),
    [
        ("a", 1, 159),
        ("a" * 160, 160, 0),
        ("a" * 161, 161, 145),
        ("a" * 306, 306, 0),
        ("{" * 80, 160, 0),
        ("a" * 152 + "{" + "a" * 160, 314, 144),
        ("ж", 1, 69),
        ("ж" * 70, 70, 0),
        ("ж" * 71, 71, 63),
        (EMOJI, 2, 68),
        (EMOJI * 36, 72, 61),
        ("ж{", 2, 68),
    ],
)
def test_a_text_knows_its_units_and_how_many_are_left_in_its_last_segment(text: str, units: int, left: int) -> None:
    body = MessageBody(text)
    assert (body.units, body.units_left) == (units, left)


@settings(deadline=None)
@given(texts)
def test_a_text_has_the_units_of_its_characters(text: str) -> None:
    body = MessageBody(text)
    assert body.units == sum(map(body.encoding.units_of, text))


@settings(deadline=None)
@given(texts)
def test_exactly_the_units_left_can_be_added_without_another_segment(text: str) -> None:
    body = MessageBody(text)
    assume(len(text) + body.units_left < MAX_CHARACTERS)
    full = MessageBody(text + "a" * body.units_left)
    assert (full.segments, full.units_left) == (body.segments, 0)
    assert MessageBody(full.text + "a").segments == body.segments + 1


def test_obstacles_are_counted_and_stand_in_the_order_in_which_they_come() -> None:
    assert obstacles(f"{EMOJI}It{QUOTE}s{JOINER} 5 €{QUOTE} {EMOJI}{QUOTE}") == [
        (EMOJI, 2, None),
        (QUOTE, 3, "'"),
        (JOINER, 1, ""),
    ]


def test_a_text_of_the_gsm_alphabet_has_no_obstacles_and_is_plain() -> None:
    assert obstacles("It's 5 € {net}.") == []
    assert plain("It's 5 € {net}.") == "It's 5 € {net}."


def test_every_obstacle_is_replaced_wherever_it_stands() -> None:
    assert plain(f"{QUOTE}Wait{ELLIPSIS}{QUOTE}{JOINER} façade {ELLIPSIS}") == "'Wait...' facade ..."


def test_a_text_with_one_obstacle_that_cannot_be_replaced_has_no_plain_form() -> None:
    assert plain(f"It{QUOTE}s {EMOJI}") is None


@pytest.mark.parametrize("text", [JOINER, f" {JOINER}\n", "\N{NO-BREAK SPACE}" + JOINER])
def test_a_text_of_which_nothing_would_be_left_has_no_plain_form(text: str) -> None:
    assert plain(text) is None


def test_a_text_that_would_become_too_long_has_no_plain_form() -> None:
    assert plain(ELLIPSIS * 533) == "..." * 533
    assert plain(ELLIPSIS * 534) is None


@settings(deadline=None)
@given(texts)
def test_a_plain_text_is_of_the_gsm_alphabet_and_everything_else_has_an_obstacle(text: str) -> None:
    body = MessageBody(text)
    foreign = [character for character in text if not is_gsm7(character)]
    assert (body.encoding is Encoding.GSM7) is (not foreign)
    assert {each.character: each.count for each in body.obstacles} == {each: foreign.count(each) for each in foreign}
    if body.plain is not None:
        assert body.plain.encoding is Encoding.GSM7
        assert body.plain.plain == body.plain


def test_an_obstacle_shown_in_a_log_is_one_character() -> None:
    (obstacle,) = MessageBody(f"secret{QUOTE}").obstacles
    assert "secret" not in repr(obstacle)

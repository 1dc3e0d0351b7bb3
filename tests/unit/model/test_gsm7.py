"""What to write instead of characters that need more room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.gsm7 import _INSTEAD, BASIC, EXTENSION, instead_of, is_gsm7


def replaced(text: str) -> list[str | None]:
    return [instead_of(character) for character in text]


@pytest.mark.parametrize("character", _INSTEAD)
def test_every_replacement_of_the_table_is_of_the_alphabet_and_what_it_replaces_is_not(character: str) -> None:
    assert is_gsm7(_INSTEAD[character])
    assert instead_of(character) == _INSTEAD[character]
    assert not is_gsm7(character)


@pytest.mark.parametrize(
    ("characters", "instead"),
    [
        ("\u2018\u2019\u201c\u201d", "''\"\""),
        ("\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}", "---"),
        ("\N{NO-BREAK SPACE}\N{THIN SPACE}\t", "   "),
        ("çâêîôûáíóúãõšžÊÃ", "caeiouaiouaoszEA"),
        ("łŁđð", "lLdd"),
        ("\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH LATIN CAPITAL LETTER A}\N{FULLWIDTH EXCLAMATION MARK}", "1A!"),
        ("\N{SUPERSCRIPT TWO}\N{MODIFIER LETTER SMALL H}", "2h"),
    ],
)
def test_what_differs_by_little_is_written_without_the_difference(characters: str, instead: str) -> None:
    assert replaced(characters) == list(instead)


@pytest.mark.parametrize(
    ("character", "instead"),
    [
        ("\N{HORIZONTAL ELLIPSIS}", "..."),
        ("\N{LATIN SMALL LIGATURE FI}", "fi"),
        ("\N{LATIN SMALL LIGATURE OE}", "oe"),
        ("\N{LATIN SMALL LETTER AE WITH ACUTE}", "æ"),
        ("\N{TRADE MARK SIGN}", "TM"),
        ("\N{VULGAR FRACTION ONE HALF}", "1/2"),
        ("\N{NUMERO SIGN}", "No"),
    ],
)
def test_what_stands_for_several_characters_is_written_as_these(character: str, instead: str) -> None:
    assert instead_of(character) == instead


@pytest.mark.parametrize("character", "\N{ZERO WIDTH SPACE}\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NO-BREAK SPACE}\ufe0f")
def test_what_nobody_sees_is_left_out(character: str) -> None:
    assert instead_of(character) == ""


@pytest.mark.parametrize("character", "\N{GRINNING FACE}жω中ش\N{CHECK MARK}\N{DEGREE SIGN}\x01\x7f")
def test_what_nothing_else_says_has_no_replacement(character: str) -> None:
    assert instead_of(character) is None


@pytest.mark.parametrize("text", ["Hello", "^{}\\[~]|€\f", "Ça alors", "".join(BASIC | EXTENSION)])
def test_texts_of_the_alphabet_are_known_for_such(text: str) -> None:
    assert is_gsm7(text)


@given(st.characters())
def test_a_replacement_is_always_of_the_alphabet(character: str) -> None:
    instead = instead_of(character)
    assert instead is None or set(instead) <= BASIC | EXTENSION


def test_no_character_of_all_has_a_replacement_outside_of_the_alphabet() -> None:
    instead = {instead_of(chr(point)) for point in range(0x30000)} - {None}
    assert not [each for each in instead if each is not None and not is_gsm7(each)]

"""The secrets with which programs log in."""

import re

import pytest

from domain.errors import InvalidValue
from domain.model.access import KeyKind
from domain.model.phone_number import PhoneNumber
from domain.model.program_key import KeyTerms, ProgramKey

NUMBER = PhoneNumber("+19706904544")


@pytest.mark.parametrize("kind", KeyKind)
def test_a_generated_key_tells_what_it_is_and_is_found_by_a_pattern(kind: KeyKind) -> None:
    key = ProgramKey.generate(kind)

    assert re.fullmatch(rf"smshub_{kind.value}_[0-9A-Za-z]{{38}}", key.value)
    assert key.is_generated
    assert ProgramKey.generate(kind) != key


def test_one_letter_that_is_mistyped_is_noticed() -> None:
    value = ProgramKey.generate().value
    for index in range(len("smshub_live_"), len(value)):
        other = "0" if value[index] != "0" else "1"
        assert not ProgramKey(value[:index] + other + value[index + 1 :]).is_generated


@pytest.mark.parametrize("value", ["open sesame", "smshub_live_", "x" * 50, "smshub_live_" + "0" * 38])
def test_others_are_not_taken_for_ours(value: str) -> None:
    assert not ProgramKey(value).is_generated


def test_a_hint_shows_little_and_nothing_of_a_key_that_may_be_short() -> None:
    key = ProgramKey.generate(KeyKind.TEST)
    assert key.hint == f"{key.value[:16]}…"
    assert ProgramKey("open sesame").hint == "…"


def test_the_checksum_is_that_of_the_text_before() -> None:
    """CRC-32, as six digits of base 62: whoever scans for keys can tell them from what looks alike."""
    assert ProgramKey("smshub_live_" + "0" * 32 + "1uTY4y").is_generated


@pytest.mark.parametrize(
    "terms",
    [
        {"name": "x" * 101},
        {"name": "a\nb"},
        {"scopes": frozenset()},
        {"kind": KeyKind.TEAM},
        {"numbers": frozenset({NUMBER})},
        {"networks": ("198.51.100.0/33",)},
        {"networks": ("198.51.100.1/24",)},
        {"networks": ("everywhere",)},
        {"networks": ("198.51.100.0/24",) * 21},
    ],
)
def test_terms_that_make_no_sense_are_refused(terms: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        KeyTerms(**terms)  # type: ignore[arg-type]


def test_whoever_comes_without_an_address_is_from_no_network() -> None:
    assert not KeyTerms(networks=("0.0.0.0/0",)).admits("")
    assert KeyTerms().admits("")

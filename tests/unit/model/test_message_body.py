"""How a text is encoded, counted and cut into segments."""

import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import TextRefused
from domain.model.message_body import MAX_CHARACTERS, Encoding, MessageBody

# 3GPP TS 23.038, 6.2.1 and 6.2.1.1.
BASIC = (
    "@\N{POUND SIGN}$\N{YEN SIGN}èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#\N{CURRENCY SIGN}%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|\N{EURO SIGN}"

EMOJI = "\N{GRINNING FACE}"
QUOTE = "\N{RIGHT SINGLE QUOTATION MARK}"


def a_text(text: str = "Your appointment is tomorrow.") -> MessageBody:
    return MessageBody(text)


def parts_of(text: str) -> list[str]:
    return list(MessageBody(text).parts())


def lengths_of(text: str) -> list[int]:
    return [len(part) for part in parts_of(text)]


def reason_for(text: str) -> str:
    with pytest.raises(TextRefused) as refused:
        MessageBody(text)
    return refused.value.reason


def units_on_air(text: str, encoding: Encoding) -> int:
    """Septets or UTF-16 code units, counted another way than the module does."""
    if encoding is Encoding.GSM7:
        return len(text) + sum(map(text.count, EXTENSION))
    return len(text.encode("utf-16-be")) // 2


def test_the_gsm_alphabet_has_127_characters_and_ten_more_by_escape() -> None:
    assert (len(set(BASIC)), len(set(EXTENSION))) == (127, 10)


@pytest.mark.parametrize("character", BASIC + EXTENSION)
def test_a_character_of_the_gsm_alphabet_goes_in_gsm7(character: str) -> None:
    assert a_text("x" + character).encoding is Encoding.GSM7


@pytest.mark.parametrize(
    "character",
    [
        *"`çêáâíóúãõÊÃ°½\t\x01\x7f\x85\xa0",
        "\x1b",
        "ω",
        "\N{OHM SIGN}",
        "ж",
        "中",
        QUOTE,
        "\N{EM DASH}",
        EMOJI,
        "e\u0301",
    ],
)
def test_one_other_character_turns_the_whole_text_to_ucs2(character: str) -> None:
    assert a_text("Your appointment is tomorrow" + character).encoding is Encoding.UCS2


def test_no_other_character_up_to_u_ffff_goes_in_gsm7() -> None:
    sendable = (chr(point) for point in range(1, 0x10000) if not 0xD800 <= point <= 0xDFFF)

    gsm7 = {character for character in sendable if a_text("x" + character).encoding is Encoding.GSM7}

    assert gsm7 == set(BASIC + EXTENSION)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 459, 3),
        ("a" * 460, 4),
        ("a" * 1600, 11),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("ж" * 134, 2),
        ("ж" * 135, 3),
        ("ж" * 201, 3),
        ("ж" * 202, 4),
        ("ж" * 1600, 24),
        ("a" * 69 + QUOTE, 1),
        ("a" * 70 + QUOTE, 2),
        (EMOJI * 35, 1),
        (EMOJI * 36, 2),
        (EMOJI * 66, 2),
        (EMOJI * 67, 3),
        (EMOJI * 1600, 49),
    ],
)
def test_segments_are_counted_at_the_limits(text: str, segments: int) -> None:
    assert a_text(text).segments == segments


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("{}" * 40, 1),
        ("{}" * 40 + "a", 2),
        ("a" * 158 + "{", 1),
        ("a" * 159 + "{", 2),
        ("{" * 152, 2),
        ("{" * 153, 3),
    ],
)
def test_an_extension_character_costs_two_in_gsm7(text: str, segments: int) -> None:
    assert a_text(text).segments == segments


@pytest.mark.parametrize(("text", "segments"), [("ж" + "{" * 69, 1), ("ж" + "{" * 70, 2), ("ж" + "{" * 133, 2)])
def test_an_extension_character_costs_one_in_ucs2(text: str, segments: int) -> None:
    assert a_text(text).segments == segments


def test_a_carriage_return_and_a_line_feed_cost_one_each() -> None:
    assert [a_text("a" * length + "\r\n" + "b" * 79).segments for length in (79, 80)] == [1, 2]


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("a" * 161, [153, 8]),
        ("a" * 306, [153, 153]),
        ("a" * 152 + "{" + "a" * 160, [152, 152, 9]),
        ("a" * 151 + "{" + "a" * 160, [152, 153, 7]),
        ("ж" * 71, [67, 4]),
        ("ж" * 66 + EMOJI + "ж" * 66, [66, 66, 1]),
        ("ж" * 65 + EMOJI + "ж" * 67, [66, 67]),
        (EMOJI * 36, [33, 3]),
    ],
)
def test_a_part_ends_before_the_character_that_would_be_split(text: str, lengths: list[int]) -> None:
    assert lengths_of(text) == lengths


def test_what_only_readers_see_as_one_character_may_be_split() -> None:
    thumb, skin = "\N{THUMBS UP SIGN}", "\N{EMOJI MODIFIER FITZPATRICK TYPE-4}"

    assert parts_of("x" * 65 + thumb + skin + "y" * 65) == ["x" * 65 + thumb, skin + "y" * 65]


@pytest.mark.parametrize(
    "text", ["", " ", "\n", " \t\r\n", "\f", "\N{NO-BREAK SPACE}", "\N{IDEOGRAPHIC SPACE}", " " * 1601]
)
def test_a_blank_text_is_refused(text: str) -> None:
    assert reason_for(text) == "is blank"


def test_blanks_around_a_text_are_kept() -> None:
    assert a_text("  a\n").text == "  a\n"


@pytest.mark.parametrize("character", ["a", "ж", "{", EMOJI])
def test_1600_characters_are_the_most(character: str) -> None:
    assert len(a_text(character * 1600).text) == 1600
    assert reason_for(character * 1601) == "is longer than 1600 characters"


@pytest.mark.parametrize("code_point", [0, 0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_nul_and_lone_surrogates_are_refused(code_point: int) -> None:
    assert reason_for(f"a{chr(code_point)}b") == "has a character that cannot be sent"


def test_a_text_never_shows_itself() -> None:
    body = a_text("Your code is 492817")

    assert {repr(body), str(body), f"{body}", f"{body!r}", f"{[body][0]}"} == {"MessageBody(19 characters)"}


def test_a_text_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        a_text().text = "Something else."  # type: ignore[misc]


def test_two_equal_texts_are_one_body_whether_or_not_they_were_counted() -> None:
    counted, fresh = a_text("Hello"), a_text("Hello")

    assert counted.segments == 1
    assert len({counted, fresh}) == 1


def texts(alphabet: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Runs of one character reach the limits between segments, which single characters seldom do."""
    runs = st.builds(lambda character, length: character * length, alphabet, st.integers(1, 170))
    return (
        st.lists(st.text(alphabet, max_size=8) | runs, min_size=1, max_size=12)
        .map(lambda pieces: "".join(pieces)[:MAX_CHARACTERS])
        .filter(lambda text: bool(text.strip()))
    )


gsm7_texts = texts(st.sampled_from(BASIC) | st.sampled_from(EXTENSION))
ucs2_texts = texts(
    st.sampled_from("жa{" + EMOJI + "\u0301\u200d") | st.characters(exclude_characters="\0", codec="utf-8")
)
sendable_texts = gsm7_texts | ucs2_texts


@settings(deadline=None)
@given(sendable_texts)
def test_the_parts_joined_are_the_text(text: str) -> None:
    assert "".join(parts_of(text)) == text


@settings(deadline=None)
@given(sendable_texts)
def test_there_are_as_many_parts_as_segments(text: str) -> None:
    body = a_text(text)

    assert body.segments == len(list(body.parts())) >= 1


@settings(deadline=None)
@given(sendable_texts)
def test_every_part_holds_something_and_fits_its_segment(text: str) -> None:
    body = a_text(text)
    limit = body.encoding.units_alone if body.segments == 1 else body.encoding.units_joined

    assert all(1 <= units_on_air(part, body.encoding) <= limit for part in body.parts())


@settings(deadline=None)
@given(sendable_texts)
def test_a_text_takes_one_segment_exactly_where_it_fits_alone(text: str) -> None:
    body = a_text(text)
    limit = {Encoding.GSM7: 160, Encoding.UCS2: 70}[body.encoding]

    assert (body.segments == 1) is (units_on_air(text, body.encoding) <= limit)


@settings(deadline=None)
@given(sendable_texts)
def test_a_part_ends_only_where_the_next_character_does_not_fit(text: str) -> None:
    body = a_text(text)
    limit = {Encoding.GSM7: 153, Encoding.UCS2: 67}[body.encoding]
    parts = list(body.parts())

    assert all(
        units_on_air(part + following[0], body.encoding) > limit for part, following in itertools.pairwise(parts)
    )


@settings(deadline=None)
@given(ucs2_texts)
def test_no_part_splits_a_surrogate_pair(text: str) -> None:
    units = b"".join(part.encode("utf-16-be") for part in parts_of(text))

    assert units.decode("utf-16-be") == text
    assert all(part.encode("utf-16-be").decode("utf-16-be") == part for part in parts_of(text))


@settings(deadline=None)
@given(gsm7_texts)
def test_no_part_splits_an_escape_sequence(text: str) -> None:
    escape = "\x1b"
    on_air = [
        "".join(escape + character if character in EXTENSION else character for character in part)
        for part in parts_of(text)
    ]

    assert not any(part.endswith(escape) for part in on_air)
    assert all(len(part) <= 160 for part in on_air)


@settings(deadline=None)
@given(sendable_texts)
def test_what_a_text_shows_depends_on_its_length_alone(text: str) -> None:
    assert repr(a_text(text)) == repr(a_text("x" * len(text))) == f"MessageBody({len(text)} characters)"


@settings(deadline=None)
@given(st.text(st.characters() | st.characters(categories=["Cc", "Cs", "Zs"])) | texts(st.characters()))
def test_any_text_is_a_body_or_refused(text: str) -> None:
    try:
        body = MessageBody(text)
    except TextRefused as refused:
        assert refused.reason in {"is blank", "has a character that cannot be sent"}  # noqa: PT017
    else:
        assert body.text == text

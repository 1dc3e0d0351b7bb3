"""How phone numbers are read, refused and kept out of sight."""

import dataclasses

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from domain.errors import InvalidValue, NumberRefused
from domain.model.phone_number import PhoneNumber, is_region

FULL_WIDTH = {ord(character): ord(character) + 0xFEE0 for character in "+.0123456789"}
ARABIC_INDIC = {ord(digit): 0x0660 + int(digit) for digit in "0123456789"}

REGIONS = ("US", "CA", "GB", "DE", "FR", "IT", "CH", "AR", "BR", "MX", "IN", "JP", "AU", "NG", "ZA")
FORMATS = (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL)


def a_number(e164: str = "+19706904544") -> PhoneNumber:
    return PhoneNumber(e164)


def read(text: str, region: str = "US") -> str:
    return PhoneNumber.parse(text, region=region).e164


def reason_for(text: str, region: str = "US") -> str:
    with pytest.raises(NumberRefused) as refused:
        PhoneNumber.parse(text, region=region)
    return refused.value.reason


def answer_to(text: str, region: str = "US") -> PhoneNumber | NumberRefused:
    try:
        return PhoneNumber.parse(text, region=region)
    except NumberRefused as refused:
        return refused


def an_example(number_type: int, region: str) -> str:
    """A number of the type as the numbering plan's own example has it, in its national writing."""
    number = phonenumbers.example_number_for_type(region, number_type)
    assert number is not None
    return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)


def shows_a_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


@pytest.mark.parametrize(
    "writing",
    [
        "(970) 690-4544",
        "1.970.690.4544",
        "19706904544",
        "9706904544",
        "970 690 4544",
        "970.690.4544",
        "970-690-4544",
        "(970) 690/4544",
        "1 (970) 690-4544",
        "+19706904544",
        "+1 970 690 4544",
        "+1 (970) 690-4544",
        "011 1 970 690 4544",
        "  970-690-4544\n",
        "+1\N{NO-BREAK SPACE}970\N{NO-BREAK SPACE}690\N{NO-BREAK SPACE}4544",
        "970\N{NON-BREAKING HYPHEN}690\N{NON-BREAKING HYPHEN}4544",
        "\N{LEFT-TO-RIGHT EMBEDDING}+1 970 690 4544\N{POP DIRECTIONAL FORMATTING}",
        "9706904544".translate(FULL_WIDTH),
        "+19706904544".translate(FULL_WIDTH),
        "970.690.4544".translate(FULL_WIDTH),
        "9706904544".translate(ARABIC_INDIC),
    ],
)
def test_an_american_number_is_read_from_any_common_writing(writing: str) -> None:
    assert read(writing) == "+19706904544"


@pytest.mark.parametrize(
    ("writing", "region", "e164"),
    [
        ("970.690.4546", "US", "+19706904546"),
        ("416 555 0123", "CA", "+14165550123"),
        ("07400 123456", "GB", "+447400123456"),
        ("020 7031 3000", "GB", "+442070313000"),
        ("+44 (0)7400 123456", "GB", "+447400123456"),
        ("0171 1234567", "DE", "+491711234567"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("06 6982 0000", "IT", "+390669820000"),
        ("312 345 6789", "IT", "+393123456789"),
        ("98 765 43210", "IN", "+919876543210"),
        ("0412 345 678", "AU", "+61412345678"),
        ("(11) 91234-5678", "BR", "+5511912345678"),
        ("011 15-2345-6789", "AR", "+5491123456789"),
    ],
)
def test_a_number_without_a_plus_belongs_to_the_region(writing: str, region: str, e164: str) -> None:
    assert read(writing, region) == e164


@pytest.mark.parametrize("region", REGIONS)
def test_a_number_with_a_plus_is_the_same_in_every_region(region: str) -> None:
    assert read("+44 7400 123456", region) == "+447400123456"


@pytest.mark.parametrize(
    ("writing", "region", "e164"),
    [
        ("00 1 970 690 4544", "GB", "+19706904544"),
        ("011 44 7400 123456", "US", "+447400123456"),
        ("0011 44 7400 123456", "AU", "+447400123456"),
    ],
)
def test_the_prefix_for_calls_abroad_stands_for_a_plus(writing: str, region: str, e164: str) -> None:
    assert read(writing, region) == e164


@pytest.mark.parametrize(
    ("writing", "region", "e164"),
    [
        ("07700 900000", "GB", "+447700900000"),
        ("+447700900999", "US", "+447700900999"),
        ("202-555-0123", "US", "+12025550123"),
        ("+15005550006", "US", "+15005550006"),
    ],
)
def test_numbers_for_tests_are_read_although_nobody_is_assigned_them(writing: str, region: str, e164: str) -> None:
    assert read(writing, region) == e164


@pytest.mark.parametrize(
    ("number_type", "region"),
    [
        (PhoneNumberType.MOBILE, "GB"),
        (PhoneNumberType.FIXED_LINE, "GB"),
        (PhoneNumberType.FIXED_LINE_OR_MOBILE, "US"),
        (PhoneNumberType.TOLL_FREE, "US"),
        (PhoneNumberType.TOLL_FREE, "GB"),
        (PhoneNumberType.VOIP, "GB"),
        (PhoneNumberType.PERSONAL_NUMBER, "US"),
    ],
)
def test_types_that_can_take_texts_are_read(number_type: int, region: str) -> None:
    assert read(an_example(number_type, region), region).startswith("+")


@pytest.mark.parametrize(
    ("writing", "region", "reason"),
    [
        ("", "US", "cannot be read as a phone number"),
        ("   ", "US", "cannot be read as a phone number"),
        ("-", "US", "cannot be read as a phone number"),
        ("+", "US", "cannot be read as a phone number"),
        ("+1+9706904544", "US", "cannot be read as a phone number"),
        ("9706904544#", "US", "cannot be read as a phone number"),
        ("970690454\N{SUPERSCRIPT TWO}", "US", "cannot be read as a phone number"),
        ("1" * 65, "US", "cannot be read as a phone number"),
        (" " * 55 + "9706904544", "US", "cannot be read as a phone number"),
        ("12345", "US", "is too short"),
        ("911", "US", "is too short"),
        ("970690454", "US", "is too short"),
        ("+1970690454", "US", "is too short"),
        ("0", "GB", "cannot be read as a phone number"),
        ("97069045440", "US", "is too long"),
        ("9706904544 5", "US", "is too long"),
        ("+1 970 690 4544 0000", "US", "is too long"),
        ("9706904544 / 9706904546", "US", "is too long"),
        ("1" * 64, "US", "is too long"),
        ("690-4544", "US", "lacks its area code"),
        ("7031 3000", "GB", "lacks its area code"),
        ("+9991234567", "US", "has a country code that does not exist"),
        ("+210 1234567", "US", "has a country code that does not exist"),
        ("9706904544", "XX", "has a country code that does not exist"),
    ],
)
def test_what_cannot_be_dialled_is_refused_with_the_reason(writing: str, region: str, reason: str) -> None:
    assert reason_for(writing, region) == reason


@pytest.mark.parametrize(
    "writing",
    [
        "abc",
        "1-800-FLOWERS",
        "970-690-454O",
        "tel:+19706904544",
        "(970) 690-4544 home",
        "970-690-4544 \N{CYRILLIC SMALL LETTER ZHE}",
    ],
)
def test_a_writing_with_letters_is_refused(writing: str) -> None:
    assert reason_for(writing) == "has letters or an extension"


@pytest.mark.parametrize(
    "extension",
    [
        " ext 5",
        " ext. 5",
        " Ext: 5",
        " extension 5",
        " x5",
        "X 5",
        " int 5",
        " anexo 5",
        " \u0434\u043e\u0431. 5",
        " ext 5".translate({ord(letter): ord(letter) + 0xFEE0 for letter in "ext5"}),
        "#5",
        " #5",
        " # 5",
        " - 5#",
        ",5",
        ",,5",
        ",,,,5#",
        ";5",
        ";ext=5",
        "~5",
        "\N{FULLWIDTH TILDE}5",
        "p5",
    ],
)
def test_a_number_with_an_extension_is_refused(extension: str) -> None:
    assert reason_for("(970) 690-4544" + extension) == "has letters or an extension"


@pytest.mark.parametrize(
    ("number_type", "region", "reason"),
    [
        (PhoneNumberType.PREMIUM_RATE, "US", "is a premium-rate number"),
        (PhoneNumberType.PREMIUM_RATE, "GB", "is a premium-rate number"),
        (PhoneNumberType.PREMIUM_RATE, "DE", "is a premium-rate number"),
        (PhoneNumberType.PREMIUM_RATE, "FR", "is a premium-rate number"),
        (PhoneNumberType.SHARED_COST, "DE", "is a shared-cost number"),
        (PhoneNumberType.SHARED_COST, "AU", "is a shared-cost number"),
        (PhoneNumberType.SHARED_COST, "BR", "is a shared-cost number"),
        (PhoneNumberType.UAN, "GB", "is a company number that takes no texts"),
        (PhoneNumberType.UAN, "DE", "is a company number that takes no texts"),
        (PhoneNumberType.VOICEMAIL, "CH", "is a voicemail access number"),
        (PhoneNumberType.VOICEMAIL, "DE", "is a voicemail access number"),
        (PhoneNumberType.PAGER, "GB", "is a pager"),
        (PhoneNumberType.PAGER, "HK", "is a pager"),
    ],
)
def test_types_that_cost_extra_or_take_no_texts_are_refused(number_type: int, region: str, reason: str) -> None:
    assert reason_for(an_example(number_type, region), region) == reason


@pytest.mark.parametrize("writing", ["900 234 5678", "(900) 234-5678", "+1 900 234 5678", "011 44 909 8790000"])
def test_a_premium_rate_number_is_refused_in_any_writing(writing: str) -> None:
    assert reason_for(writing) == "is a premium-rate number"


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "+",
        "19706904544",
        "9706904544",
        "+123456",
        "+1234567890123456",
        "+1 970 690 4544",
        "++1970690454",
        "+19706904544\n",
        "+19706904544".translate(FULL_WIDTH),
        "+" + "19706904544".translate(FULL_WIDTH),
        "+1970690454\N{SUPERSCRIPT TWO}",
    ],
)
def test_only_e164_is_kept(kept: str) -> None:
    with pytest.raises(InvalidValue):
        PhoneNumber(kept)


@pytest.mark.parametrize("kept", ["+1234567", "+19706904544", "+123456789012345"])
def test_seven_to_fifteen_digits_are_kept(kept: str) -> None:
    assert PhoneNumber(kept).e164 == kept


def test_a_number_never_shows_itself() -> None:
    number = a_number("+19706904544")

    shown = [repr(number), str(number), f"{number}", f"{number!r}", f"{number:}", f"{[number]}"]

    assert not [text for text in shown if "970" in text or "4544" in text]


def test_a_number_shows_its_last_two_digits_alone() -> None:
    assert repr(a_number("+19706904544")) == "PhoneNumber(…44)"


def test_a_number_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        a_number().e164 = "+19706904546"  # type: ignore[misc]


def test_two_writings_of_one_number_are_equal() -> None:
    assert len({PhoneNumber.parse(text, region="US") for text in ("(970) 690-4544", "+1 970 690 4544")}) == 1


@pytest.mark.parametrize(
    ("e164", "region"),
    [
        ("+19706904544", "US"),
        ("+14165550123", "CA"),
        ("+12462501234", "BB"),
        ("+447400123456", "GB"),
        ("+77012345678", "KZ"),
        ("+4915123456789", "DE"),
        ("+80012345678", None),
        ("+88216123456", None),
    ],
)
def test_a_number_knows_its_country(e164: str, region: str | None) -> None:
    assert a_number(e164).region == region


def test_an_unassigned_number_belongs_to_the_main_country_of_those_that_share_its_code() -> None:
    assert a_number("+447700900000").region == "GB"


@pytest.mark.parametrize(
    ("code", "known"), [("US", True), ("GB", True), ("XX", False), ("us", False), ("", False), ("001", False)]
)
def test_regions_are_known_by_their_two_capitals(code: str, *, known: bool) -> None:
    assert is_region(code) is known


@st.composite
def writings(draw: st.DrawFn) -> tuple[str, str, str]:
    """A mobile number in some writing, the region to read it in, and its E.164."""
    region = draw(st.sampled_from(REGIONS))
    number = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    assert number is not None
    text = phonenumbers.format_number(number, draw(st.sampled_from(FORMATS)))
    separator = draw(st.sampled_from(["", " ", "  ", ".", "-", "/", "\N{NO-BREAK SPACE}", "\N{EN DASH}"]))
    text = text.replace("-", " ").replace(" ", separator).translate(draw(st.sampled_from([{}, FULL_WIDTH])))
    around = draw(st.sampled_from(["", " ", "\n", "\t"]))
    return around + text + around, region, phonenumbers.format_number(number, PhoneNumberFormat.E164)


dialled = st.text(st.sampled_from("0123456789+-(). "), max_size=24) | st.builds(
    "+{}{}".format, st.sampled_from([1, 33, 44, 49, 61, 81, 98]), st.text("0123456789", min_size=2, max_size=16)
)
whatsoever = st.text(st.characters() | st.characters(categories=["Nd", "Cs"]))


@settings(deadline=None)
@given(writings())
def test_a_number_is_the_same_in_any_writing_and_when_it_is_read_again(writing: tuple[str, str, str]) -> None:
    text, region, e164 = writing

    number = PhoneNumber.parse(text, region=region)

    assert number.e164 == e164
    assert PhoneNumber.parse(number.e164, region="US") == number


@settings(deadline=None)
@given(whatsoever, st.sampled_from(["US", "CA", "FR"]))
def test_any_text_is_a_number_or_refused_without_a_digit_of_it(text: str, region: str) -> None:
    answer = answer_to(text, region)

    assert isinstance(answer, PhoneNumber) or not shows_a_digit(f"{answer} {answer.reason}")


@settings(deadline=None)
@given(whatsoever | dialled, st.sampled_from(REGIONS))
@example("+491234", "US")
@example("1234", "DE")
@example("+4912345678901234", "US")
@example("+62999022592796863", "US")
def test_whatever_is_dialled_is_a_number_or_refused(text: str, region: str) -> None:
    answer = answer_to(text, region)

    assert isinstance(answer, PhoneNumber) or not shows_a_digit(f"{answer} {answer.reason}")


@settings(deadline=None)
@given(dialled, st.sampled_from(REGIONS))
@example("+49 (0)(0)151 23456789", "US")
@example("+49 00 900 1234567", "US")
@example("0326 676388", "JE")
def test_whatever_is_dialled_is_the_same_when_it_is_read_again(text: str, region: str) -> None:
    answer = answer_to(text, region)

    assert isinstance(answer, NumberRefused) or answer_to(answer.e164, region) == answer


@settings(deadline=None)
@given(st.integers(min_value=10**6, max_value=10**15 - 1))
def test_what_a_number_shows_depends_on_its_last_two_digits_alone(digits: int) -> None:
    assert str(PhoneNumber(f"+{digits}")) == f"PhoneNumber(…{digits % 100:02})"

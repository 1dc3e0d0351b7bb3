"""What texts may come from."""

import pytest

from domain.errors import InvalidValue
from domain.model.sender import SenderAddress


@pytest.mark.parametrize(
    "value",
    [
        "+18005550100",
        "+4915112345678",
        "729",
        "72975",
        "12345678",
        "HUB",
        "City Clinic",
        "Dr. A_B-C&D",
        "4U",
        "x",
        "MG" + "0123456789abcdefABCDEF0123456789",
    ],
)
def test_a_number_a_short_code_a_name_and_a_messaging_service_are_senders(value: str) -> None:
    assert SenderAddress(value).value == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "18005550100",
        "+1 800 555 0100",
        "+1-800-555-0100",
        "+18005550100 ",
        "+1800",
        "+999123456789",
        "+",
        "12",
        "123456789",
        "\N{ARABIC-INDIC DIGIT ONE}" * 5,
        "MÜLLER",
        "Twelve chars",
        "1234-5678",
        "HUB\n",
        "HUB!",
        "MG0123456789abcdefABCDEF012345678",
        "MG0123456789abcdefABCDEF0123456789a",
        "MG0123456789abcdefABCDEF012345678g",
        "SM0123456789abcdefABCDEF0123456789",
    ],
)
def test_anything_else_is_no_sender(value: str) -> None:
    with pytest.raises(InvalidValue):
        SenderAddress(value)


@pytest.mark.parametrize(
    ("value", "is_number"), [("+18005550100", True), ("72975", False), ("HUB", False), ("MG" + "a" * 32, False)]
)
def test_only_phone_numbers_are_numbers(value: str, is_number: bool) -> None:  # noqa: FBT001
    assert SenderAddress(value).is_number is is_number


@pytest.mark.parametrize(
    ("value", "region"),
    [
        ("+18005550100", "US"),
        ("+13065550100", "CA"),
        ("+4915112345678", "DE"),
        ("72975", None),
        ("HUB", None),
        ("MG" + "a" * 32, None),
    ],
)
def test_a_senders_country_is_that_of_its_number(value: str, region: str | None) -> None:
    assert SenderAddress(value).region == region

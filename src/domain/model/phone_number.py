"""Phone numbers as people write them, and as the hub keeps them (E.164)."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Self

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType, ValidationResult

from domain.errors import InvalidValue, NumberRefused

# Longer texts are no number in any writing; libphonenumber itself stops at 250 characters.
_MAX_LENGTH = 64

# One plus at the most, before the digits of any script; between them spaces, brackets and dashes of any width, and
# the invisible marks that come along when a number is copied.
_MARKS = r"\s\u00ad\u200b\u200e\u200f\u2060\u202a-\u202e()\uff08\uff09\[\]"
_WRITTEN = re.compile(rf"[{_MARKS}]*[+\uff0b]?[{_MARKS}\d\-./~\u2010-\u2015\u2212\u30fc\uff0d-\uff0f]*")

_UNREADABLE = "cannot be read as a phone number"
_REFUSED_TYPES = {
    PhoneNumberType.PREMIUM_RATE: "is a premium-rate number",
    PhoneNumberType.SHARED_COST: "is a shared-cost number",
    PhoneNumberType.UAN: "is a company number that takes no texts",
    PhoneNumberType.VOICEMAIL: "is a voicemail access number",
    PhoneNumberType.PAGER: "is a pager",
}
_NOT_DIALABLE = {
    ValidationResult.TOO_SHORT: "is too short",
    ValidationResult.TOO_LONG: "is too long",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "lacks its area code",
    ValidationResult.INVALID_COUNTRY_CODE: "has a country code that does not exist",
    ValidationResult.INVALID_LENGTH: "has a wrong number of digits",
}

_ERASED = "+999"
_NO_REGION = 999


def _region_code(region: str) -> int:
    """From 0 to 675."""
    first, second = (ord(letter) - ord("A") for letter in region)
    return first * 26 + second


_REGIONS_BY_CODE = {f"{_region_code(region):03d}": region for region in phonenumbers.SUPPORTED_REGIONS}


@dataclass(frozen=True, slots=True, order=True, repr=False)
class PhoneNumber:
    """A dialable number in E.164 (`+` and 7 to 15 digits)."""

    e164: str

    def __post_init__(self) -> None:
        if not _fits(self.e164):
            raise InvalidValue("A phone number is kept as + and 7 to 15 digits.")

    def __repr__(self) -> str:
        return f"PhoneNumber(…{self.e164[-2:]})"

    @classmethod
    def parse(cls, text: str, *, region: str) -> Self:
        """Reads any common writing; `region` (ISO 3166-1 alpha-2) is the country of numbers without a `+`.

        A number must be *possible*, not assigned: numbering plans change faster than any table of them, and test
        ranges are never assigned. Raises `NumberRefused` for letters, extensions, anything not dialable, and types
        that cost their callers extra or cannot receive texts.
        """
        if len(text) > _MAX_LENGTH:
            raise NumberRefused(_UNREADABLE)
        if any(character.isalpha() for character in text):
            raise NumberRefused("has letters or an extension")
        try:
            parsed = phonenumbers.parse(text, region)
        except NumberParseException as error:
            raise NumberRefused(_parse_reason(error)) from None
        if parsed.extension:
            raise NumberRefused("has letters or an extension")
        if not _WRITTEN.fullmatch(text):
            raise NumberRefused(_UNREADABLE)
        possible = phonenumbers.is_possible_number_with_reason(parsed)
        if possible != ValidationResult.IS_POSSIBLE:
            raise NumberRefused(_NOT_DIALABLE.get(possible, _UNREADABLE))
        refused = _refused_type(parsed)
        if refused:
            raise NumberRefused(refused)
        e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        if not _fits(e164) or (parsed.italian_leading_zero and _changes_when_read_again(e164)):
            raise NumberRefused(_UNREADABLE)
        return cls(e164)

    @property
    def erased(self) -> Self:
        """What stands in place of a number that is to be forgotten: nobody's, of its country alone.

        The country code 999 is kept free (ITU-T E.164), so nobody can be texted there.
        """
        region = self.region
        code = _NO_REGION if region is None else _region_code(region)
        return type(self)(f"{_ERASED}{code:03d}0")

    @property
    def region(self) -> str | None:
        """The ISO 3166-1 alpha-2 country that the number belongs to; None for non-geographic ones.

        An unassigned number belongs to the main country of its country code.
        """
        if self.e164.startswith(_ERASED):
            return _REGIONS_BY_CODE.get(self.e164[len(_ERASED) : -1])
        parsed = phonenumbers.parse(self.e164)
        region = phonenumbers.region_code_for_number(parsed)
        region = region or phonenumbers.region_code_for_country_code(parsed.country_code or 0)
        return region if region in phonenumbers.SUPPORTED_REGIONS else None

    @property
    def time_zones(self) -> tuple[str, ...]:
        """The zones in which whoever has the number may be, as far as it tells: `America/Denver`. Those of its area
        code, of the whole country for mobile numbers that have none, and UTC for numbers of no country.
        """
        return _time_zones(self.e164)


@lru_cache(20_000)  # Asked when a text is accepted and with every claim, and for most countries it takes some 0.05 ms.
def _time_zones(e164: str) -> tuple[str, ...]:
    # Its table is large, and needed only by hubs whose programs have texting hours.
    from phonenumbers import timezone  # noqa: PLC0415

    if e164.startswith(_ERASED):
        return ("UTC",)
    unknown = (timezone.UNKNOWN_TIMEZONE,)
    # In North America mobile numbers have area codes as all others, and numbers of no area are under none of its codes.
    north_american = e164.startswith("+1")
    parsed = phonenumbers.PhoneNumber(1, int(e164[2:])) if north_american else phonenumbers.parse(e164)
    zones = unknown if north_american else timezone.time_zones_for_number(parsed)
    # Also a number that is not assigned, as far as is known: it may be by now.
    zones = timezone.time_zones_for_geographical_number(parsed) if zones == unknown else zones
    return ("UTC",) if zones == unknown else zones


def is_region(code: str) -> bool:
    """Whether libphonenumber knows a numbering plan for the ISO 3166-1 alpha-2 code."""
    return code in phonenumbers.SUPPORTED_REGIONS


def _refused_type(parsed: phonenumbers.PhoneNumber) -> str | None:
    """Telling a number's type takes far longer than telling that it is none of those refused, as most are not."""
    if not _may_be_refused(parsed.country_code or 0).fullmatch(phonenumbers.national_significant_number(parsed)):
        return None
    return _REFUSED_TYPES.get(phonenumbers.number_type(parsed))


@cache
def _may_be_refused(country_code: int) -> re.Pattern[str]:
    """Matches every number of a refused type in any of the regions that share the country code, and others."""
    patterns = [
        kind.national_number_pattern
        for region in phonenumbers.region_codes_for_country_code(country_code)
        if (plan := phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)) is not None
        for kind in (plan.premium_rate, plan.shared_cost, plan.uan, plan.voicemail, plan.pager)
        if kind is not None and kind.national_number_pattern
    ]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or "(?!)")


def _fits(e164: str) -> bool:
    digits = e164[1:]
    return e164.startswith("+") and digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15


def _changes_when_read_again(e164: str) -> bool:
    """Whether a second trunk zero was taken for a part of the number; it would pass for another number."""
    again = phonenumbers.parse(e164)
    return phonenumbers.format_number(again, phonenumbers.PhoneNumberFormat.E164) != e164


def _parse_reason(error: NumberParseException) -> str:
    match error.error_type:
        case NumberParseException.INVALID_COUNTRY_CODE:
            return "has a country code that does not exist"
        case NumberParseException.TOO_SHORT_AFTER_IDD | NumberParseException.TOO_SHORT_NSN:
            return "is too short"
        case NumberParseException.TOO_LONG:
            return "is too long"
        case _:
            return _UNREADABLE

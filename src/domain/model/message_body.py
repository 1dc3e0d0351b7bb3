"""A message's text, its encoding on the air and its segments (3GPP TS 23.038 and 23.040)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from domain.errors import TextRefused

MAX_CHARACTERS = 1_600

_GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")


class Encoding(Enum):
    """How a text goes on the air. A unit is a septet in GSM-7, a 16-bit code unit in UCS-2."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"

    @property
    def units_alone(self) -> int:
        """How many units fit into a text of one segment."""
        return 160 if self is Encoding.GSM7 else 70

    @property
    def units_joined(self) -> int:
        """How many fit into each segment of a longer text, beside the 6 octets that join them."""
        return 153 if self is Encoding.GSM7 else 67

    def units_of(self, character: str) -> int:
        if self is Encoding.GSM7:
            return 2 if character in _GSM7_EXTENSION else 1
        return 2 if ord(character) > 0xFFFF else 1


@dataclass(frozen=True, repr=False)
class MessageBody:
    """A text of 1 to 1,600 characters that is not blank and holds no NUL and no lone surrogate.

    Raises `TextRefused` where it is not.
    """

    text: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise TextRefused("is blank")
        if len(self.text) > MAX_CHARACTERS:
            raise TextRefused(f"is longer than {MAX_CHARACTERS} characters")
        if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in self.text):
            raise TextRefused("has a character that cannot be sent")

    def __repr__(self) -> str:
        return f"MessageBody({len(self.text)} characters)"

    @cached_property
    def encoding(self) -> Encoding:
        gsm7 = all(character in _GSM7_BASIC or character in _GSM7_EXTENSION for character in self.text)
        return Encoding.GSM7 if gsm7 else Encoding.UCS2

    @cached_property
    def segments(self) -> int:
        """How many segments the text takes: what carriers count, pace and bill."""
        return sum(1 for _ in self.parts())

    def parts(self) -> Iterator[str]:
        """The text of each segment. No surrogate pair and no escape sequence is split over two."""
        encoding = self.encoding
        if sum(map(encoding.units_of, self.text)) <= encoding.units_alone:
            yield self.text
            return
        start, used = 0, 0
        for index, character in enumerate(self.text):
            units = encoding.units_of(character)
            if used + units > encoding.units_joined:
                yield self.text[start:index]
                start, used = index, 0
            used += units
        yield self.text[start:]

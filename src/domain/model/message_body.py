"""A message's text, its encoding on the air and its segments (3GPP TS 23.038 and 23.040)."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from domain.errors import TextRefused
from domain.model.gsm7 import BASIC, EXTENSION, instead_of, is_gsm7

MAX_CHARACTERS = 1_600
MAX_SEGMENTS = 24  # What so many units of UCS-2 take.

# NUL, and halves of surrogate pairs.
_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")


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
        """How much room a character takes: septets in GSM-7, UTF-16 code units in UCS-2."""
        if self is Encoding.GSM7:
            return 2 if character in EXTENSION else 1
        return 2 if ord(character) > 0xFFFF else 1

    def units_in(self, text: str) -> int:
        """How much room a text takes, in the same units."""
        if self is Encoding.GSM7:
            return len(text) + sum(map(text.count, EXTENSION))
        return len(text.encode("utf-16-le")) // 2


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
        if _UNSENDABLE.search(self.text):
            raise TextRefused("has a character that cannot be sent")

    def followed_by(self, words: str) -> "MessageBody":
        """With a line more. Raises `TextRefused` where that makes it too long."""
        return MessageBody(f"{self.text}\n{words}")

    def __repr__(self) -> str:
        return f"MessageBody({len(self.text)} characters)"

    @cached_property
    def encoding(self) -> Encoding:
        return Encoding.GSM7 if is_gsm7(self.text) else Encoding.UCS2

    @cached_property
    def segments(self) -> int:
        """How many segments the text takes: what carriers count, pace and bill."""
        return sum(1 for _ in self.parts())

    @cached_property
    def units(self) -> int:
        """How long it is on the air, in units of its encoding."""
        return self.encoding.units_in(self.text)

    @property
    def units_left(self) -> int:
        """How many units would still fit into its last segment."""
        if self.segments == 1:
            return self.encoding.units_alone - self.units
        *_, last = self.parts()
        return self.encoding.units_joined - self.encoding.units_in(last)

    @property
    def obstacles(self) -> Sequence["Obstacle"]:
        """The characters that force it into UCS-2, in the order in which they first stand."""
        if self.encoding is Encoding.GSM7:
            return []
        foreign = Counter(each for each in self.text if each not in BASIC and each not in EXTENSION)
        return [Obstacle(each, count, instead_of(each)) for each, count in foreign.items()]

    @property
    def plain(self) -> "MessageBody | None":
        """The text with every obstacle replaced; None where one cannot be, or where nothing would be left."""
        # An accent that stands by itself may make a letter with the one before it.
        whole = unicodedata.normalize("NFC", self.text)
        parts = [character if is_gsm7(character) else instead_of(character) for character in whole]
        text = "".join(part for part in parts if part is not None)
        return MessageBody(text) if None not in parts and text.strip() and len(text) <= MAX_CHARACTERS else None

    def parts(self) -> Iterator[str]:
        """The text of each segment. No surrogate pair and no escape sequence is split over two."""
        encoding = self.encoding
        if self.units <= encoding.units_alone:
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


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A character outside of GSM-7. `instead` says the same within it: empty where it can be left out, None where
    nothing will do.
    """

    character: str
    count: int
    instead: str | None

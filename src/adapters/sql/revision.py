"""Which code runs on which schema."""

import re
from dataclasses import dataclass
from typing import Self

_WRITTEN = re.compile(r"(\d{4})(?:for(\d{4}))?")


@dataclass(frozen=True, slots=True)
class Revision:
    """A version of the schema, and the oldest of the code that runs on it.

    It is written into its own id, which every version of the code can read in the database: `0009for0008` takes
    something away that the code of 0007 still needs, `0009` takes nothing from anybody.
    """

    number: int
    oldest: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None where no version of the hub can have written it."""
        written = _WRITTEN.fullmatch(text)
        return None if written is None else cls(int(written[1]), int(written[2] or 0))

    def runs(self, code: Self) -> bool:
        """Whether code that was made for its own revision runs on the schema of this one."""
        return self.oldest <= code.number <= self.number

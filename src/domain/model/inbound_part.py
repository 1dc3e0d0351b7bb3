"""Long texts of people's, which some providers hand over in the parts that they came in."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundPart:
    """`whole` names the text that it is a part of: of one account, and for a while. `number` counts from 1 to `of`."""

    whole: str
    number: int
    of: int


def missing(parts: Sequence[InboundPart]) -> Sequence[int]:
    """The numbers of those that are not there."""
    return sorted(set(range(1, max(part.of for part in parts) + 1)) - {part.number for part in parts})

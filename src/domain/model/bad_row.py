from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BadRow:
    """What is wrong in a list. `line` counts from 1, the header included; `reason` completes the sentence "It …"."""

    line: int
    reason: str

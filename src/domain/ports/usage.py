from collections.abc import Sequence
from datetime import date
from typing import Protocol

from domain.model.usage import DayOfUse


class UsageLog(Protocol):
    """What programs have sent, whether their texts are kept still or not."""

    async def days(self, program_id: str, *, first: date, last: date, zone: str) -> Sequence[DayOfUse]:
        """By the day of acceptance, from the first to the last, as days are in the zone; by sender and state within a
        day. What was deleted since counts with the day of the zone that was the program's then.
        """
        ...

    async def hours(self, program_id: str, *, first: date, last: date, zone: str) -> Sequence[int]:
        """How many texts were accepted in each of the 24 hours of those days, as they are in the zone; of messages that
        are kept still.
        """
        ...

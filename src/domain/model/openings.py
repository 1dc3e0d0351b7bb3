"""When the recipients of a text may be texted, where its program has texting hours."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from domain.model.phone_number import PhoneNumber
from domain.model.priority import Priority
from domain.model.queue_ahead import QueueAhead
from domain.model.texting_hours import TextingHours

_A_YEAR_US = 366 * 86_400 * 1_000_000
# Finding a number's zones takes some 0.05 ms: after so many it is others' turn.
_AT_A_STRETCH = 50


@dataclass(frozen=True, slots=True)
class Openings:
    """`at_us` are the first moments at which these numbers may be texted, in their order. `hours` is None where they
    may be at any time.
    """

    numbers: Sequence[PhoneNumber]
    hours: TextingHours | None
    at_us: Sequence[int]

    @classmethod
    async def of(cls, numbers: Sequence[PhoneNumber], hours: TextingHours | None, *, from_us: int) -> Self:
        """Lets others have the event loop meanwhile: hours of ten thousand numbers take a while to look up."""
        if hours is None:
            return cls(numbers, hours, [from_us] * len(numbers))
        found = []
        for count, number in enumerate(numbers, start=1):
            found.append(hours.opens_us(number.time_zones, from_us))
            if count % _AT_A_STRETCH == 0:
                await asyncio.sleep(0)
        return cls(numbers, hours, found)

    def completed_us(
        self, ahead: QueueAhead, program_id: str, priority: Priority, *, segments: float, now_us: int
    ) -> int | None:
        """When the last of them would have their text, each of so many segments, which may be an average. None where
        nobody can say.
        """
        if self.hours is None:
            return self._completed_us(ahead, program_id, priority, self.at_us[0], segments=segments, now_us=now_us)
        through_us = now_us
        for opens_us in sorted(set(self.at_us)):
            completed_us = self._completed_us(ahead, program_id, priority, opens_us, segments=segments, now_us=now_us)
            if completed_us is None:
                return None
            # Who may be texted later comes after those who may be before.
            through = self._within_hours(
                self.hours, opens_us, max(opens_us, through_us), takes_us=completed_us - opens_us
            )
            if through is None:
                return None
            through_us = max(through_us, through)
        return through_us

    def _completed_us(
        self, ahead: QueueAhead, program_id: str, priority: Priority, opens_us: int, *, segments: float, now_us: int
    ) -> int | None:
        """As far as the line alone decides, of those who may be texted from that moment on."""
        return ahead.completed_us(
            program_id,
            priority,
            texts=self.at_us.count(opens_us),
            segments=segments,
            now_us=now_us,
            not_before_us=opens_us if opens_us > now_us else None,
        )

    def _within_hours(self, hours: TextingHours, opens_us: int, from_us: int, *, takes_us: int) -> int | None:
        """What is not through when the hours close goes on when they open again. None: not within a year."""
        zones = self.numbers[self.at_us.index(opens_us)].time_zones
        start_us = hours.opens_us(zones, from_us)
        while (closes_us := hours.closes_us(zones, start_us)) <= start_us + takes_us:
            takes_us -= closes_us - start_us
            start_us = hours.opens_us(zones, closes_us)
            if start_us > from_us + _A_YEAR_US:
                return None
        return start_us + takes_us

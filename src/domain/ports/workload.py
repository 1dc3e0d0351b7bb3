from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.model.pace import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderLoad:
    """What waits at a sender to be sent now, without that of programs that are paused. `late_us` is for how long its
    next text could have left, `through_in_us` in how long the last of what waits will leave; None where nobody can say.
    """

    sender_id: int
    pace: Pace
    segments: int
    late_us: int
    through_in_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """All that is queued or scheduled, and the senders with the most of it."""

    queued: int
    scheduled: int
    senders: Sequence[SenderLoad]


class Workload(Protocol):
    """What is the longer to be read the more waits."""

    async def now(self, *, now_us: int) -> Load: ...

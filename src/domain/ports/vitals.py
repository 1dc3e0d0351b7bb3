from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """How the hub is. `dispatchers` have said a moment ago that they are alive; `oldest_unknown_us` is for how long
    nobody has known of the oldest unknown delivery whether it was sent, 0 where there is none. `caps_used` is by the
    names of limits with a daily cap, how much of today's allowance is used, from 0 to 1; `budgets_used` is by program,
    of its day's or month's budget, whichever is used more. `events_waiting` are those that webhooks are to be told,
    counted up to a bound; `oldest_event_us` is how long ago the oldest of them happened.
    """

    dispatchers: int
    sending: int
    unknown: int
    oldest_unknown_us: int
    caps_used: Mapping[str, float]
    budgets_used: Mapping[str, float] = field(default_factory=dict)
    events_waiting: int = 0
    oldest_event_us: int = 0


class VitalSigns(Protocol):
    """What is quickly read, however much waits."""

    async def now(self, *, now_us: int) -> Vitals: ...

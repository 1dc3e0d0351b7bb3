from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstill:
    """What does not send although it may have something to. `barred` are senders' ids with the provider's reasons.

    `overdue_us` is for how long the longest waiting sender could have been claimed from, were there dispatchers enough.
    """

    hub_paused: bool
    paused_programs: int
    paused_senders: int
    barred: Mapping[int, str]
    overdue_us: int


class Standstills(Protocol):
    """What is the matter with the hub as a whole, where texts wait and none are sent."""

    async def now(self, *, now_us: int) -> Standstill: ...

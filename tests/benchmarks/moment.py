import time
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Moment:
    """By the wall clock, which the databases and with them the hubs go by, and by the monotonic one that all processes
    of the machine share.
    """

    wall_us: int
    monotonic_ns: int

    @classmethod
    def now(cls) -> Self:
        return cls(wall_us=time.time_ns() // 1_000, monotonic_ns=time.monotonic_ns())

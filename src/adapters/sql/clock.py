import asyncio
import time

from sqlalchemy import text

from adapters.sql.database import Database
from domain.ports.clock import Clock

_PINGS = 5
_TIMERS_ARE_LATE_US = 1_500
_DATABASE_TIME = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")


class DatabaseClock(Clock):
    """The database's clock, read now and then and carried on by this host's monotonic one.

    Until the first `synchronise` it is this host's wall clock; on SQLite that is the database's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._offset_us = _wall_us() - self.monotonic_us()

    def now_us(self) -> int:
        return self.monotonic_us() + self._offset_us

    def monotonic_us(self) -> int:
        return time.monotonic_ns() // 1_000

    async def sleep_until(self, at_us: int, *, exactly: bool = False) -> None:
        while (left_us := at_us - self.now_us()) > 0:
            if exactly:
                await asyncio.sleep(max(left_us - _TIMERS_ARE_LATE_US, 0) / 1_000_000)
                continue
            # Timers count milliseconds: what is less would be no wait at all. In steps, so that a clock that is set
            # meanwhile is noticed.
            await asyncio.sleep(min(-(-left_us // 1_000), 1_000) / 1_000)

    async def pause(self, for_us: int) -> None:
        await asyncio.sleep(for_us / 1_000_000)

    async def synchronise(self) -> None:
        """Takes the answer that came fastest: it is wrong by half its way at the most. Raises `StoreUnavailable`."""
        if self._database.is_sqlite:
            answers = [self._compared(self.monotonic_us(), _wall_us()) for _ in range(_PINGS)]
        else:
            async with self._database.reading() as connection:
                answers = [
                    self._compared(self.monotonic_us(), int((await connection.execute(_DATABASE_TIME)).scalar_one()))
                    for _ in range(_PINGS)
                ]
        self._offset_us = min(answers)[1]

    def _compared(self, asked_us: int, answer_us: int) -> tuple[int, int]:
        """How long the answer took, and by how much its clock is ahead of the monotonic one."""
        back_us = self.monotonic_us()
        return back_us - asked_us, answer_us - (asked_us + back_us) // 2


def _wall_us() -> int:
    return time.time_ns() // 1_000

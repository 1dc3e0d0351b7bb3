from typing import Protocol


class Clock(Protocol):
    """The hub's time: that of its database, so that all processes agree whatever their hosts' clocks say."""

    def now_us(self) -> int:
        """Microseconds since the Unix epoch."""
        ...

    def monotonic_us(self) -> int:
        """Microseconds since some moment in the past; never set, so differences are true."""
        ...

    async def sleep_until(self, at_us: int, *, exactly: bool = False) -> None:
        """Returns at once for a moment that has passed; never before `at_us`.

        A millisecond or so late, since that is how well event loops keep time; `exactly` is for those few who would add
        such delays up, and costs computing time.
        """
        ...

    async def pause(self, for_us: int) -> None:
        """Lasts so long, whatever the clock is set to meanwhile."""
        ...

import hashlib
import math
import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from domain.errors import TooManyLogins
from domain.ports.login_guard import LoginGuard


class InProcessLoginGuard(LoginGuard):
    """Counts in this process alone, over a moving minute."""

    def __init__(self, *, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def admit(self, program_sid: str, address: str) -> None:
        # A digest, so that what callers send as a SID is bounded in memory and in no key as it came.
        who = hashlib.sha256(program_sid.encode(errors="surrogatepass")).hexdigest()
        if await self._limiter.hit(self._limit, who, address):
            return
        until_s, _ = await self._limiter.get_window_stats(self._limit, who, address)
        raise TooManyLogins(retry_after_s=max(1, math.ceil(until_s - time.time())))

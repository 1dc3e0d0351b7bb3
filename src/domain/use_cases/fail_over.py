from dataclasses import dataclass

from domain.model.failover import Failover, failovers
from domain.ports.clock import Clock
from domain.ports.dispatch_observer import DispatchObserver
from domain.ports.failovers import Failovers
from domain.ports.wakeups import Wakeups

_AT_ONCE = 500
_BETWEEN_PORTIONS_US = 20_000


@dataclass(frozen=True, kw_only=True)
class FailOver:
    """Lets a program's other senders take over what waits at one that its provider takes nothing from, or that has
    not got through to it for a while.
    """

    failovers: Failovers
    clock: Clock
    observer: DispatchObserver
    wakeups: Wakeups

    async def __call__(self) -> int:
        """Says how many deliveries were taken over."""
        conditions = await self.failovers.conditions(now_us=self.clock.now_us())
        count = 0
        for program_id, senders in conditions.items():
            for failover in failovers(program_id, senders):
                count += await self._carry_out(failover)
        return count

    async def _carry_out(self, failover: Failover) -> int:
        count = 0
        while some := await self.failovers.carry_out(failover, now_us=self.clock.now_us(), limit=_AT_ONCE):
            self.observer.failed_over(failover, some)
            self.wakeups.notify()
            count += len(some)
            # Both senders are to be claimed from in between.
            await self.clock.pause(_BETWEEN_PORTIONS_US)
        return count

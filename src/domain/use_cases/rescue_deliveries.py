from collections import defaultdict
from dataclasses import dataclass

from domain.model.delivery import Delivery
from domain.model.retry import RetryPolicy
from domain.ports.clock import Clock
from domain.ports.delivery_queue import DeliveryQueue
from domain.ports.dispatch_observer import DispatchObserver
from domain.ports.dispatchers import Dispatchers, Orphan
from domain.use_cases.hold_membership import MembershipTerms

_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class RescueDeliveries:
    """Takes over what a dispatcher that was killed or cut off has left behind.

    What it cannot have sent, since it had to stop before the slot came, is queued again. What it may have sent is
    `unknown`, and its provider is asked.
    """

    dispatchers: Dispatchers
    queue: DeliveryQueue
    clock: Clock
    observer: DispatchObserver
    retry: RetryPolicy
    terms: MembershipTerms

    async def __call__(self) -> int:
        """Says how many deliveries were rescued."""
        rescued = 0
        silent_since_us = self.clock.now_us() - self.terms.given_up_after_us
        while orphans := await self.dispatchers.orphans(silent_since_us=silent_since_us, limit=_AT_ONCE):
            # Another may be at the same ones: what it was faster with is its to tell of.
            taken_over = await self.queue.take_over([self._rescued(orphan) for orphan in orphans])
            providers = {orphan.delivery.id: orphan.provider for orphan in orphans}
            by_provider: dict[str, list[Delivery]] = defaultdict(list)
            for each in taken_over:
                by_provider[providers[each.id]].append(each)
            for provider, its in by_provider.items():
                self.observer.rescued(provider, its)
            rescued += len(taken_over)
        await self.dispatchers.dismiss(silent_since_us=silent_since_us)
        return rescued

    def _rescued(self, orphan: Orphan) -> Delivery:
        now_us = self.clock.now_us()
        if orphan.slot_us > orphan.last_seen_us + self.terms.stops_after_us:
            return orphan.delivery.released(now_us=now_us)
        return orphan.delivery.lost_sight_of(
            "dispatcher-lost", now_us=now_us, ask_after_us=self.retry.enquiry_delays_us[0]
        )

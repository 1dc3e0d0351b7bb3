from contextlib import suppress
from dataclasses import dataclass, field

from domain.errors import StoreUnavailable
from domain.model.pace import SECOND_US
from domain.model.share import Share
from domain.ports.clock import Clock
from domain.ports.dispatch_observer import DispatchObserver
from domain.ports.dispatchers import Dispatchers


@dataclass(frozen=True, slots=True)
class MembershipTerms:
    """A dispatcher that cannot say that it is alive stops sending well before the others give it up."""

    beat_every_us: int = SECOND_US
    shares_until_us: int = 3 * SECOND_US  # Silent for so long, it is not counted upon.
    stops_after_us: int = 6 * SECOND_US
    given_up_after_us: int = 10 * SECOND_US


@dataclass(kw_only=True)
class Membership:
    """A dispatcher's right to send. It lapses by itself, by the monotonic clock."""

    dispatcher_id: int
    clock: Clock
    good_for_us: int
    renewed_us: int = 0
    share: Share = field(default_factory=Share)

    def renew(self, at_us: int) -> None:
        """`at_us` is monotonic, taken before the beat was sent. What has lapsed is not renewed: others may have taken
        over already.
        """
        if self.held:
            self.renewed_us = at_us

    def revoke(self) -> None:
        self.renewed_us = self.clock.monotonic_us() - self.good_for_us

    @property
    def held(self) -> bool:
        return self.clock.monotonic_us() - self.renewed_us < self.good_for_us


@dataclass(frozen=True, kw_only=True)
class HoldMembership:
    """Keeps a dispatcher a member until it leaves."""

    dispatchers: Dispatchers
    clock: Clock
    observer: DispatchObserver
    terms: MembershipTerms = field(default_factory=MembershipTerms)

    async def join(self) -> Membership:
        """A new member, with its share of the senders as far as it is known yet."""
        asked_us = self.clock.monotonic_us()
        membership = Membership(
            dispatcher_id=await self.dispatchers.join(now_us=self.clock.now_us()),
            clock=self.clock,
            good_for_us=self.terms.stops_after_us,
            renewed_us=asked_us,
        )
        membership.share = await self._beat(membership) or membership.share
        return membership

    async def __call__(self, membership: Membership) -> None:
        """Beats until cancelled. Returns when the others have given this dispatcher up: it must join anew."""
        while True:
            asked_us = self.clock.monotonic_us()
            try:
                share = await self._beat(membership)
                if share is None:
                    membership.revoke()
                    return
                membership.share = share
                membership.renew(asked_us)
                if not membership.held:
                    return
            except StoreUnavailable as error:
                self.observer.held_up(error)
            await self.clock.sleep_until(self.clock.now_us() + self.terms.beat_every_us)

    async def _beat(self, membership: Membership) -> Share | None:
        now_us = self.clock.now_us()
        heard_since_us = now_us - self.terms.shares_until_us
        share = await self.dispatchers.beat(membership.dispatcher_id, now_us=now_us, heard_since_us=heard_since_us)
        if share is not None:
            self.observer.beaten()
        return share

    async def leave(self, membership: Membership) -> None:
        with suppress(StoreUnavailable):
            await self.dispatchers.leave(membership.dispatcher_id)

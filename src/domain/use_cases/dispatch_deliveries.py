import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field

from domain.errors import StoreUnavailable
from domain.model.delivery import Delivery
from domain.model.pace import SECOND_US, Reservation
from domain.model.retry import RetryPolicy
from domain.model.send_outcome import SendOutcome, Throttled, Unknown
from domain.ports.clock import Clock
from domain.ports.delivery_queue import Claim, DeliveryQueue
from domain.ports.dispatch_observer import DispatchObserver
from domain.ports.sms_provider import OutgoingText, SmsProvider
from domain.ports.wakeups import Wakeups
from domain.use_cases.hold_membership import Membership

_CADENCE_US = 50_000  # The least time between two claims; what comes meanwhile is claimed together.
_POLL_S = 0.1  # How long a wake-up may get lost.
_FLUSH_US = 20_000  # Outcomes of so much time are recorded together.
_STORE_AWAY_US = SECOND_US  # How long to leave a store alone that did not answer.
_END_OF_TIME_US = 2**62
_STRAY_US = 5 * SECOND_US  # How often to look for claims whose answer was lost, and how old they must be.


@dataclass(frozen=True, kw_only=True)
class DispatchDeliveries:
    """The one door to the providers: claims what is due and sends each delivery in its slot.

    `most_in_flight` bounds the calls under way at once. `grace_s` is how long calls under way may take after a stop.
    """

    queue: DeliveryQueue
    providers: Mapping[str, SmsProvider]
    clock: Clock
    wakeups: Wakeups
    observer: DispatchObserver
    retry: RetryPolicy
    reservation: Reservation = field(default_factory=Reservation)
    most_in_flight: int = 500
    grace_s: float = 20.0
    jitter: Callable[[], float] = random.random

    async def __call__(self, membership: Membership, stopping: asyncio.Event) -> bool:
        """Sends until told to stop or until the membership has lapsed, then hands back what it has not sent.

        Returns whether everything is recorded; what is not will be rescued by the others. Cancelled, it grants no
        grace: calls under way become `unknown`.
        """
        return await _Run(self, membership).until(stopping)


@dataclass
class _Lane:
    """One sender's claims in the order of their slots, and when it may send next by this process's own clock."""

    claims: deque[Claim] = field(default_factory=deque)
    free_at_us: int = 0
    task: asyncio.Task[None] | None = None


class _Run:
    def __init__(self, dispatch: DispatchDeliveries, membership: Membership) -> None:
        self._with = dispatch
        self._clock = dispatch.clock
        self._membership = membership
        self._lanes: dict[int, _Lane] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(dispatch.most_in_flight)
        self._unrecorded: list[Delivery] = []
        self._delays: dict[int, int] = {}
        self._fault: BaseException | None = None
        self._winding_up = False
        self._claiming = False
        self._busy_us = 0
        # Claimed and not yet recorded. With the attempt, since a delivery handed back may be claimed again at once.
        self._held: set[tuple[int, int]] = set()

    async def until(self, stopping: asyncio.Event) -> bool:
        chores = [self._start(self._record_until_cancelled()), self._start(self._release_strays_until_cancelled())]
        cancelled = False
        try:
            while not stopping.is_set() and self._membership.held and self._fault is None:
                await self._claim_once()
        except asyncio.CancelledError:
            cancelled = True
            raise
        except Exception as fault:  # noqa: BLE001 - raised again when all is wound up
            self._fault = fault
        finally:
            await self._wind_up(grace_s=0 if cancelled else self._with.grace_s)
            for chore in chores:
                chore.cancel()
            await asyncio.wait(chores)
            recorded = await self._flush() if cancelled else await self._record_the_rest()
        if self._fault is not None:
            raise self._fault
        return recorded

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """A fault in any part ends the whole run: a dispatcher that half works is worse than one that is gone."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._note_fault)
        return task

    def _note_fault(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._fault = fault

    async def _claim_once(self) -> None:
        started_us = self._clock.now_us()
        self._claiming = True
        try:
            claims = await self._with.queue.claim(
                self._membership.dispatcher_id, now_us=started_us, reservation=self._with.reservation
            )
        except StoreUnavailable as error:
            self._with.observer.held_up(error)
            await self._clock.sleep_until(started_us + _STORE_AWAY_US)
            return
        finally:
            self._claiming = False
        for claim in claims:
            self._line_up(claim)
        # A first wake-up is followed at once; what comes right after it, or after claims, shares the next one.
        if claims or await self._with.wakeups.wait(at_most_s=_POLL_S):
            self._busy_us = started_us if claims else self._busy_us
            await self._clock.sleep_until(self._busy_us + _CADENCE_US)
            self._busy_us = self._clock.now_us()

    def _line_up(self, claim: Claim) -> None:
        lane = self._lanes.setdefault(claim.sender.id, _Lane())
        lane.claims.append(claim)
        self._held.add(_claim_key(claim.delivery))
        if lane.task is None or lane.task.done():
            lane.task = self._start(self._work_off(lane))

    async def _work_off(self, lane: _Lane) -> None:
        try:
            while lane.claims:
                await self._clock.sleep_until(lane.claims[0].slot.at_us)
                await self._room.acquire()
                begun = asyncio.Event()
                self._calls.add(call := self._start(self._call(lane, lane.claims.popleft(), begun)))
                call.add_done_callback(self._calls.discard)
                await begun.wait()
        finally:
            self._release_all(lane)

    async def _call(self, lane: _Lane, claim: Claim, begun: asyncio.Event) -> None:
        try:
            if self._clock.now_us() + lane.free_at_us - self._clock.monotonic_us() > claim.slot.not_after_us:
                # Not worth the wait: when the line is free it is another's.
                self._release(claim)
                return
            await self._wait_for_gap(lane, claim)
            # From here to the provider's own first wait nothing else runs: what is checked still holds at the call.
            if not self._may_send(claim):
                self._release(claim)
                return
            started_us = self._clock.monotonic_us()
            late_us = self._clock.now_us() - claim.slot.at_us
            lane.free_at_us = started_us + claim.sender.pace.interval_us(claim.delivery.segments)
            begun.set()
            outcome = await self._send(claim)
            if isinstance(outcome, Throttled):
                self._slow_down(lane, claim, outcome)
            self._note(claim, outcome, late_us=late_us, took_us=self._clock.monotonic_us() - started_us)
        finally:
            begun.set()
            self._room.release()

    async def _wait_for_gap(self, lane: _Lane, claim: Claim) -> None:
        """A stall of this process may have made its last text late; the next one keeps its distance from that."""
        try:
            while (short_us := lane.free_at_us - self._clock.monotonic_us()) > 0 and not self._winding_up:
                await self._clock.sleep_until(self._clock.now_us() + short_us)
        except asyncio.CancelledError:
            self._release(claim)
            raise

    def _may_send(self, claim: Claim) -> bool:
        return not self._winding_up and self._membership.held and self._clock.now_us() <= claim.slot.not_after_us

    async def _send(self, claim: Claim) -> SendOutcome:
        try:
            return await self._with.providers[claim.sender.provider].send(_outgoing(claim))
        except asyncio.CancelledError:
            return Unknown("stopped-while-sending")
        except Exception as fault:  # noqa: BLE001 - what may have been sent must not be lost sight of
            self._with.observer.adapter_failed(claim.sender.provider, fault)
            return Unknown("provider-adapter-failed")

    def _slow_down(self, lane: _Lane, claim: Claim, throttled: Throttled) -> None:
        by_us = throttled.retry_after_us or 2 * claim.sender.pace.interval_us()
        self._delays[claim.sender.id] = by_us
        lane.free_at_us = max(lane.free_at_us, self._clock.monotonic_us() + by_us)

    def _note(self, claim: Claim, outcome: SendOutcome, *, late_us: int, took_us: int) -> None:
        after = self._with.retry.after_send(
            claim.delivery, outcome, now_us=self._clock.now_us(), jitter=self._with.jitter
        )
        self._unrecorded.append(after)
        self._with.observer.attempted(claim, outcome, after, late_us=late_us, took_us=took_us)

    def _release_all(self, lane: _Lane) -> None:
        while lane.claims:
            self._release(lane.claims.popleft())

    def _release(self, claim: Claim) -> None:
        self._unrecorded.append(claim.delivery.released(now_us=self._clock.now_us()))
        self._with.observer.released(claim)

    async def _record_until_cancelled(self) -> None:
        while True:
            recorded = await self._flush()
            wait_us = _FLUSH_US if recorded else _STORE_AWAY_US
            await self._clock.sleep_until(self._clock.now_us() + wait_us)

    async def _flush(self) -> bool:
        """Whether everything is recorded. What could not be stays here and is tried again."""
        batch, delays = self._unrecorded, self._delays
        self._unrecorded, self._delays = [], {}
        try:
            for sender_id, by_us in delays.items():
                await self._with.queue.delay(sender_id, by_us, now_us=self._clock.now_us())
            if batch:
                await self._with.queue.record(batch)
        except StoreUnavailable as error:
            self._unrecorded = batch + self._unrecorded
            self._delays = delays | self._delays
            self._with.observer.held_up(error)
            return False
        except asyncio.CancelledError:
            self._unrecorded = batch + self._unrecorded
            self._delays = delays | self._delays
            raise
        self._held.difference_update(map(_claim_key, batch))
        return True

    async def _record_the_rest(self) -> bool:
        until_us = self._clock.monotonic_us() + int(self._with.grace_s * SECOND_US)
        while not (await self._flush() and await self._release_strays(slots_before_us=_END_OF_TIME_US)):
            if self._clock.monotonic_us() >= until_us:
                return False
            await self._clock.sleep_until(self._clock.now_us() + _STORE_AWAY_US)
        return True

    async def _release_strays_until_cancelled(self) -> None:
        while True:
            now_us = self._clock.now_us()
            # What a claim under way has taken is no stray, however long its answer takes.
            if not self._claiming:
                await self._release_strays(slots_before_us=now_us - _STRAY_US)
            await self._clock.sleep_until(now_us + _STRAY_US)

    async def _release_strays(self, *, slots_before_us: int) -> bool:
        """Hands back what was claimed for this dispatcher without its hearing of it. Whether the store answered."""
        # What is recorded while the question is under way was held when it was asked.
        held = set(self._held)
        try:
            claimed = await self._with.queue.strays(self._membership.dispatcher_id, slots_before_us=slots_before_us)
            held |= self._held
            now_us = self._clock.now_us()
            strays = [each.released(now_us=now_us) for each in claimed if _claim_key(each) not in held]
            if strays:
                await self._with.queue.record(strays)
        except StoreUnavailable as error:
            self._with.observer.held_up(error)
            return False
        return True

    async def _wind_up(self, *, grace_s: float) -> None:
        self._winding_up = True
        lanes = [lane.task for lane in self._lanes.values() if lane.task is not None and not lane.task.done()]
        for task in lanes:
            task.cancel()
        if lanes:
            await asyncio.wait(lanes)
        # A lane that was cancelled before it began has handed back nothing by itself.
        for lane in self._lanes.values():
            self._release_all(lane)
        if self._calls:
            _, overdue = await asyncio.wait(self._calls, timeout=grace_s)
            for call in overdue:
                call.cancel()
            if overdue:
                await asyncio.wait(overdue)


def _claim_key(delivery: Delivery) -> tuple[int, int]:
    return delivery.id, delivery.attempt


def _outgoing(claim: Claim) -> OutgoingText:
    return OutgoingText(
        delivery_id=claim.delivery.id,
        attempt=claim.delivery.attempt,
        sender=claim.sender.address,
        number=claim.delivery.number,
        body=claim.body,
    )

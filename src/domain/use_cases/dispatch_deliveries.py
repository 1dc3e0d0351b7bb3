import asyncio
import heapq
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.errors import StoreUnavailable
from domain.model.claim_rhythm import ClaimRhythm
from domain.model.delivery import Delivery
from domain.model.pace import SECOND_US
from domain.model.retry import RetryPolicy
from domain.model.send_outcome import Accepted, Barred, NotSent, Refused, SendOutcome, Throttled, Unknown
from domain.model.sender import Sender
from domain.model.slots import Reservation
from domain.ports.clock import Clock
from domain.ports.delivery_queue import Claim, DeliveryQueue
from domain.ports.dispatch_observer import DispatchObserver
from domain.ports.sms_provider import Departure, NotLeaving, OutgoingText, SmsProvider
from domain.ports.wakeups import Wakeups
from domain.use_cases.hold_membership import Membership

_RETRY_US = 50_000  # How long to leave alone what another has locked, or what there are too few calls for.
_POLL_US = 100_000  # How long a wake-up may get lost: where those of other processes are not heard, and where they are.
_LONG_POLL_US = SECOND_US
_FLUSH_US = 50_000  # Outcomes of so much time are recorded together.
_STORE_AWAY_US = SECOND_US  # How long to leave a store alone that did not answer.
_BEHIND_US = 50_000  # How late texts may be before no more are claimed.
_MADE_UP_US = 500  # What a text may follow sooner where the one before was late: half of what counts as early.
_LATE_ANYWAY_US = 2_000  # Timers are; slots that are planned a little too early because of it do no harm.
_HELD_UP_US = 500  # What a text may leave later than it is said to.
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


class _Lane:
    """One sender's texts on their way out: they leave in their order, each at its distance from the one before, by this
    process's own clock.

    `counts_from_us` is when the one before was to leave: what it was late by may be made up for, if it is next to
    nothing, so that such delays do not add up. `barred`: the provider takes none, so those in line need not try;
    `bar_told_us` is when that was stored.
    """

    def __init__(self, sender: Sender) -> None:
        self.sender = sender  # As it was claimed last.
        self.left_us = self.counts_from_us = -_END_OF_TIME_US
        self.segments = self.segments_in_line = 0
        self.held_until_us = -_END_OF_TIME_US
        self.last: _Call | None = None
        self.barred = False
        self.bar_told_us = _END_OF_TIME_US

    @property
    def free_at_us(self) -> int:
        """By the sender's pace as it is now, which may have changed since the last text left."""
        return self.counts_from_us + self.sender.pace.interval_us(self.segments)

    def left(self, at_us: int, segments: int) -> None:
        made_up_us = min(_MADE_UP_US, self.sender.pace.interval_us() // 10)
        self.counts_from_us = max(self.free_at_us, at_us - made_up_us)
        self.left_us, self.segments = at_us, segments


class _Call(Departure):
    """One claim on its way to the provider."""

    def __init__(self, run: "_Run", lane: _Lane, claim: Claim) -> None:
        self.claim = claim
        self.over = asyncio.Event()  # It has left, or never will.
        self.left_us: int | None = None
        self.late_us = 0
        self._run = run
        self._lane = lane
        self._before = lane.last
        lane.last = self

    async def __call__(self) -> None:
        if self._before is not None:
            await self._before.over.wait()
            self._before = None
        await self._run.wait_for_gap(self._lane, self.claim)
        # From here until the text leaves nothing else runs: what is checked still holds when it does.
        self._run.check_departure(self._lane, self.claim)
        self.left_us, self.late_us = self._run.stamp(self._lane, self.claim)
        self.end()
        # The next turn of the event loop comes when the text is written, which may take it a moment.
        asyncio.get_running_loop().call_soon(self._run.stamp_again, self._lane, self.left_us)

    def end(self) -> None:
        if not self.over.is_set():
            self.over.set()
            self._lane.segments_in_line -= self.claim.delivery.segments


class _Run:
    def __init__(self, dispatch: DispatchDeliveries, membership: Membership) -> None:
        self._with = dispatch
        self._clock = dispatch.clock
        self._membership = membership
        self._lanes: dict[int, _Lane] = {}
        self._line: list[tuple[int, int, Claim]] = []  # A heap, by slot and then in the order of claiming.
        self._claimed = 0
        self._pacer: asyncio.Task[None] | None = None
        self._paces_at_us = _END_OF_TIME_US
        self._calls: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(dispatch.most_in_flight)
        self._unrecorded: list[Delivery] = []
        self._senders = _SenderNews()
        self._fault: BaseException | None = None
        self._winding_up = False
        self._claiming = False
        self._busy_us = 0
        self._rhythm = ClaimRhythm(most_in_flight=dispatch.most_in_flight, now_us=self._clock.monotonic_us())
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
        if self._room.locked() and self._line and self._line[0][0] < started_us - _BEHIND_US:
            # There are too few calls at once for what is claimed as it is: more would only be handed back.
            await self._clock.sleep_until(started_us + _RETRY_US)
            return
        self._claiming = True
        portion = self._rhythm.portion(in_flight=len(self._calls), now_us=self._clock.monotonic_us())
        try:
            claims = await self._with.queue.claim(
                self._membership.dispatcher_id,
                now_us=started_us,
                reservation=replace(
                    self._with.reservation,
                    most_in_all=portion,
                    takes_us=self._rhythm.takes_us,
                    busy_until=self._busy_until,
                ),
                share=self._membership.share,
            )
            self._rhythm.claim_took(self._clock.now_us() - started_us, claimed=len(claims))
            wait_us = 0 if claims else await self._nothing_due_for_us()
        except StoreUnavailable as error:
            self._with.observer.held_up(error)
            await self._clock.sleep_until(started_us + _STORE_AWAY_US)
            return
        finally:
            self._claiming = False
        self._line_up(claims, claimed_us=started_us)
        if len(claims) >= portion:
            return  # More is due, and was left for now.
        # A first wake-up is followed at once; what comes right after it, or after claims, shares the next one.
        if claims or await self._with.wakeups.wait(at_most_s=wait_us / SECOND_US):
            self._busy_us = started_us if claims else self._busy_us
            await self._clock.sleep_until(self._busy_us + self._rhythm.cadence_us)
            self._busy_us = self._clock.now_us()

    def _busy_until(self, sender_id: int) -> int:
        """When the sender's texts that were claimed before will have left, each at its distance from the other."""
        lane = self._lanes.get(sender_id)
        if lane is None or not lane.segments_in_line:
            return 0
        waits_us = max(lane.free_at_us - self._clock.monotonic_us(), 0)
        return self._clock.now_us() + waits_us + lane.sender.pace.interval_us(lane.segments_in_line) - _LATE_ANYWAY_US

    async def _nothing_due_for_us(self) -> int:
        if not self._with.wakeups.heard_from_all:
            return _POLL_US
        due_us = await self._with.queue.next_due_us(share=self._membership.share)
        if due_us is None:
            return _LONG_POLL_US
        # What is due and was not to be had is another's at the moment.
        return min(max(due_us - self._clock.now_us(), _RETRY_US), _LONG_POLL_US)

    def _line_up(self, claims: Sequence[Claim], *, claimed_us: int) -> None:
        for claim in claims:
            lane = self._lanes.get(claim.sender.id)
            if lane is None:
                lane = self._lanes[claim.sender.id] = _Lane(claim.sender)
            lane.sender = claim.sender
            lane.segments_in_line += claim.delivery.segments
            if claimed_us > lane.bar_told_us:
                lane.barred = False  # Claimed since that was stored, it is to try whether it is so still.
            self._claimed += 1
            heapq.heappush(self._line, (claim.slot.at_us, self._claimed, claim))
            self._held.add(_claim_key(claim.delivery))
        if self._line and self._line[0][0] < self._paces_at_us:
            if self._pacer is not None:
                self._pacer.cancel()
            self._pacer = self._start(self._work_off())

    async def _work_off(self) -> None:
        """Sends each claim on its way when its slot has come. There is one of these, for all senders together."""
        while self._line:
            self._paces_at_us = self._line[0][0]
            await self._clock.sleep_until(self._paces_at_us)
            await self._room.acquire()
            _, _, claim = heapq.heappop(self._line)
            self._rhythm.call_began()
            call = _Call(self, self._lanes[claim.sender.id], claim)
            task = self._start(self._call(call))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        self._paces_at_us = _END_OF_TIME_US

    async def _call(self, call: _Call) -> None:
        claim, lane = call.claim, self._lanes[call.claim.sender.id]
        started_us = self._clock.monotonic_us()
        try:
            # Not worth a connection: it would not be let go.
            self.check_departure(lane, claim)
            outcome = await self._send(call)
        except NotLeaving:
            self._release(claim)
        else:
            began_us = started_us if call.left_us is None else call.left_us
            self._heed(lane, claim, outcome)
            self._note(claim, outcome, late_us=call.late_us, took_us=self._clock.monotonic_us() - began_us)
        finally:
            call.end()
            if lane.last is call:
                lane.last = None
            self._room.release()

    async def wait_for_gap(self, lane: _Lane, claim: Claim) -> None:
        """A stall of this process may have made its last text late; the next one keeps its distance from that."""
        while (short_us := lane.free_at_us - self._clock.monotonic_us()) > 0:
            self.check_departure(lane, claim)
            await self._clock.sleep_until(self._clock.now_us() + short_us, exactly=True)

    def check_departure(self, lane: _Lane, claim: Claim) -> None:
        """Raises `NotLeaving` where it must not be sent, or could not be in time."""
        now_us = self._clock.now_us()
        # When the line is free, the time may be another's.
        leaves_us = max(now_us, now_us + lane.free_at_us - self._clock.monotonic_us())
        held = self._membership.held and not self._winding_up
        # What is in line while the sender is to wait goes back, so that it stays behind what was throttled.
        waits = lane.barred or lane.held_until_us > self._clock.monotonic_us()
        if not held or waits or leaves_us > claim.slot.not_after_us:
            raise NotLeaving

    def stamp(self, lane: _Lane, claim: Claim) -> tuple[int, int]:
        """The moment of departure by this process's own clock, and how long after the slot it is."""
        left_us = self._clock.monotonic_us()
        if not claim.sender.backlog_us:
            lane.left(left_us, claim.delivery.segments)
        return left_us, self._clock.now_us() - claim.slot.at_us

    def stamp_again(self, lane: _Lane, left_us: int) -> None:
        """A process that is held up between the check and the write writes later than it was to."""
        now_us = self._clock.monotonic_us()
        if lane.left_us == left_us and now_us - left_us > _HELD_UP_US:
            lane.left_us = lane.counts_from_us = now_us

    async def _send(self, call: _Call) -> SendOutcome:
        claim = call.claim
        try:
            return await self._with.providers[claim.provider].send(self._outgoing(claim), call)
        except NotLeaving:
            raise
        except asyncio.CancelledError:
            if call.left_us is None:
                raise NotLeaving from None
            return Unknown("stopped-while-sending")
        except Exception as fault:  # noqa: BLE001 - what may have been sent must not be lost sight of
            self._with.observer.adapter_failed(claim.provider, fault)
            reason = "provider-adapter-failed"
            return NotSent(reason) if call.left_us is None else Unknown(reason)

    def _heed(self, lane: _Lane, claim: Claim, outcome: SendOutcome) -> None:
        """What the outcome says of the sender: nothing, where its provider had no part in it."""
        if claim.provider != claim.sender.provider:
            return
        match outcome:
            case Throttled(retry_after_us):
                by_us = retry_after_us or 2 * claim.sender.pace.interval_us()
                self._senders.delays[claim.sender.id] = by_us
                lane.held_until_us = max(lane.held_until_us, self._clock.monotonic_us() + by_us)
            case Barred(reason) if not lane.barred:
                lane.barred, lane.bar_told_us = True, _END_OF_TIME_US
                self._senders.bars[claim.sender.id] = claim.sender, reason
        if isinstance(outcome, Accepted | Refused | Throttled) and claim.sender.bar_reason is not None:
            self._senders.unbarred[claim.sender.id] = claim.sender

    def _note(self, claim: Claim, outcome: SendOutcome, *, late_us: int, took_us: int) -> None:
        after = self._with.retry.after_send(
            claim.delivery, outcome, now_us=self._clock.now_us(), jitter=self._with.jitter
        )
        self._unrecorded.append(after)
        self._with.observer.attempted(claim, outcome, after, late_us=late_us, took_us=took_us)

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
        batch, news = self._unrecorded, self._senders
        self._unrecorded, self._senders = [], _SenderNews()
        try:
            await self._tell(news)
            if batch:
                await self._with.queue.record(batch)
        except (StoreUnavailable, asyncio.CancelledError) as error:
            self._unrecorded = batch + self._unrecorded
            self._senders = news.before(self._senders)
            if isinstance(error, asyncio.CancelledError):
                raise
            self._with.observer.held_up(error)
            return False
        self._held.difference_update(map(_claim_key, batch))
        return True

    async def _tell(self, news: "_SenderNews") -> None:
        queue, now_us = self._with.queue, self._clock.now_us()
        for sender_id, by_us in news.delays.items():
            await queue.delay(sender_id, by_us, now_us=now_us)
        for sender_id, (sender, reason) in tuple(news.bars.items()):
            times = await queue.bar(sender_id, reason, now_us=now_us)
            self._with.observer.barred(sender, reason, times=times)
            self._lanes[sender_id].bar_told_us = self._clock.now_us()
            del news.bars[sender_id]
        for sender_id, sender in tuple(news.unbarred.items()):
            await queue.unbar(sender_id, now_us=now_us)
            self._with.observer.unbarred(sender)
            del news.unbarred[sender_id]

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
        if self._pacer is not None:
            self._pacer.cancel()
            await asyncio.wait([self._pacer])
        while self._line:
            self._release(heapq.heappop(self._line)[2])
        if self._calls:
            _, overdue = await asyncio.wait(self._calls, timeout=grace_s)
            for call in overdue:
                call.cancel()
            if overdue:
                await asyncio.wait(overdue)

    def _outgoing(self, claim: Claim) -> OutgoingText:
        left_us = None if claim.expires_us is None else claim.expires_us - self._clock.now_us()
        return OutgoingText(
            delivery_id=claim.delivery.id,
            attempt=claim.delivery.attempt,
            account_id=claim.sender.account_id,
            sender=claim.sender.address,
            number=claim.delivery.number,
            body=claim.body,
            valid_s=None if left_us is None else max(left_us // SECOND_US, 1),
            mail_to=claim.mail_to,
        )


@dataclass
class _SenderNews:
    """What providers said of senders, to be stored: by their ids."""

    delays: dict[int, int] = field(default_factory=dict)
    bars: dict[int, tuple[Sender, str]] = field(default_factory=dict)
    unbarred: dict[int, Sender] = field(default_factory=dict)

    def before(self, later: "_SenderNews") -> "_SenderNews":
        return _SenderNews(self.delays | later.delays, self.bars | later.bars, self.unbarred | later.unbarred)


def _claim_key(delivery: Delivery) -> tuple[int, int]:
    return delivery.id, delivery.attempt

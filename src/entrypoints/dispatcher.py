"""The dispatcher: sends what is due, and looks after what is to be asked, queued or rescued."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from domain.errors import StoreUnavailable
from domain.model.callback import CallbackKind
from domain.model.pace import SECOND_US
from domain.ports.callbacks import Callbacks
from domain.ports.clock import Clock
from domain.ports.deletions import Deletions
from domain.ports.dispatch_observer import DispatchObserver
from domain.ports.due_deliveries import DueDeliveries
from domain.ports.intake import Intake
from domain.ports.retention import Retention
from domain.ports.wakeups import Wakeups
from domain.ports.webhook_outbox import WebhookOutbox
from domain.use_cases.deliver_webhooks import DeliverWebhooks
from domain.use_cases.dispatch_deliveries import DispatchDeliveries
from domain.use_cases.erase_subject import EraseSubject
from domain.use_cases.fail_over import FailOver
from domain.use_cases.hold_membership import HoldMembership
from domain.use_cases.join_inbound_parts import JoinInboundParts
from domain.use_cases.reply_to_keywords import ReplyToKeywords
from domain.use_cases.rescue_deliveries import RescueDeliveries
from domain.use_cases.settle_deliveries import SettleDeliveries
from domain.use_cases.take_in_texts import TakeInTexts
from domain.use_cases.work_off_receipts import WorkOffReceipts

_SETTLE_EVERY_S = 0.2
_ENQUIRIES_END_WITHIN_S = 5.0
_WORK_OFF_EVERY_S = 0.2
_JOIN_PARTS_EVERY_S = 1.0
_TAKE_IN_EVERY_S = 0.2
_REPLY_EVERY_S = 0.5
_RESCUE_EVERY_S = 2.0
_FAIL_OVER_EVERY_S = 1.0
_ROUSE_EVERY_S = 5.0
_EXPIRE_EVERY_S = 1.0
_FORGET_EVERY_S = 60.0
_FORGET_TEXTS_EVERY_S = 60.0
_FORGET_CALLBACKS_EVERY_S = 60.0
_FORGET_PROGRAMS_EVERY_S = 60.0
_FORGET_EVENTS_EVERY_S = 60.0
_ERASE_EVERY_S = 20.0
_BETWEEN_PORTIONS_US = 50_000
_STORE_AWAY_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Dispatcher:
    hold: HoldMembership
    dispatch: DispatchDeliveries
    settle: SettleDeliveries
    work_off: WorkOffReceipts
    join_parts: JoinInboundParts
    take_in: TakeInTexts
    reply: ReplyToKeywords
    rescue: RescueDeliveries
    fail_over: FailOver
    due: DueDeliveries
    intake: Intake
    retention: Retention
    erase: EraseSubject
    deletions: Deletions
    callbacks: Callbacks
    deliver_webhooks: DeliverWebhooks
    outbox: WebhookOutbox
    kept: timedelta
    receipts_kept: timedelta
    events_kept: timedelta
    wakeups: Wakeups
    clock: Clock
    observer: DispatchObserver

    async def run(self, stopping: asyncio.Event) -> None:
        """Works until told to stop; then hands back what it has not sent. Raises what it cannot go on from."""
        async with asyncio.TaskGroup() as group:
            settling = group.create_task(self._settle_until(stopping))
            chores = [
                settling,
                group.create_task(self.wakeups.listen()),
                group.create_task(self._again_and_again(self.work_off, _WORK_OFF_EVERY_S)),
                group.create_task(self._again_and_again(self.join_parts, _JOIN_PARTS_EVERY_S)),
                group.create_task(self._again_and_again(self.take_in, _TAKE_IN_EVERY_S)),
                group.create_task(self._again_and_again(self.reply, _REPLY_EVERY_S)),
                group.create_task(self._again_and_again(self.rescue, _RESCUE_EVERY_S)),
                group.create_task(self._again_and_again(self.fail_over, _FAIL_OVER_EVERY_S)),
                group.create_task(self._again_and_again(self._rouse, _ROUSE_EVERY_S)),
                group.create_task(self._again_and_again(self._expire, _EXPIRE_EVERY_S)),
                group.create_task(self._again_and_again(self._forget_keys, _FORGET_EVERY_S)),
                group.create_task(self._again_and_again(self._forget_texts, _FORGET_TEXTS_EVERY_S)),
                group.create_task(self._again_and_again(self._forget_programs, _FORGET_PROGRAMS_EVERY_S)),
                group.create_task(self._again_and_again(self._forget_callbacks, _FORGET_CALLBACKS_EVERY_S)),
                group.create_task(self._again_and_again(self._forget_events, _FORGET_EVENTS_EVERY_S)),
                group.create_task(self._again_and_again(self.erase.finish, _ERASE_EVERY_S)),
                group.create_task(self.deliver_webhooks()),
            ]
            while not stopping.is_set():
                await self._be_a_member(stopping)
            # Those being asked about are nobody else's for a while.
            await asyncio.wait([settling], timeout=_ENQUIRIES_END_WITHIN_S)
            for chore in chores:
                chore.cancel()

    async def _be_a_member(self, stopping: asyncio.Event) -> None:
        try:
            membership = await self.hold.join()
        except StoreUnavailable as error:
            self.observer.held_up(error)
            await _stopped(stopping, within_s=_STORE_AWAY_S)
            return
        async with asyncio.TaskGroup() as group:
            holding = group.create_task(self.hold(membership))
            everything_recorded = await self.dispatch(membership, stopping)
            holding.cancel()
        if everything_recorded:
            await self.hold.leave(membership)

    async def _settle_until(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            pause_s = await self._done(self.settle, _SETTLE_EVERY_S)
            await _stopped(stopping, within_s=pause_s)

    async def _again_and_again(self, work: Callable[[], Awaitable[object]], every_s: float) -> None:
        while True:
            pause_s = await self._done(work, every_s)
            await asyncio.sleep(pause_s)

    async def _done(self, work: Callable[[], Awaitable[object]], every_s: float) -> float:
        """Says in how many seconds it is to be done again."""
        try:
            await work()
        except StoreUnavailable as error:
            self.observer.held_up(error)
            return max(every_s, _STORE_AWAY_S)
        return every_s

    async def _rouse(self) -> None:
        if await self.due.rouse(now_us=self.clock.now_us()):
            self.wakeups.notify()

    async def _expire(self) -> None:
        while await self.due.expire(now_us=self.clock.now_us()):
            pass

    async def _forget_keys(self) -> None:
        while await self.intake.forget_keys(now_us=self.clock.now_us()):
            pass

    async def _forget_texts(self) -> None:
        kept_us = _us(self.kept)
        await self._in_portions(lambda: self.retention.forget(now_us=self.clock.now_us(), kept_us=kept_us))

    async def _forget_programs(self) -> None:
        """What came to wait of deleted ones since, and then what has been kept for long enough."""
        kept_us = _us(self.kept)
        await self._in_portions(lambda: self.deletions.cancel_waiting(now_us=self.clock.now_us()))
        await self._in_portions(lambda: self.deletions.finish(now_us=self.clock.now_us(), kept_us=kept_us))

    async def _forget_callbacks(self) -> None:
        for kind, kept in ((CallbackKind.RECEIPT, self.receipts_kept), (CallbackKind.INBOUND, self.kept)):
            before_us = self.clock.now_us() - _us(kept)
            await self._in_portions(partial(self.callbacks.forget, kind, before_us=before_us))

    async def _forget_events(self) -> None:
        before_us = self.clock.now_us() - _us(self.events_kept)
        await self._in_portions(lambda: self.outbox.forget(before_us=before_us))

    async def _in_portions(self, work: Callable[[], Awaitable[int]]) -> None:
        """Until nothing is left; others are to have the database in between."""
        while await work():
            await self.clock.pause(_BETWEEN_PORTIONS_US)


def _us(kept: timedelta) -> int:
    return int(kept.total_seconds() * SECOND_US)


async def _stopped(stopping: asyncio.Event, *, within_s: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), within_s)

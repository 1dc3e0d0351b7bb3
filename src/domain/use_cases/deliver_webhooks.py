import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from domain.errors import StoreUnavailable
from domain.model.pace import SECOND_US
from domain.model.webhook import Call, Disabled
from domain.model.webhook_retry import Answer, Health, is_given_up, next_call_us, rests_until_us
from domain.model.webhook_secret import signatures
from domain.ports.clock import Clock
from domain.ports.webhook_observer import WebhookObserver
from domain.ports.webhook_outbox import WebhookOutbox
from domain.ports.webhook_transport import WebhookTransport
from domain.ports.webhooks import Webhooks

_MOST_UNDER_WAY = 200
_LOOKS_EVERY_US = SECOND_US // 2
_STORE_AWAY_US = SECOND_US


@dataclass(frozen=True, kw_only=True)
class DeliverWebhooks:
    """Tells programs what has happened, at least once."""

    outbox: WebhookOutbox
    webhooks: Webhooks
    transport: WebhookTransport
    clock: Clock
    observer: WebhookObserver
    jitter: Callable[[], float] = random.random

    async def __call__(self) -> None:
        """Goes on until it is cancelled; calls under way then are made again by whoever looks next."""
        under_way: Counter[UUID] = Counter()
        free = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            while True:
                free.clear()
                try:
                    taken = await self.outbox.take(
                        now_us=self.clock.now_us(), under_way=under_way, most=_MOST_UNDER_WAY - under_way.total()
                    )
                except StoreUnavailable as error:
                    self.observer.held_up(error)
                    await self.clock.pause(_STORE_AWAY_US)
                    continue
                for call in taken:
                    under_way[call.webhook_id] += 1
                    group.create_task(self._carry_out(call, under_way, free))
                await self._until_there_may_be_more(free)

    async def _until_there_may_be_more(self, free: asyncio.Event) -> None:
        """A while, or until a call has ended: what waited for it is due then."""
        either = [asyncio.ensure_future(self.clock.pause(_LOOKS_EVERY_US)), asyncio.ensure_future(free.wait())]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in either:
                each.cancel()

    async def _carry_out(self, call: Call, under_way: Counter[UUID], free: asyncio.Event) -> None:
        try:
            answer = await self._made(call)
            await self._note(call, answer)
        except StoreUnavailable as error:
            # It is taken again after a while, and made again.
            self.observer.held_up(error)
        finally:
            under_way.subtract([call.webhook_id])
            free.set()

    async def _made(self, call: Call) -> Answer:
        if not call.secrets:
            return Answer(took_us=0, error="secret-unreadable")
        timestamp_s = self.clock.now_us() // SECOND_US
        payload = call.payload()
        headers = {
            "content-type": "application/json",
            "user-agent": "sms-hub",
            "webhook-id": str(call.event_id),
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signatures(call.secrets, str(call.event_id), timestamp_s, payload),
        }
        return await self.transport.post(call.url, headers, payload)

    async def _note(self, call: Call, answer: Answer) -> None:
        now_us = self.clock.now_us()
        if answer.accepted:
            await self.outbox.accepted(call, answer, now_us=now_us)
            self.observer.called(call, answer, given_up=False)
            return
        again_us = next_call_us(answer, call.failures + 1, now_us=now_us, jitter=self.jitter())
        health = await self.outbox.failed(call, answer, now_us=now_us, again_us=again_us)
        try:
            if health is not None:
                await self._judge(call, answer, health, now_us)
        finally:
            self.observer.called(call, answer, given_up=again_us is None)

    async def _judge(self, call: Call, answer: Answer, health: Health, now_us: int) -> None:
        """What becomes of an endpoint that has not accepted a call."""
        if answer.gone or is_given_up(health, now_us=now_us):
            why = Disabled.GONE if answer.gone else Disabled.FAILING
            if await self.webhooks.disable(call.webhook_id, why):
                self.observer.disabled(call.webhook_id, call.program_id, why)
            return
        until_us = rests_until_us(answer, health, now_us=now_us)
        if until_us is not None:
            await self.outbox.rest(call.webhook_id, until_us=until_us)

import asyncio
import hashlib
from dataclasses import dataclass

from domain.errors import HubBusy, IdempotencyKeyInUse
from domain.model.delivery import Delivery, DeliveryState
from domain.model.idempotency import IdempotencyKey
from domain.model.keyword_reply import REPLY_WITHIN_US, reply_to
from domain.model.priority import Priority
from domain.model.text_message import NewText, TextMessage
from domain.ports.clock import Clock
from domain.ports.inbound_messages import DueReply, InboundMessages
from domain.ports.intake import Intake
from domain.ports.programs import Programs
from domain.ports.wakeups import Wakeups


@dataclass(frozen=True, kw_only=True)
class ReplyToKeywords:
    """Answers those who texted STOP, START or HELP, once each, from the sender that they texted to.

    Who has opted out gets this one text all the same, and ahead of others.
    """

    messages: InboundMessages
    programs: Programs
    intake: Intake
    wakeups: Wakeups
    clock: Clock
    at_once: int = 100

    async def __call__(self) -> int:
        """Answers up to `at_once` of them; says how many texts that were."""
        due = await self.messages.due_replies(now_us=self.clock.now_us(), limit=self.at_once)
        answered = sum(await asyncio.gather(*map(self._answer, due)))
        if answered:
            self.wakeups.notify()
        return answered

    async def _answer(self, reply: DueReply) -> bool:
        new = await self._new(reply)
        if new is not None:
            try:
                await self.intake.add(new)
            except (HubBusy, IdempotencyKeyInUse):
                # It is given out again.
                return False
        await self.messages.replied(reply.inbound_id, sent=new is not None)
        return new is not None

    async def _new(self, reply: DueReply) -> NewText | None:
        """None where nobody is to be answered any more."""
        program, now_us = await self.programs.find(reply.program_id), self.clock.now_us()
        expires_us = reply.received_us + REPLY_WITHIN_US
        if program is None or now_us >= expires_us:
            return None
        sender = next((each for each in program.senders if each.id == reply.sender_id), None)
        if sender is None:
            return None
        body = reply_to(reply.keyword, program)
        message = TextMessage(
            id=reply.reply_id,
            program_id=program.id,
            sender_id=sender.id,
            sender=sender.address,
            body=body,
            recipients=1,
            created_us=now_us,
            priority=Priority.URGENT,
            expires_us=expires_us,
            sender_named=True,
            is_reply=True,
        )
        delivery = Delivery(
            id=0,
            position=1,
            number=reply.number,
            segments=body.segments,
            state=DeliveryState.QUEUED,
            updated_us=now_us,
        )
        # Whoever is given it again, it is stored once.
        key = IdempotencyKey(f"reply:{reply.reply_id}", hashlib.sha256(reply.reply_id.bytes).digest())
        return NewText(message=message, deliveries=[delivery], key=key, provider=sender.provider)

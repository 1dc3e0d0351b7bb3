import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from domain.errors import TooManySegments
from domain.model.access import Grant
from domain.model.delivery import Delivery, DeliveryState
from domain.model.message_body import MessageBody
from domain.model.phone_number import PhoneNumber, parse_recipients
from domain.model.text_message import NUMBERS_SHOWN, NewText, TextMessage, TextSummary
from domain.ports.clock import Clock
from domain.ports.opt_outs import OptOuts
from domain.ports.programs import Programs, own_program
from domain.ports.text_log import TextLog
from domain.ports.wakeups import Wakeups

# Reading a number takes some 0.1 ms; longer lists are read beside the event loop, which others need meanwhile.
_LONG_LIST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTextCommand:
    """What a program asks for. `recipients` is as it was written: one number, or several with commas between."""

    text: str = field(repr=False)
    recipients: str = field(repr=False)
    program_id: str | None = None
    client_date_sent: str | None = None


@dataclass(frozen=True, kw_only=True)
class SendText:
    """Accepts a message: when this returns it is stored, and will be sent at the sender's pace."""

    programs: Programs
    opt_outs: OptOuts
    texts: TextLog
    wakeups: Wakeups
    clock: Clock
    new_id: Callable[[], UUID]
    default_region: str

    async def __call__(self, grant: Grant, command: SendTextCommand) -> TextSummary:
        """Raises `OtherProgram`, or what refuses the text (`TextRefused`, `TooManySegments`) or its numbers
        (`NoRecipients`, `TooManyRecipients`, `RecipientsRefused`). What is refused leaves nothing behind.
        """
        program = await own_program(self.programs, grant, command.program_id)
        body = MessageBody(command.text)
        if body.segments > program.segment_cap:
            raise TooManySegments(segments=body.segments, limit=program.segment_cap)
        numbers = await _read(command.recipients, program.sender.address.region or self.default_region)
        opted_out = await self.opt_outs.among(program.id, numbers)
        now_us = self.clock.now_us()
        deliveries = [
            _delivery(number, position=position, segments=body.segments, opted_out=number in opted_out, now_us=now_us)
            for position, number in enumerate(numbers, start=1)
        ]
        message = TextMessage(
            id=self.new_id(),
            program_id=program.id,
            sender_id=program.sender.id,
            body=body,
            recipients=len(deliveries),
            created_us=now_us,
            client_date_sent=command.client_date_sent,
        )
        await self.texts.add(NewText(message=message, deliveries=deliveries))
        self.wakeups.notify()
        counts = Counter(delivery.state for delivery in deliveries)
        return TextSummary(message=message, numbers=numbers[:NUMBERS_SHOWN], counts=counts)


async def _read(recipients: str, region: str) -> Sequence[PhoneNumber]:
    if len(recipients) < _LONG_LIST:
        return parse_recipients(recipients, region=region)
    return await asyncio.to_thread(parse_recipients, recipients, region=region)


def _delivery(number: PhoneNumber, *, position: int, segments: int, opted_out: bool, now_us: int) -> Delivery:
    delivery = Delivery(
        id=0, position=position, number=number, segments=segments, state=DeliveryState.QUEUED, updated_us=now_us
    )
    return delivery.blocked("opted-out", now_us=now_us) if opted_out else delivery

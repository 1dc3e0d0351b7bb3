import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.errors import RecipientsRefused, TimeRefused, TooManySegments
from domain.model.access import Grant
from domain.model.delivery import Delivery, DeliveryState
from domain.model.idempotency import IdempotencyKey
from domain.model.message_body import MessageBody
from domain.model.message_id import new_message_id
from domain.model.pace import SECOND_US
from domain.model.phone_number import PhoneNumber
from domain.model.priority import Priority
from domain.model.recipients import Recipients, read_recipients
from domain.model.text_message import AcceptedText, NewText, TextMessage
from domain.ports.clock import Clock
from domain.ports.intake import Intake
from domain.ports.opt_outs import OptOuts
from domain.ports.programs import Programs, own_program
from domain.ports.wakeups import Wakeups

_FURTHEST_AHEAD_US = 366 * 24 * 3_600 * SECOND_US


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTextCommand:
    """What a program asks for. `recipients` is as it was written: one number, or several with commas between.

    `sender` is the address of one of the program's senders, None for its own. `lenient`: numbers that are not to be
    texted are left out, where else the whole request would be refused.
    """

    text: str = field(repr=False)
    recipients: str = field(repr=False)
    program_id: str | None = None
    client_date_sent: str | None = None
    sender: str | None = None
    priority: Priority = Priority.NORMAL
    send_at_us: int | None = None
    expires_us: int | None = None
    lenient: bool = False

    def fingerprint(self) -> bytes:
        """The same for equal commands alone. 32 bytes."""
        return hashlib.sha256(json.dumps([getattr(self, name) for name in self.__slots__]).encode()).digest()


@dataclass(frozen=True, kw_only=True)
class SendText:
    """Accepts a message: when this returns it is stored, and will be sent at the sender's pace."""

    programs: Programs
    opt_outs: OptOuts
    intake: Intake
    wakeups: Wakeups
    clock: Clock
    default_region: str

    async def __call__(self, grant: Grant, command: SendTextCommand, *, key: str | None = None) -> AcceptedText:
        """`key` is the caller's own name for the request: a second one of the same name is answered as the first.

        Raises `OtherProgram`, or what refuses the text (`TextRefused`, `TooManySegments`), its numbers
        (`NoRecipients`, `TooManyRecipients`, `RecipientsRefused`), its sender (`UnknownSender`), its times
        (`TimeRefused`) or the key (`IdempotencyKeyReused`, `IdempotencyKeyInUse`); `HubBusy` or `StoreUnavailable`.
        What is refused leaves nothing behind.
        """
        program = await own_program(self.programs, grant, command.program_id)
        sender = program.sender_called(command.sender, default_region=self.default_region)
        body = MessageBody(command.text)
        if body.segments > program.segment_cap:
            raise TooManySegments(segments=body.segments, limit=program.segment_cap)
        recipients = await _read(command, sender.address.region or self.default_region)
        opted_out = await self.opt_outs.among(program.id, recipients.numbers)
        now_us = self.clock.now_us()
        named = None if key is None else IdempotencyKey(key, command.fingerprint())
        try:
            _check_times(command, now_us)
        except TimeRefused:
            # A repeated request is answered as the first was, although its times have passed since.
            earlier = None if named is None else await self.intake.answered(program.id, named, now_us=now_us)
            if earlier is None:
                raise
            return earlier
        message = TextMessage(
            id=new_message_id(now_us),
            program_id=program.id,
            sender_id=sender.id,
            sender=sender.address,
            body=body,
            recipients=len(recipients.numbers),
            created_us=now_us,
            priority=command.priority,
            send_at_us=command.send_at_us,
            expires_us=command.expires_us,
            client_date_sent=command.client_date_sent,
        )
        deliveries = _deliveries(message, recipients.numbers, opted_out)
        accepted = await self.intake.add(
            NewText(message=message, deliveries=deliveries, refusals=recipients.refusals, key=named)
        )
        self.wakeups.notify()
        return accepted


async def _read(command: SendTextCommand, region: str) -> Recipients:
    recipients = await read_recipients(command.recipients, region=region)
    if recipients.refusals and not (command.lenient and recipients.numbers):
        raise RecipientsRefused(recipients.refusals)
    return recipients


def _check_times(command: SendTextCommand, now_us: int) -> None:
    if command.send_at_us is not None:
        if command.send_at_us <= now_us:
            raise TimeRefused("SendAt", "has passed")
        if command.send_at_us > now_us + _FURTHEST_AHEAD_US:
            raise TimeRefused("SendAt", "is more than a year ahead")
    if command.expires_us is not None:
        if command.expires_us <= now_us:
            raise TimeRefused("ExpiresAt", "has passed")
        if command.send_at_us is not None and command.expires_us <= command.send_at_us:
            raise TimeRefused("ExpiresAt", "is not after SendAt")


def _deliveries(
    message: TextMessage, numbers: Sequence[PhoneNumber], opted_out: frozenset[PhoneNumber]
) -> Sequence[Delivery]:
    state = DeliveryState.QUEUED if message.send_at_us is None else DeliveryState.SCHEDULED
    segments, now_us = message.body.segments, message.created_us
    deliveries = [
        Delivery(
            id=0,
            position=position,
            number=number,
            segments=segments,
            state=state,
            due_us=message.send_at_us,
            updated_us=now_us,
        )
        for position, number in enumerate(numbers, start=1)
    ]
    if not opted_out:
        return deliveries
    return [each.blocked("opted-out", now_us=now_us) if each.number in opted_out else each for each in deliveries]

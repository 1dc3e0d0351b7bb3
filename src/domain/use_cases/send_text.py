import hashlib
import json
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field, fields

from domain.errors import CountryNotAllowed, HubError, RecipientsRefused, TimeRefused, TooManySegments
from domain.model.access import Grant, KeyKind
from domain.model.delivery import QUIET_HOURS, Delivery, DeliveryState
from domain.model.idempotency import IdempotencyKey
from domain.model.message_id import new_message_id
from domain.model.openings import Openings
from domain.model.pace import SECOND_US
from domain.model.phone_number import PhoneNumber
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.recipients import OTHER_COUNTRY, Recipients, read_recipients
from domain.model.sender import Sender
from domain.model.template import Filling
from domain.model.text_message import AcceptedText, NewText, TextMessage
from domain.model.waiting import Waiting
from domain.ports.backlog import Backlog
from domain.ports.clock import Clock
from domain.ports.contacts import Contacts, newcomers
from domain.ports.intake import Intake
from domain.ports.programs import Programs, own_program
from domain.ports.templates import Templates, worded
from domain.ports.wakeups import Wakeups

_FURTHEST_AHEAD_US = 366 * 24 * 3_600 * SECOND_US


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTextCommand:
    """What a program asks for. `recipients` is as it was written: one number, or several with commas between.

    `sender` is the address of one of the program's senders, None for its own. `lenient`: numbers that are not to be
    texted are left out, where else the whole request would be refused.
    """

    text: str | Filling = field(repr=False)
    recipients: str = field(repr=False)
    program_id: str | None = None
    client_date_sent: str | None = None
    sender: str | None = None
    priority: Priority = Priority.NORMAL
    send_at_us: int | None = None
    expires_us: int | None = None
    lenient: bool = False

    def fingerprint(self) -> bytes:
        """The same for commands that ask for the same, and for those alone. 32 bytes.

        What is left at its default does not show in it, so that it stays the same when commands get new fields; nor
        does the program's id, which may be left out and is the caller's own in any letter case.
        """
        asked = {each.name: value for each in _FIELDS if (value := getattr(self, each.name)) != each.default}
        return hashlib.sha256(_AS_JSON.encode(asked).encode()).digest()


_AS_JSON = json.JSONEncoder(default=Filling.asked)
_FIELDS = tuple(each for each in fields(SendTextCommand) if each.name != "program_id")


@dataclass(frozen=True, kw_only=True)
class SendText:
    """Accepts a message: when this returns it is stored, and will be sent at the sender's pace."""

    programs: Programs
    templates: Templates
    contacts: Contacts
    intake: Intake
    backlog: Backlog
    wakeups: Wakeups
    clock: Clock
    default_region: str

    async def __call__(self, grant: Grant, command: SendTextCommand, *, key: str | None = None) -> AcceptedText:
        """`key` is the caller's own name for the request: a second one of the same name is answered as the first.

        Raises `OtherProgram`, or what refuses the text (`TextRefused`, `TooManySegments`), the template that it is made
        from (`UnknownTemplate`, `PersonalisationRefused`), its numbers (`NoRecipients`, `TooManyRecipients`,
        `RecipientsRefused`, `CountryNotAllowed`), its sender (`UnknownSender`), its times (`TimeRefused`) or the key
        (`IdempotencyKeyReused`, `IdempotencyKeyInUse`); `BudgetExceeded`, `HubBusy` or `StoreUnavailable`. What is
        refused leaves nothing behind.
        """
        program = await own_program(self.programs, grant, command.program_id)
        named = None if key is None else IdempotencyKey(key, command.fingerprint())
        try:
            new, line = await self._read(grant, program, command, named)
        except HubError:
            # A repeated request is answered as the first was, although its times, say, have passed since.
            earlier = None if named is None else await self._answered(program, named)
            if earlier is None:
                raise
            return earlier
        accepted = await self.intake.add(new)
        queued = accepted.summary.counts.get(DeliveryState.QUEUED, 0)
        if not accepted.replayed and queued:
            self._join(line, new.message, queued)
        self.wakeups.notify()
        return accepted

    def _join(self, line: Sender, message: TextMessage, texts: int) -> None:
        self.backlog.joined(
            line.id,
            message.program_id,
            message.priority,
            Waiting(texts, texts * message.body.segments),
            now_us=self.clock.now_us(),
        )

    async def _answered(self, program: Program, key: IdempotencyKey) -> AcceptedText | None:
        return await self.intake.answered(program.id, key, now_us=self.clock.now_us())

    async def _read(
        self, grant: Grant, program: Program, command: SendTextCommand, key: IdempotencyKey | None
    ) -> tuple[NewText, Sender]:
        """The text, and whose line it will wait in."""
        sender = program.sender_called(command.sender, default_region=self.default_region)
        wording = await worded(self.templates, program.id, command.text)
        body = wording.body
        notice = program.terms.notice
        longest = body if notice is None else body.followed_by(notice)
        if longest.segments > program.terms.segment_cap:
            raise TooManySegments(segments=longest.segments, limit=program.terms.segment_cap, at=wording.at)
        recipients = await read_recipients(
            command.recipients,
            region=sender.home_region(self.default_region),
            countries=program.countries(self.default_region),
            may_text=grant.may_text,
            most=program.terms.most_recipients,
        )
        if recipients.refusals and not (command.lenient and recipients.numbers):
            raise _refused(recipients)
        _check_times(command, self.clock.now_us())
        newly = await newcomers(self.contacts, program, recipients.numbers)
        segments = [longest.segments if number in newly else body.segments for number in recipients.numbers]
        line = program.sends_from(sender, named=command.sender is not None)
        ahead = await self.backlog.at(line.id, now_us=self.clock.now_us())
        now_us = self.clock.now_us()
        hours, from_us = program.terms.hours_for(command.priority), command.send_at_us or now_us
        openings = await Openings.of(recipients.numbers, hours, from_us=from_us)
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
            estimated_us=openings.completed_us(
                ahead, program.id, command.priority, segments=sum(segments) / len(segments), now_us=now_us
            ),
            sender_named=command.sender is not None,
            notice=notice,
            is_test=grant.kind is KeyKind.TEST,
            template=None if wording.template is None else wording.template.name,
            template_version=None if wording.template is None else wording.template.number,
            sent_by=grant.person,
        )
        deliveries = list(_deliveries(message, openings, newly, segments))
        new = NewText(
            message=message,
            deliveries=deliveries,
            refusals=recipients.refusals,
            key=key,
            provider=sender.provider,
            duplicate_window_us=program.terms.duplicate_window_us,
            per_recipient=program.terms.per_recipient,
            budgets=program.terms.budgets_at(now_us),
        )
        return new, line


def _refused(recipients: Recipients) -> RecipientsRefused:
    by_country = all(reason == OTHER_COUNTRY for _, reason in recipients.refusals)
    return (CountryNotAllowed if by_country else RecipientsRefused)(recipients.refusals)


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
    message: TextMessage, openings: Openings, newly: Container[PhoneNumber], segments: Sequence[int]
) -> Iterator[Delivery]:
    """Those are queued that may be sent at once."""
    now_us = message.created_us
    from_us = message.send_at_us or now_us
    numbered = enumerate(zip(openings.numbers, openings.at_us, segments, strict=True), start=1)
    for position, (number, opens_us, its_segments) in numbered:
        later = opens_us > now_us
        yield Delivery(
            id=0,
            position=position,
            number=number,
            segments=its_segments,
            state=DeliveryState.SCHEDULED if later else DeliveryState.QUEUED,
            reason=QUIET_HOURS if opens_us > from_us else None,
            due_us=opens_us if later else None,
            updated_us=now_us,
            has_notice=number in newly,
        )

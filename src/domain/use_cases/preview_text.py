from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.model.access import Grant
from domain.model.message_body import MessageBody
from domain.model.openings import Openings
from domain.model.phone_number import PhoneNumber
from domain.model.price import Price
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.recipients import Recipients, read_recipients
from domain.model.sender import Sender
from domain.model.template import Filling, TemplateVersion
from domain.ports.backlog import Backlog
from domain.ports.clock import Clock
from domain.ports.contacts import Contacts, newcomers
from domain.ports.opt_outs import OptOuts
from domain.ports.programs import Programs, own_program
from domain.ports.templates import Templates, worded


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewTextCommand:
    """As for sending; `recipients` is None to ask about the text alone."""

    text: str | Filling = field(repr=False)
    recipients: str | None = field(default=None, repr=False)
    program_id: str | None = None
    sender: str | None = None
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom a text would go to. `segments` are those for all together.

    `completed_us` is when the last of them would be sent, at the sender's pace and after what waits there already;
    None where none would be, or where all stands still. `cost` is None where the hub knows no price.
    """

    recipients: Recipients
    opted_out: int
    segments: int
    asked_us: int
    completed_us: int | None
    cost: Price | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would become of a text; `audience` is None where no recipients were given, `template` where the text came in
    words of its own.
    """

    body: MessageBody
    segment_cap: int
    sender: Sender
    audience: Audience | None
    template: TemplateVersion | None = None


@dataclass(frozen=True, kw_only=True)
class PreviewText:
    """Says what a text would be, and sends nothing. `segment_price` is None where the operator has set none."""

    programs: Programs
    templates: Templates
    opt_outs: OptOuts
    contacts: Contacts
    backlog: Backlog
    clock: Clock
    default_region: str
    segment_price: Price | None

    async def __call__(self, grant: Grant, command: PreviewTextCommand) -> Preview:
        """Raises `OtherProgram`, `TextRefused`, `NoRecipients`, `TooManyRecipients`, `UnknownSender`,
        `UnknownTemplate` or `PersonalisationRefused`.

        Numbers that cannot be texted and texts of too many segments are reported, not refused.
        """
        program = await own_program(self.programs, grant, command.program_id)
        sender = program.sender_called(command.sender, default_region=self.default_region)
        wording = await worded(self.templates, program.id, command.text)
        body = wording.body
        audience = None
        if command.recipients is not None:
            region = sender.home_region(self.default_region)
            recipients = await read_recipients(
                command.recipients,
                region=region,
                countries=program.countries(self.default_region),
                may_text=grant.may_text,
                most=program.terms.most_recipients,
            )
            opted_out = await self.opt_outs.among(program.id, recipients.numbers, sender_id=sender.id)
            line = program.sends_from(sender, named=command.sender is not None)
            new = await newcomers(self.contacts, program, recipients.numbers) - opted_out
            longest = body if program.terms.notice is None else body.followed_by(program.terms.notice)
            texted = [each for each in recipients.numbers if each not in opted_out]
            segments = len(texted) * body.segments + len(new) * (longest.segments - body.segments)
            audience = await self._audience(program, line, command.priority, recipients, texted, segments)
        return Preview(
            body=body,
            segment_cap=program.terms.segment_cap,
            sender=sender,
            audience=audience,
            template=wording.template,
        )

    async def _audience(
        self,
        program: Program,
        line: Sender,
        priority: Priority,
        recipients: Recipients,
        texted: Sequence[PhoneNumber],
        segments: int,
    ) -> Audience:
        now_us = self.clock.now_us()
        completed_us = None
        if texted:
            ahead = await self.backlog.at(line.id, now_us=now_us)
            openings = await Openings.of(texted, program.terms.hours_for(priority), from_us=now_us)
            each = segments / len(texted)
            completed_us = openings.completed_us(ahead, program.id, priority, segments=each, now_us=now_us)
        return Audience(
            recipients=recipients,
            opted_out=len(recipients.numbers) - len(texted),
            segments=segments,
            asked_us=now_us,
            completed_us=completed_us,
            cost=None if self.segment_price is None else self.segment_price.times(segments),
        )

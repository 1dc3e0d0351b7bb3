"""Examples of the domain's values: a test states what matters to it, the rest is made up here."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.model.access import Grant, Scope
from domain.model.consent import Consent, ConsentEvent, Method
from domain.model.delivery import Delivery, DeliveryState
from domain.model.message_body import MAX_SEGMENTS, MessageBody
from domain.model.pace import Pace
from domain.model.phone_number import PhoneNumber
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.sender import Sender, SenderAddress
from domain.model.terms import Terms
from domain.model.text_message import NewText, TextMessage

SECOND = 1_000_000
MINUTE = 60 * SECOND

# 20 March 2026, 12:00:00.25 UTC, in microseconds: not on a full second, so that cutting one off shows.
NOON = 1_774_008_000 * SECOND + 250_000


def a_number(which: int = 4544) -> PhoneNumber:
    return PhoneNumber(f"+1970690{which:04}")


def an_opt_out(program_id: str, number: PhoneNumber, *, at_us: int) -> ConsentEvent:
    return ConsentEvent(program_id=program_id, number=number, consent=Consent.WITHDRAWN, method=Method.API, at_us=at_us)


def a_sender(
    pace: str = "1/s",
    *,
    sender_id: int = 1,
    address: str = "+18005550100",
    provider: str = "post",
    backlog_us: int = 0,
    bar_reason: str | None = None,
    paused: bool = False,
) -> Sender:
    return Sender(
        id=sender_id,
        provider=provider,
        address=SenderAddress(address),
        pace=Pace.parse(pace),
        backlog_us=backlog_us,
        bar_reason=bar_reason,
        paused=paused,
    )


def a_program(
    program_id: str = "PHARMACY",
    *,
    sid: str = "pharmacy-sid",
    name: str = "Pharmacy",
    sender: Sender | None = None,
    segment_cap: int = MAX_SEGMENTS,
    token_lifetime: timedelta | None = None,
    first_hub: bool = False,
    failover: bool = False,
    terms: Terms | None = None,
    other_senders: Sequence[Sender] = (),
) -> Program:
    return Program(
        id=program_id,
        sid=sid,
        name=name,
        sender=sender or a_sender(),
        first_hub=first_hub,
        terms=replace(terms or Terms(failover=failover), segment_cap=segment_cap, token_lifetime=token_lifetime),
        other_senders=other_senders,
    )


def a_grant(program_id: str = "PHARMACY") -> Grant:
    issued_at = datetime(2026, 3, 20, 12, tzinfo=UTC)
    return Grant(
        program_id=program_id,
        program_sid="pharmacy-sid",
        scopes=frozenset({Scope.SEND, Scope.READ}),
        issued_at=issued_at,
        expires_at=issued_at + timedelta(minutes=15),
        token_id="token-1",
    )


def a_delivery(
    state: DeliveryState = DeliveryState.QUEUED,
    *,
    delivery_id: int = 1,
    position: int = 1,
    number: PhoneNumber | None = None,
    segments: int = 1,
    attempt: int = 0,
    failures: int = 0,
    enquiries: int = 0,
    reason: str | None = None,
    provider_reference: str | None = None,
    due_us: int | None = None,
) -> Delivery:
    return Delivery(
        id=delivery_id,
        position=position,
        number=number or a_number(),
        segments=segments,
        state=state,
        attempt=attempt,
        failures=failures,
        enquiries=enquiries,
        reason=reason,
        provider_reference=provider_reference,
        due_us=due_us,
        updated_us=NOON,
    )


def a_message_id(which: int = 1) -> UUID:
    return UUID(int=which)


def a_message(
    which: int = 1,
    *,
    program_id: str = "PHARMACY",
    sender_id: int = 1,
    text: str = "Hello.",
    recipients: int = 1,
    created_us: int = NOON,
    priority: Priority = Priority.NORMAL,
    send_at_us: int | None = None,
    expires_us: int | None = None,
) -> TextMessage:
    return TextMessage(
        id=a_message_id(which),
        program_id=program_id,
        sender_id=sender_id,
        sender=SenderAddress("+18005550100"),
        body=MessageBody(text),
        recipients=recipients,
        created_us=created_us,
        priority=priority,
        send_at_us=send_at_us,
        expires_us=expires_us,
    )


def a_text(
    which: int = 1,
    *,
    to: Sequence[PhoneNumber] | None = None,
    text: str = "Hello.",
    program_id: str = "PHARMACY",
    sender_id: int = 1,
    state: DeliveryState = DeliveryState.QUEUED,
    created_us: int = NOON,
    priority: Priority = Priority.NORMAL,
    send_at_us: int | None = None,
    expires_us: int | None = None,
) -> NewText:
    """A message as it is accepted, with one delivery in the given state to each number."""
    numbers = [a_number()] if to is None else to
    message = a_message(
        which,
        program_id=program_id,
        sender_id=sender_id,
        text=text,
        recipients=len(numbers),
        created_us=created_us,
        priority=priority,
        send_at_us=send_at_us,
        expires_us=expires_us,
    )
    first = a_delivery(state, delivery_id=0, segments=message.body.segments, due_us=send_at_us)
    deliveries = [replace(first, position=position, number=number) for position, number in enumerate(numbers, start=1)]
    return NewText(message=message, deliveries=deliveries)

"""How rows read as the domain's values."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any, TypeAlias

from sqlalchemy import Row

from adapters.sql.tables import deliveries, programs, provider_accounts, senders, text_messages
from domain.model.delivery import Delivery, DeliveryState
from domain.model.message_body import MessageBody
from domain.model.pace import Pace
from domain.model.phone_number import PhoneNumber
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.sender import Sender, SenderAddress
from domain.model.text_message import TextMessage

AnyRow: TypeAlias = Row[*tuple[Any, ...]]

DELIVERY_COLUMNS = (
    deliveries.c.id,
    deliveries.c.position,
    deliveries.c.number,
    deliveries.c.segments,
    deliveries.c.state,
    deliveries.c.attempt,
    deliveries.c.failures,
    deliveries.c.enquiries,
    deliveries.c.reason,
    deliveries.c.provider_reference,
    deliveries.c.due_us,
    deliveries.c.updated_us,
)

SENDER_COLUMNS = (
    senders.c.id.label("sender_id"),
    senders.c.address,
    senders.c.pace_numerator,
    senders.c.pace_denominator,
    provider_accounts.c.provider,
)

PROGRAM_COLUMNS = (
    programs.c.id,
    programs.c.sid,
    programs.c.name,
    programs.c.segment_cap,
    programs.c.token_lifetime_s,
    programs.c.first_hub,
    *SENDER_COLUMNS,
)


MESSAGE_COLUMNS = (*text_messages.c, senders.c.address)


def as_message(row: AnyRow) -> TextMessage:
    return TextMessage(
        id=row.id,
        program_id=row.program_id,
        sender_id=row.sender_id,
        sender=SenderAddress(row.address),
        body=MessageBody(row.body),
        recipients=row.recipients,
        created_us=row.created_us,
        priority=Priority(row.priority),
        send_at_us=row.send_at_us,
        expires_us=row.expires_us,
        client_date_sent=row.client_date_sent,
    )


def as_delivery(row: AnyRow) -> Delivery:
    return Delivery(
        id=row.id,
        position=row.position,
        number=PhoneNumber(row.number),
        segments=row.segments,
        state=DeliveryState(row.state),
        attempt=row.attempt,
        failures=row.failures,
        enquiries=row.enquiries,
        reason=row.reason,
        provider_reference=row.provider_reference,
        due_us=row.due_us,
        updated_us=row.updated_us,
    )


def as_sender(row: AnyRow) -> Sender:
    return Sender(
        id=row.sender_id,
        provider=row.provider,
        address=SenderAddress(row.address),
        pace=as_pace(row),
    )


def as_pace(row: AnyRow) -> Pace:
    return Pace(Fraction(row.pace_numerator, row.pace_denominator))


def as_program(row: AnyRow, other_senders: Sequence[Sender] = ()) -> Program:
    return Program(
        id=row.id,
        sid=row.sid,
        name=row.name,
        sender=as_sender(row),
        segment_cap=row.segment_cap,
        token_lifetime=None if row.token_lifetime_s is None else timedelta(seconds=row.token_lifetime_s),
        first_hub=row.first_hub,
        other_senders=tuple(other_senders),
    )

"""How rows read as the domain's values."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import select

from adapters.sql.tables import deliveries, limits, programs, provider_accounts, senders, text_messages
from domain.model.budget import Velocity
from domain.model.delivery import Delivery, DeliveryState
from domain.model.limit import Counted, DailyCap, Limit
from domain.model.message_body import MessageBody
from domain.model.pace import Pace
from domain.model.phone_number import PhoneNumber
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.sender import OptOutReplies, Sender, SenderAddress
from domain.model.slots import VirtualSchedule
from domain.model.terms import OnUnknown, Terms
from domain.model.text_message import TextMessage
from domain.model.texting_hours import TextingHours

# Whatever has its columns by their names: a row of SQLAlchemy's, whose columns have no types, or a named tuple.
AnyRow: TypeAlias = Any

DELIVERY_COLUMNS = (
    deliveries.c.id,
    deliveries.c.position,
    deliveries.c.number,
    deliveries.c.segments,
    deliveries.c.state,
    deliveries.c.attempt,
    deliveries.c.failures,
    deliveries.c.enquiries,
    deliveries.c.resends,
    deliveries.c.reason,
    deliveries.c.provider_reference,
    deliveries.c.due_us,
    deliveries.c.updated_us,
    deliveries.c.has_notice,
)

SENDER_COLUMNS = (
    senders.c.id.label("sender_id"),
    senders.c.account_id,
    senders.c.address,
    senders.c.pace_numerator,
    senders.c.pace_denominator,
    senders.c.backlog_us,
    senders.c.paused_us.label("sender_paused_us"),
    senders.c.bar_reason,
    provider_accounts.c.provider,
    provider_accounts.c.account,
    select(limits.c.name).where(limits.c.id == senders.c.limit_id).scalar_subquery().label("limit_name"),
    senders.c.opt_out_replies,
)

TERMS_COLUMNS = (
    programs.c.on_unknown,
    programs.c.failover,
    programs.c.retention_s,
    programs.c.texting_hours,
    programs.c.urgent_any_time,
    programs.c.duplicate_window_s,
    programs.c.notice,
    programs.c.opt_out_reply,
    programs.c.opt_in_reply,
    programs.c.help_reply,
    programs.c.mail_to,
    programs.c.countries,
    programs.c.daily_segments,
    programs.c.monthly_segments,
    programs.c.budget_zone,
    programs.c.recipients_per_request,
    programs.c.per_recipient_texts,
    programs.c.per_recipient_s,
    programs.c.segment_cap,
    programs.c.token_lifetime_s,
)

PROGRAM_COLUMNS = (
    programs.c.id,
    programs.c.sid,
    programs.c.name,
    programs.c.first_hub,
    programs.c.paused_us,
    programs.c.suspended_us,
    programs.c.deleted_us,
    *TERMS_COLUMNS,
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
        estimated_us=row.estimated_us,
        sender_named=row.sender_named,
        notice=row.notice,
        is_reply=row.is_reply,
        is_test=row.is_test,
        trace_parent=row.trace_parent,
        template=row.template,
        template_version=row.template_version,
        sent_by=row.sent_by,
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
        resends=row.resends,
        reason=row.reason,
        provider_reference=row.provider_reference,
        due_us=row.due_us,
        updated_us=row.updated_us,
        has_notice=row.has_notice,
    )


def body_of(row: AnyRow) -> MessageBody:
    """What one of a message's recipients gets."""
    body = MessageBody(row.body)
    return body.followed_by(row.notice) if row.has_notice and row.notice is not None else body


def as_sender(row: AnyRow) -> Sender:
    return _sender(
        row.sender_id,
        row.account_id,
        row.address,
        row.pace_numerator,
        row.pace_denominator,
        row.backlog_us,
        row.sender_paused_us,
        row.bar_reason,
        row.provider,
        row.account,
        row.limit_name,
        row.opt_out_replies,
    )


@lru_cache(20_000)  # Read with every claim, and seldom changed.
def _sender(
    sender_id: int,
    account_id: int,
    address: str,
    pace_numerator: int,
    pace_denominator: int,
    backlog_us: int,
    paused_us: int | None,
    bar_reason: str | None,
    provider: str,
    account: str,
    limit: str | None,
    opt_out_replies: str | None,
) -> Sender:
    return Sender(
        id=sender_id,
        provider=provider,
        address=SenderAddress(address),
        pace=_pace(pace_numerator, pace_denominator),
        account_id=account_id,
        account=account,
        backlog_us=backlog_us,
        paused=paused_us is not None,
        bar_reason=bar_reason,
        limit=limit,
        opt_out_replies=as_opt_out_replies(opt_out_replies, provider),
    )


def as_opt_out_replies(stored: str | None, provider: str) -> OptOutReplies:
    return OptOutReplies.usual_with(provider) if stored is None else OptOutReplies(stored)


def as_schedule(row: AnyRow) -> VirtualSchedule:
    return VirtualSchedule(as_pace(row), row.next_free_us, row.backlog_us)


def as_pace(row: AnyRow) -> Pace:
    return _pace(row.pace_numerator, row.pace_denominator)


@lru_cache(10_000)  # Read with every claim, and few differ.
def _pace(numerator: int, denominator: int) -> Pace:
    return Pace(Fraction(numerator, denominator))


def as_program(row: AnyRow, other_senders: Sequence[Sender] = ()) -> Program:
    return Program(
        id=row.id,
        sid=row.sid,
        name=row.name,
        sender=as_sender(row),
        first_hub=row.first_hub,
        paused=row.paused_us is not None,
        suspended=row.suspended_us is not None,
        deleted_us=row.deleted_us,
        terms=_terms(row),
        other_senders=tuple(other_senders),
    )


def _terms(row: AnyRow) -> Terms:
    return Terms(
        on_unknown=OnUnknown(row.on_unknown),
        failover=row.failover,
        retention=_duration(row.retention_s),
        texting_hours=None if row.texting_hours is None else as_texting_hours(row.texting_hours),
        urgent_any_time=row.urgent_any_time,
        duplicate_window=_duration(row.duplicate_window_s),
        notice=row.notice,
        opt_out_reply=row.opt_out_reply,
        opt_in_reply=row.opt_in_reply,
        help_reply=row.help_reply,
        mail_to=row.mail_to,
        countries=None if row.countries is None else frozenset(row.countries.split(",")),
        daily_segments=row.daily_segments,
        monthly_segments=row.monthly_segments,
        budget_zone=row.budget_zone,
        recipients_per_request=row.recipients_per_request,
        per_recipient=_velocity(row),
        segment_cap=row.segment_cap,
        token_lifetime=_duration(row.token_lifetime_s),
    )


def terms_row(terms: Terms) -> Mapping[str, Any]:
    return {
        "on_unknown": terms.on_unknown.value,
        "failover": terms.failover,
        "retention_s": _seconds(terms.retention),
        "texting_hours": None if terms.texting_hours is None else str(terms.texting_hours),
        "urgent_any_time": terms.urgent_any_time,
        "duplicate_window_s": _seconds(terms.duplicate_window),
        "notice": terms.notice,
        "opt_out_reply": terms.opt_out_reply,
        "opt_in_reply": terms.opt_in_reply,
        "help_reply": terms.help_reply,
        "mail_to": terms.mail_to,
        "countries": None if terms.countries is None else ",".join(sorted(terms.countries)),
        "daily_segments": terms.daily_segments,
        "monthly_segments": terms.monthly_segments,
        "budget_zone": terms.budget_zone,
        "recipients_per_request": terms.recipients_per_request,
        "per_recipient_texts": None if terms.per_recipient is None else terms.per_recipient.texts,
        "per_recipient_s": None if terms.per_recipient is None else _seconds(terms.per_recipient.within),
        "segment_cap": terms.segment_cap,
        "token_lifetime_s": _seconds(terms.token_lifetime),
    }


@lru_cache(1_000)  # Read with every claim.
def as_texting_hours(text: str) -> TextingHours:
    return TextingHours.parse(text)


def _velocity(row: AnyRow) -> Velocity | None:
    within = _duration(row.per_recipient_s)
    return None if within is None else Velocity(row.per_recipient_texts, within)


def _duration(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration.total_seconds())


def as_limit(row: AnyRow, parent: str | None = None) -> Limit:
    return Limit(
        name=row.name,
        counts=Counted(row.counts),
        pace=None if row.pace_numerator is None else as_pace(row),
        daily=None if row.daily is None else DailyCap(row.daily, row.zone),
        parent=parent,
    )

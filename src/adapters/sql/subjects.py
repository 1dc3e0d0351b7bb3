from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import orjson
from sqlalchemy import Select, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database
from adapters.sql.number_search import CALLBACKS, WEBHOOK_EVENTS, JsonTable, found_in
from adapters.sql.opt_outs import ALL_SENDERS
from adapters.sql.rows import AnyRow
from adapters.sql.tables import (
    consent_events,
    deliveries,
    erasures,
    inbound_messages,
    opt_outs,
    program_keys,
    recent_texts,
    sender_opt_outs,
    senders,
    text_messages,
)
from domain.model.consent import Scope
from domain.model.delivery import IN_VAIN
from domain.model.instant import instant
from domain.model.phone_number import PhoneNumber
from domain.model.subject import RecordKind, SubjectRecord
from domain.ports.subjects import Subjects
from domain.ports.text_log import Page

# How far one page looks through great tables.
_PARTS_AT_ONCE = 10

# Some records of a kind after a place, and the place to go on from; None where there are no more.
_Some: TypeAlias = tuple[Sequence[SubjectRecord], int | None]
_Reader: TypeAlias = Callable[[AsyncConnection, PhoneNumber, int, int], Awaitable[_Some]]


class SqlSubjects(Subjects):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, number: PhoneNumber, *, after: tuple[int, int], limit: int
    ) -> Page[SubjectRecord, tuple[int, int]]:
        found: list[SubjectRecord] = []
        (reader, place), parts = after, 0
        async with self._database.reading() as connection:
            while reader < len(_READERS) and len(found) < limit and parts < _PARTS_AT_ONCE:
                some, end = await _READERS[reader](connection, number, place, limit - len(found))
                found += some
                parts += reader >= _FIRST_OF_GREAT_TABLES
                reader, place = (reader + 1, 0) if end is None else (reader, end)
        return Page(found, (reader, place) if reader < len(_READERS) else None)


def _by_id(rows: Select[*tuple[Any, ...]], record: Callable[[AnyRow], SubjectRecord]) -> _Reader:
    """Of rows with an `id` that grows, by a number that is their parameter."""

    async def read(connection: AsyncConnection, number: PhoneNumber, after: int, limit: int) -> _Some:
        its = rows.subquery()
        some = select(its).where(its.c.number == number.e164, its.c.id > after).order_by(its.c.id).limit(limit + 1)
        found = (await connection.execute(some)).all()
        return [record(row) for row in found[:limit]], found[limit - 1].id if len(found) > limit else None

    return read


def _in_order(
    rows: Callable[[PhoneNumber], Select[*tuple[Any, ...]]], record: Callable[[AnyRow], SubjectRecord]
) -> _Reader:
    """Of rows that are few and have an order."""

    async def read(connection: AsyncConnection, number: PhoneNumber, after: int, limit: int) -> _Some:
        found = (await connection.execute(rows(number).offset(after).limit(limit + 1))).all()
        return [record(row) for row in found[:limit]], after + limit if len(found) > limit else None

    return read


def _in_json(table: JsonTable, record: Callable[[AnyRow], SubjectRecord]) -> _Reader:
    async def read(connection: AsyncConnection, number: PhoneNumber, after: int, limit: int) -> _Some:
        found, end = await found_in(connection, table, number, after=after, limit=limit)
        return [record(row) for row in found], end

    return read


_TEXTS = (
    select(
        deliveries.c.id,
        deliveries.c.number,
        deliveries.c.program_id,
        deliveries.c.message_id,
        deliveries.c.position,
        deliveries.c.segments,
        deliveries.c.state,
        deliveries.c.reason,
        deliveries.c.provider_reference,
        deliveries.c.updated_us,
        deliveries.c.has_notice,
        text_messages.c.body,
        text_messages.c.notice,
        text_messages.c.created_us,
        senders.c.address,
    )
    .join(text_messages, text_messages.c.id == deliveries.c.message_id)
    .join(senders, senders.c.id == deliveries.c.sender_id)
)


def _text(row: AnyRow) -> SubjectRecord:
    return SubjectRecord(
        kind=RecordKind.TEXT,
        id=f"{row.message_id}/{row.position}",
        at_us=row.created_us,
        program_id=row.program_id,
        details={
            "Message": row.body,
            "Notice": row.notice if row.has_notice else None,
            "Sender": row.address,
            "Status": row.state,
            "Reason": row.reason,
            "Segments": row.segments,
            "ProviderReference": row.provider_reference,
            "UpdatedAt": instant(row.updated_us),
        },
    )


def _contacts(number: PhoneNumber) -> Select[*tuple[Any, ...]]:
    return (
        select(deliveries.c.program_id, func.min(text_messages.c.created_us).label("at_us"))
        .join(text_messages, text_messages.c.id == deliveries.c.message_id)
        .where(deliveries.c.number == number.e164, deliveries.c.state.not_in([state.value for state in IN_VAIN]))
        .group_by(deliveries.c.program_id)
        .order_by(deliveries.c.program_id)
    )


def _contact(row: AnyRow) -> SubjectRecord:
    return SubjectRecord(kind=RecordKind.FIRST_CONTACT, id=row.program_id, at_us=row.at_us, program_id=row.program_id)


_INBOUND = select(inbound_messages, senders.c.address).join(senders, senders.c.id == inbound_messages.c.sender_id)


def _inbound(row: AnyRow) -> SubjectRecord:
    return SubjectRecord(
        kind=RecordKind.INBOUND,
        id=str(row.id),
        at_us=row.received_us,
        program_id=row.program_id,
        details={"Message": row.body, "Sender": row.address, "Keyword": row.keyword},
    )


def _opt_outs(number: PhoneNumber) -> Select[*tuple[Any, ...]]:
    return select(opt_outs).where(opt_outs.c.number == number.e164).order_by(opt_outs.c.program_id)


def _opt_out(row: AnyRow) -> SubjectRecord:
    return SubjectRecord(
        kind=RecordKind.OPT_OUT,
        id=f"program {row.program_id}",
        at_us=row.since_us,
        program_id=row.program_id,
        details={"Scope": Scope.PROGRAM.value, "Event": row.event_id},
    )


def _sender_opt_outs(number: PhoneNumber) -> Select[*tuple[Any, ...]]:
    return (
        select(sender_opt_outs, senders.c.address)
        .outerjoin(senders, senders.c.id == sender_opt_outs.c.sender_id)
        .where(sender_opt_outs.c.number == number.e164)
        .order_by(sender_opt_outs.c.sender_id)
    )


def _sender_opt_out(row: AnyRow) -> SubjectRecord:
    scope = Scope.GLOBAL if row.sender_id == ALL_SENDERS else Scope.SENDER
    return SubjectRecord(
        kind=RecordKind.OPT_OUT,
        id=scope.value if scope is Scope.GLOBAL else f"sender {row.sender_id}",
        at_us=row.since_us,
        details={"Scope": scope.value, "Sender": row.address, "Event": row.event_id},
    )


def _consent(row: AnyRow) -> SubjectRecord:
    return SubjectRecord(
        kind=RecordKind.CONSENT,
        id=str(row.id),
        at_us=row.at_us,
        program_id=row.program_id,
        details={
            "Consent": row.consent,
            "Method": row.method,
            "Wording": row.wording,
            "Actor": row.actor,
            "Reference": row.reference,
        },
    )


def _recent(number: PhoneNumber) -> Select[*tuple[Any, ...]]:
    return (
        select(recent_texts)
        .where(recent_texts.c.number == number.e164)
        .order_by(recent_texts.c.program_id, recent_texts.c.message_id)
    )


def _recent_text(row: AnyRow) -> SubjectRecord:
    return SubjectRecord(
        kind=RecordKind.RECENT_TEXT,
        id=str(row.message_id),
        at_us=row.since_us,
        program_id=row.program_id,
        details={"Until": instant(row.until_us)},
    )


def _keys(number: PhoneNumber) -> Select[*tuple[Any, ...]]:
    # Numbers have spaces between.
    its = (literal(" ") + program_keys.c.numbers + " ").contains(f" {number.e164} ")
    return select(program_keys).where(its).order_by(program_keys.c.id)


def _key(row: AnyRow) -> SubjectRecord:
    revoked = None if row.revoked_us is None else instant(row.revoked_us)
    return SubjectRecord(
        kind=RecordKind.KEY,
        id=str(row.id),
        at_us=row.created_us,
        program_id=row.program_id,
        details={"Name": row.name, "Hint": row.hint, "RevokedAt": revoked},
    )


def _erasures(number: PhoneNumber) -> Select[*tuple[Any, ...]]:
    return select(erasures).where(erasures.c.number == number.e164).order_by(erasures.c.number)


def _erasure(row: AnyRow) -> SubjectRecord:
    details = {"KeepOptOuts": row.keep_opt_outs, "Erased": orjson.loads(row.erased)}
    return SubjectRecord(kind=RecordKind.ERASURE, id="erasure", at_us=row.until_us, details=details)


def _event(row: AnyRow) -> SubjectRecord:
    return SubjectRecord(
        kind=RecordKind.WEBHOOK_EVENT,
        id=str(row.uid),
        at_us=row.at_us,
        program_id=row.program_id,
        details={"Type": row.type, "Data": orjson.loads(row.data)},
    )


def _callback(row: AnyRow) -> SubjectRecord:
    return SubjectRecord(
        kind=RecordKind.CALLBACK,
        id=str(row.id),
        at_us=row.received_us,
        details={"Source": row.source, "Kind": row.kind, "Fields": orjson.loads(row.fields)},
    )


_READERS: Sequence[_Reader] = (
    _by_id(_TEXTS, _text),
    _in_order(_contacts, _contact),
    _by_id(_INBOUND, _inbound),
    _in_order(_opt_outs, _opt_out),
    _in_order(_sender_opt_outs, _sender_opt_out),
    _by_id(select(consent_events), _consent),
    _in_order(_recent, _recent_text),
    _in_order(_keys, _key),
    _in_order(_erasures, _erasure),
    _in_json(WEBHOOK_EVENTS, _event),
    _in_json(CALLBACKS, _callback),
)
_FIRST_OF_GREAT_TABLES = len(_READERS) - 2

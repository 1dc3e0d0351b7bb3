from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Insert,
    Select,
    Table,
    and_,
    case,
    delete,
    insert,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, carried_through
from adapters.sql.outbox import tell_of_consent
from adapters.sql.rows import AnyRow
from adapters.sql.tables import consent_events, deliveries, opt_outs, program_senders, programs, sender_opt_outs
from domain.model.consent import Consent, ConsentEvent, Method, OptOut, Scope
from domain.model.delivery import OPTED_OUT_AT_PROVIDER, Delivery
from domain.model.phone_number import PhoneNumber
from domain.ports.opt_outs import OptOuts
from domain.ports.text_log import Page

# The sender whose opt-outs are from whatever comes.
ALL_SENDERS = 0

# A statement of thousands of parameters takes more memory than they do, and SQLite bounds their number.
_ROWS_AT_ONCE = 500

_AMONG = """
    SELECT number FROM opt_outs WHERE program_id = $1 AND number = ANY ($2::text[])
    UNION
    SELECT number FROM sender_opt_outs WHERE sender_id IN ($3, 0) AND number = ANY ($2::text[])
"""
_PROOF = consent_events.c.method, consent_events.c.wording, consent_events.c.actor, consent_events.c.reference
_OF_PROGRAMS = opt_outs.c.program_id, opt_outs.c.number
_OF_SENDERS = sender_opt_outs.c.sender_id, sender_opt_outs.c.number


class SqlOptOuts(OptOuts):
    def __init__(self, database: Database) -> None:
        self._database = database

    @carried_through
    async def record(self, events: Sequence[ConsentEvent]) -> None:
        async with self._database.writing() as connection:
            await record(self._database, connection, events)

    async def among(
        self, program_id: str, numbers: Collection[PhoneNumber], *, sender_id: int
    ) -> frozenset[PhoneNumber]:
        if self._database.is_sqlite:
            async with self._database.reading() as connection:
                found = await opted_out_among(connection, [(program_id, sender_id, each.e164) for each in numbers])
            return frozenset(PhoneNumber(number) for _, _, number in found)
        async with self._database.driver() as driver:
            rows = await driver.fetch(_AMONG, program_id, [each.e164 for each in numbers], sender_id)
        return frozenset(PhoneNumber(row["number"]) for row in rows)

    async def of_program(self, program_id: str, numbers: Collection[PhoneNumber]) -> frozenset[PhoneNumber]:
        wanted = [each.e164 for each in numbers]
        found: set[str] = set()
        async with self._database.reading() as connection:
            for start in range(0, len(wanted), _ROWS_AT_ONCE):
                some = opt_outs.c.number.in_(wanted[start : start + _ROWS_AT_ONCE])
                theirs = select(opt_outs.c.number).where(opt_outs.c.program_id == program_id, some)
                found.update((await connection.execute(theirs)).scalars())
        return frozenset(map(PhoneNumber, found))

    @carried_through
    async def page(
        self, program_id: str, *, number: PhoneNumber | None = None, after: str | None, limit: int
    ) -> Page[OptOut, str]:
        wanted = _binding(program_id, number=number, after=after, limit=limit + 1).subquery()
        rows = select(wanted, *_PROOF).outerjoin(consent_events, consent_events.c.id == wanted.c.event_id)
        async with self._database.reading() as connection:
            found = (await connection.execute(rows.order_by(wanted.c.number, wanted.c.place).limit(limit + 1))).all()
        last = found[limit - 1] if len(found) > limit else None
        end = None if last is None else f"{last.number}.{last.place}"
        return Page([_as_opt_out(row) for row in found[:limit]], end)

    @carried_through
    async def events(
        self, number: PhoneNumber, *, program_id: str | None = None, after: int | None = None, limit: int
    ) -> Page[ConsentEvent, int]:
        theirs = select(consent_events).where(consent_events.c.number == number.e164)
        if after is not None:
            theirs = theirs.where(consent_events.c.id > after)
        if program_id is not None:
            of_all = and_(consent_events.c.program_id.is_(None), consent_events.c.sender_id.is_(None))
            its_own = consent_events.c.program_id == program_id
            theirs = theirs.where(or_(its_own, of_all, consent_events.c.sender_id.in_(senders_of(program_id))))
        async with self._database.reading() as connection:
            rows = (await connection.execute(theirs.order_by(consent_events.c.id).limit(limit + 1))).all()
        return Page([_as_event(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


async def record(database: Database, connection: AsyncConnection, events: Sequence[ConsentEvent]) -> None:
    """Within the caller's transaction."""
    if not events:
        return
    added = insert(consent_events).returning(consent_events.c.id, sort_by_parameter_order=True)
    ids = (await connection.execute(added, [_row(event) for event in events])).scalars().all()
    await tell_of_consent(database, connection, list(zip(events, ids, strict=True)))
    # What goes into the same place is done together; of one number at one place, in the order in which it was said.
    for (consent, table), some in groupby(zip(events, ids, strict=True), lambda each: _kind(each[0])):
        if consent is Consent.WITHDRAWN:
            rows = [{**_key(event), "since_us": event.at_us, "event_id": event_id} for event, event_id in some]
            await connection.execute(_opted_out(database, table), rows)
        else:
            for event, _ in some:
                its = (table.c[name] == value for name, value in _key(event).items())
                await connection.execute(delete(table).where(*its))


async def record_providers_word(database: Database, connection: AsyncConnection, settled: Sequence[Delivery]) -> None:
    """What providers said of the recipients of these deliveries: that they want no texts from the sender."""
    told = {each.id: each for each in settled if each.reason == OPTED_OUT_AT_PROVIDER}
    if not told:
        return
    theirs = select(deliveries.c.id, deliveries.c.sender_id).where(deliveries.c.id.in_(told))
    events = [
        ConsentEvent(
            number=told[row.id].number,
            sender_id=row.sender_id,
            consent=Consent.WITHDRAWN,
            method=Method.PROVIDER,
            at_us=told[row.id].updated_us,
            actor="provider",
            reference=told[row.id].provider_reference or f"delivery {row.id}",
        )
        for row in await connection.execute(theirs.order_by(deliveries.c.id))
    ]
    await record(database, connection, events)


async def is_recorded(connection: AsyncConnection, event: ConsentEvent) -> bool:
    """Whether there is an opt-out already where this one goes."""
    _, table = _kind(event)
    its = (table.c[name] == value for name, value in _key(event).items())
    row = (await connection.execute(select(table.c.event_id).where(*its))).first()
    return row is not None and row.event_id is not None


async def block(database: Database, connection: AsyncConnection, event: ConsentEvent) -> None:
    """Lets no text to the number be sent from now on, ahead of the record of the opt-out."""
    _, table = _kind(event)
    await database.insert_unless_there(connection, table, {**_key(event), "since_us": event.at_us})


def _opted_out(database: Database, table: Table) -> Insert:
    """One that is there keeps its date and its proof, if it has one."""
    row: sqlite.Insert | postgresql.Insert = sqlite.insert(table) if database.is_sqlite else postgresql.insert(table)
    return row.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={"since_us": row.excluded.since_us, "event_id": row.excluded.event_id},
        where=table.c.event_id.is_(None),
    )


def _kind(event: ConsentEvent) -> tuple[Consent, Table]:
    return event.consent, sender_opt_outs if event.program_id is None else opt_outs


def _key(event: ConsentEvent) -> Mapping[str, Any]:
    """That of its row in the table of its scope."""
    if event.program_id is not None:
        return {"program_id": event.program_id, "number": event.number.e164}
    return {"sender_id": ALL_SENDERS if event.sender_id is None else event.sender_id, "number": event.number.e164}


async def opted_out_among(
    connection: AsyncConnection, wanted: Sequence[tuple[str, int, str]]
) -> Sequence[tuple[str, int, str]]:
    """Those of the programs, senders and numbers where the number has opted out. For SQLite."""
    from_programs: set[tuple[str, str]] = set()
    from_senders: set[tuple[int, str]] = set()
    for start in range(0, len(wanted), _ROWS_AT_ONCE):
        some = wanted[start : start + _ROWS_AT_ONCE]
        by_program = tuple_(*_OF_PROGRAMS).in_([(program_id, number) for program_id, _, number in some])
        from_programs |= {(row[0], row[1]) for row in await connection.execute(select(*_OF_PROGRAMS).where(by_program))}
        by_sender = tuple_(*_OF_SENDERS).in_([(each, number) for _, one, number in some for each in (one, ALL_SENDERS)])
        from_senders |= {(row[0], row[1]) for row in await connection.execute(select(*_OF_SENDERS).where(by_sender))}
    return [
        (program_id, sender_id, number)
        for program_id, sender_id, number in wanted
        if (program_id, number) in from_programs
        or (sender_id, number) in from_senders
        or (ALL_SENDERS, number) in from_senders
    ]


def senders_of(program_id: str) -> Select[tuple[int]]:
    own = select(programs.c.sender_id).where(programs.c.id == program_id)
    others = select(program_senders.c.sender_id).where(program_senders.c.program_id == program_id)
    return select(union_all(own, others).subquery().c.sender_id)


def _binding(
    program_id: str, *, number: PhoneNumber | None, after: str | None, limit: int
) -> CompoundSelect[*tuple[Any, ...]]:
    """The program's own, then those of all, then its senders'. No more of either table is read than a page takes."""
    place = case((sender_opt_outs.c.sender_id == ALL_SENDERS, 1), else_=1 + sender_opt_outs.c.sender_id)
    own = select(opt_outs.c.number, literal(0).label("place"), opt_outs.c.since_us, opt_outs.c.event_id)
    others = select(
        sender_opt_outs.c.number, place.label("place"), sender_opt_outs.c.since_us, sender_opt_outs.c.event_id
    )
    binds = or_(sender_opt_outs.c.sender_id == ALL_SENDERS, sender_opt_outs.c.sender_id.in_(senders_of(program_id)))
    own = own.where(opt_outs.c.program_id == program_id).order_by(opt_outs.c.number)
    others = others.where(binds).order_by(sender_opt_outs.c.number, place)
    if number is not None:
        own = own.where(opt_outs.c.number == number.e164)
        others = others.where(sender_opt_outs.c.number == number.e164)
    if after is not None:
        last_number, _, last_place = after.partition(".")
        own = own.where(opt_outs.c.number > last_number)
        last = tuple_(literal(last_number), literal(int(last_place)))
        others = others.where(tuple_(sender_opt_outs.c.number, place) > last)
    return union_all(*(select(rows.limit(limit).subquery()) for rows in (own, others)))


def _row(event: ConsentEvent) -> Mapping[str, Any]:
    return {
        "number": event.number.e164,
        "program_id": event.program_id,
        "sender_id": event.sender_id,
        "consent": event.consent.value,
        "method": event.method.value,
        "at_us": event.at_us,
        "wording": event.wording,
        "actor": event.actor,
        "reference": event.reference,
    }


def _as_event(row: AnyRow) -> ConsentEvent:
    return ConsentEvent(
        id=row.id,
        number=PhoneNumber(row.number),
        program_id=row.program_id,
        sender_id=row.sender_id,
        consent=Consent(row.consent),
        method=Method(row.method),
        at_us=row.at_us,
        wording=row.wording,
        actor=row.actor,
        reference=row.reference,
    )


def _as_opt_out(row: AnyRow) -> OptOut:
    return OptOut(
        number=PhoneNumber(row.number),
        scope={0: Scope.PROGRAM, 1: Scope.GLOBAL}.get(row.place, Scope.SENDER),
        since_us=row.since_us,
        method=None if row.method is None else Method(row.method),
        wording=row.wording,
        actor=row.actor,
        reference=row.reference,
    )

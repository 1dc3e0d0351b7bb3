"""What programs are to be told, stored in the transaction of what it tells of.

Where no program has an endpoint, each of these costs one look into a table that is empty.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import func, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database
from adapters.sql.rows import DELIVERY_COLUMNS, as_delivery
from adapters.sql.tables import (
    deliveries,
    program_senders,
    programs,
    senders,
    webhook_calls,
    webhook_events,
    webhooks,
)
from domain.model.consent import ConsentEvent
from domain.model.inbound_message import InboundMessage
from domain.model.message_id import new_message_id
from domain.model.sender import SenderAddress
from domain.model.webhook import TOLD_STATES, Event, EventType, of_consent, of_delivery, of_inbound

T = TypeVar("T")

_AT_ONCE = 1_000
_TOLD_STATES = frozenset(state.value for state in TOLD_STATES)

_NEW = (
    webhook_events.c.id,
    webhook_events.c.uid,
    webhook_events.c.program_id,
    webhook_events.c.subject,
    webhook_events.c.key,
)
_called = webhooks.c.disabled.is_(None)
_ANYBODY = select(webhooks.c.id).where(_called).limit(1)
_LISTENING = select(webhooks.c.program_id).where(_called)
_DELIVERIES = (
    select(*DELIVERY_COLUMNS, deliveries.c.message_id, deliveries.c.program_id, senders.c.address)
    .join(senders, deliveries.c.sender_id == senders.c.id)
    .where(deliveries.c.program_id.in_(_LISTENING))
    .order_by(deliveries.c.id)
)


class _Endpoint(NamedTuple):
    """`types` are those that it wants; None: any."""

    id: UUID
    program_id: str
    types: frozenset[str] | None

    def wants(self, kind: EventType) -> bool:
        return self.types is None or kind.value in self.types


async def _somebody_listens(connection: AsyncConnection) -> bool:
    return (await connection.execute(_ANYBODY)).first() is not None


async def tell_of_deliveries(database: Database, connection: AsyncConnection, delivery_ids: Sequence[int]) -> None:
    """How they stand now, of those that have come to rest. What was told already, is not told again."""
    if not delivery_ids or not await _somebody_listens(connection):
        return
    for some in _portions(sorted(delivery_ids)):
        events = []
        for row in await connection.execute(_DELIVERIES.where(deliveries.c.id.in_(some))):
            if row.state in _TOLD_STATES:
                event = of_delivery(as_delivery(row), row.message_id, SenderAddress(row.address))
                events += [] if event is None else [(row.program_id, event)]
        await tell(database, connection, events)


async def tell_of_inbound(
    database: Database, connection: AsyncConnection, program_id: str, message: InboundMessage
) -> None:
    if await _somebody_listens(connection):
        await tell(database, connection, [(program_id, of_inbound(message))])


async def tell_of_consent(
    database: Database, connection: AsyncConnection, said: Sequence[tuple[ConsentEvent, int]]
) -> None:
    """Each with its id; to every program whose texts it is about."""
    if not said or not await _somebody_listens(connection):
        return
    told = [
        (program_id, of_consent(event, event_id))
        for event, event_id in said
        for program_id in await _concerned(connection, event)
    ]
    for some in _portions(told):
        await tell(database, connection, some)


async def tell(
    database: Database,
    connection: AsyncConnection,
    events: Sequence[tuple[str, Event]],
    *,
    webhook_id: UUID | None = None,
) -> Sequence[UUID]:
    """Stores events with their programs for those endpoints that want them, or for one whatever it wants; the ids of
    those that are new.
    """
    endpoints = await _endpoints(connection, {program_id for program_id, _ in events}, webhook_id)
    wanted = [
        (program_id, event, listeners)
        for program_id, event in events
        if (listeners := [each.id for each in endpoints if each.program_id == program_id and each.wants(event.type)])
    ]
    if not wanted:
        return []
    dialect = sqlite if database.is_sqlite else postgresql
    added = dialect.insert(webhook_events).on_conflict_do_nothing().returning(*_NEW)
    rows = await connection.execute(added, [_row(program_id, event) for program_id, event, _ in wanted])
    new = {(row.program_id, row.subject, row.key): row for row in rows}
    failed = await _failed(connection, [each.id for each in endpoints], {event.subject for _, event, _ in wanted})
    calls = [
        {
            "webhook_id": listener,
            "event_id": new[name].id,
            "subject": event.subject,
            "due_us": max(event.at_us, failed.get((listener, event.subject), 0)),
        }
        for program_id, event, listeners in wanted
        if (name := (program_id, event.subject, event.key)) in new
        for listener in listeners
    ]
    if calls:
        await connection.execute(insert(webhook_calls), calls)
    return [row.uid for row in new.values()]


async def _endpoints(
    connection: AsyncConnection, program_ids: set[str], webhook_id: UUID | None
) -> Sequence[_Endpoint]:
    which = _called if webhook_id is None else webhooks.c.id == webhook_id
    theirs = select(webhooks.c.id, webhooks.c.program_id, webhooks.c.events).where(
        webhooks.c.program_id.in_(program_ids), which
    )
    rows = await connection.execute(theirs.order_by(webhooks.c.id))
    return [_Endpoint(row.id, row.program_id, None if webhook_id else frozenset(row.events.split(","))) for row in rows]


async def _failed(
    connection: AsyncConnection, webhook_ids: Sequence[UUID], subjects: set[str]
) -> Mapping[tuple[UUID, str], int]:
    """When calls are made again that failed: what comes after them waits with them, and is not looked at till then."""
    failed = (
        select(webhook_calls.c.webhook_id, webhook_calls.c.subject, func.max(webhook_calls.c.due_us).label("due_us"))
        .where(
            webhook_calls.c.webhook_id.in_(webhook_ids),
            webhook_calls.c.subject.in_(subjects),
            webhook_calls.c.due_us.is_not(None),
            webhook_calls.c.failures > 0,
        )
        .group_by(webhook_calls.c.webhook_id, webhook_calls.c.subject)
    )
    return {(row.webhook_id, row.subject): row.due_us for row in await connection.execute(failed)}


async def _concerned(connection: AsyncConnection, event: ConsentEvent) -> Sequence[str]:
    if event.program_id is not None:
        return [event.program_id]
    theirs = select(programs.c.id).where(programs.c.id.in_(_LISTENING))
    if event.sender_id is not None:
        others = select(program_senders.c.program_id).where(program_senders.c.sender_id == event.sender_id)
        theirs = theirs.where(or_(programs.c.sender_id == event.sender_id, programs.c.id.in_(others)))
    return (await connection.execute(theirs.order_by(programs.c.id))).scalars().all()


def _row(program_id: str, event: Event) -> dict[str, Any]:
    return {
        "uid": new_message_id(event.at_us),
        "program_id": program_id,
        "type": event.type.value,
        "at_us": event.at_us,
        "subject": event.subject,
        "key": event.key,
        "data": json.dumps(event.data, ensure_ascii=False),
    }


def _portions(many: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(many), _AT_ONCE):
        yield many[start : start + _AT_ONCE]

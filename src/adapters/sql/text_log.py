from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, carried_through
from adapters.sql.endings import Ended, by_provider, untold
from adapters.sql.outbox import tell_of_deliveries
from adapters.sql.rows import DELIVERY_COLUMNS, MESSAGE_COLUMNS, AnyRow, as_delivery, as_message
from adapters.sql.tables import budget_uses, deliveries, senders, text_messages, waiting
from domain.model.delivery import DeliveryState, overall_state
from domain.model.message_id import first_message_id
from domain.model.phone_number import PhoneNumber
from domain.model.sender import SenderAddress
from domain.model.text_message import NUMBERS_SHOWN, TextSummary
from domain.ports.text_log import EVERY_TEXT, LoggedDelivery, Page, TextFilter, TextLog

# How far a page looks for messages in a certain state: so many messages, or numbers that they go to.
_MOST_SCANNED = 2_000
_MOST_RECIPIENTS_SCANNED = 200_000
_SCANNED_AT_ONCE = 200

_MESSAGES = select(*MESSAGE_COLUMNS).join(senders, text_messages.c.sender_id == senders.c.id)


class SqlTextLog(TextLog):
    def __init__(self, database: Database, ended: Ended = untold) -> None:
        self._database = database
        self._ended = ended

    @carried_through
    async def cancel(self, program_id: str, message_id: UUID, *, now_us: int) -> int | None:
        own = text_messages.c.id == message_id, text_messages.c.program_id == program_id
        # In the order in which claims take them, so that the two do not wait for each other in a circle.
        in_line = select(deliveries.c.id).where(deliveries.c.message_id == message_id, waiting)
        async with self._database.writing() as connection:
            marked = await connection.execute(
                update(text_messages).where(*own).values(canceled_us=func.coalesce(text_messages.c.canceled_us, now_us))
            )
            if not marked.rowcount:
                return None
            found = await connection.execute(
                update(deliveries)
                .where(deliveries.c.id.in_(in_line.order_by(deliveries.c.id).with_for_update()), waiting)
                .values(state=DeliveryState.CANCELED.value, reason=None, due_us=None, updated_us=now_us)
                .returning(deliveries.c.id, deliveries.c.sender_id, deliveries.c.segments)
            )
            ended = found.all()
            counts = await by_provider(connection, [row.sender_id for row in ended])
            await give_back(connection, message_id, sum(row.segments for row in ended))
            await tell_of_deliveries(self._database, connection, [row.id for row in ended])
        for provider, count in counts.items():
            self._ended(provider, DeliveryState.CANCELED, None, count)
        return sum(counts.values())

    async def find(self, program_id: str, message_id: UUID) -> TextSummary | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(_own_message(program_id, message_id))).first()
            if row is None:
                return None
            counts = await _counts(connection, [row.id])
            return (await _summaries(connection, [row], counts))[0]

    async def page(
        self, program_id: str, *, wanted: TextFilter = EVERY_TEXT, before: UUID | None, limit: int
    ) -> Page[TextSummary, UUID]:
        newest_first = _wanted(program_id, wanted).order_by(text_messages.c.id.desc())
        at_once = limit if wanted.state is None else max(limit, _SCANNED_AT_ONCE)
        found: list[AnyRow] = []
        counts: dict[UUID, Mapping[DeliveryState, int]] = {}
        scanned, recipients, end = 0, 0, before
        async with self._database.reading() as connection:
            while True:
                following = newest_first if end is None else newest_first.where(text_messages.c.id < end)
                rows = (await connection.execute(following.limit(at_once + 1))).all()
                more, rows = len(rows) > at_once, rows[:at_once]
                counts |= await _counts(connection, [row.id for row in rows])
                for row in rows:
                    if wanted.state in {None, overall_state(counts[row.id])}:
                        found.append(row)
                    if len(found) == limit:
                        more = more or row is not rows[-1]
                        return Page(await _summaries(connection, found, counts), row.id if more else None)
                scanned += len(rows)
                recipients += sum(row.recipients for row in rows)
                end = rows[-1].id if more else None
                if end is None or scanned >= _MOST_SCANNED or recipients >= _MOST_RECIPIENTS_SCANNED:
                    return Page(await _summaries(connection, found, counts), end)

    async def deliveries(
        self, program_id: str, message_id: UUID, *, state: DeliveryState | None = None, after: int, limit: int
    ) -> Page[LoggedDelivery, int] | None:
        theirs = (
            select(*DELIVERY_COLUMNS, senders.c.address)
            .join(senders, deliveries.c.sender_id == senders.c.id)
            .where(deliveries.c.message_id == message_id, deliveries.c.position > after)
        )
        if state is not None:
            theirs = theirs.where(deliveries.c.state == state.value)
        async with self._database.reading() as connection:
            if (await connection.execute(_own_message(program_id, message_id))).first() is None:
                return None
            rows = (await connection.execute(theirs.order_by(deliveries.c.position).limit(limit + 1))).all()
        page = [LoggedDelivery(delivery=as_delivery(row), sender=SenderAddress(row.address)) for row in rows[:limit]]
        return Page(page, page[-1].delivery.position if len(rows) > limit else None)


async def give_back(connection: AsyncConnection, message_id: UUID, segments: int) -> None:
    """To the budgets that the message was counted against, which an answer to a keyword was not."""
    charged = (
        select(budget_uses.c.program_id, budget_uses.c.period)
        .join(text_messages, text_messages.c.program_id == budget_uses.c.program_id)
        .where(
            text_messages.c.id == message_id,
            ~text_messages.c.is_reply,
            budget_uses.c.since_us <= text_messages.c.created_us,
            budget_uses.c.until_us > text_messages.c.created_us,
        )
        .order_by(budget_uses.c.period)
        .with_for_update(of=budget_uses)
    )
    names = [tuple(row) for row in await connection.execute(charged)] if segments else []
    if names:
        left = budget_uses.c.used - segments
        its = tuple_(budget_uses.c.program_id, budget_uses.c.period).in_(names)
        await connection.execute(update(budget_uses).where(its).values(used=case((left > 0, left), else_=0)))


def _own_message(program_id: str, message_id: UUID) -> Select[*tuple[Any, ...]]:
    return _MESSAGES.where(text_messages.c.id == message_id, text_messages.c.program_id == program_id)


def _wanted(program_id: str, wanted: TextFilter) -> Select[*tuple[Any, ...]]:
    messages = _MESSAGES.where(text_messages.c.program_id == program_id)
    if wanted.number is not None:
        to_number = select(deliveries.c.message_id).where(deliveries.c.number == wanted.number.e164)
        messages = messages.where(text_messages.c.id.in_(to_number))
    # Ids carry the time of acceptance.
    if wanted.from_us is not None:
        messages = messages.where(text_messages.c.id >= first_message_id(wanted.from_us))
    if wanted.before_us is not None:
        messages = messages.where(text_messages.c.id < first_message_id(wanted.before_us))
    return messages


async def _summaries(
    connection: AsyncConnection, rows: Sequence[AnyRow], counts: Mapping[UUID, Mapping[DeliveryState, int]]
) -> list[TextSummary]:
    shown = await _first_deliveries(connection, [row.id for row in rows])
    return [
        TextSummary(
            message=as_message(row),
            numbers=[number for number, _ in shown[row.id]],
            counts=counts[row.id],
            reason=next((reason for _, reason in shown[row.id]), None) if row.recipients == 1 else None,
        )
        for row in rows
    ]


async def _counts(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, Mapping[DeliveryState, int]]:
    columns = deliveries.c.message_id, deliveries.c.state
    rows = await connection.execute(
        select(*columns, func.count().label("count")).where(deliveries.c.message_id.in_(ids)).group_by(*columns)
    )
    counts: dict[UUID, dict[DeliveryState, int]] = defaultdict(dict)
    for message_id, state, count in rows:
        counts[message_id][DeliveryState(state)] = count
    return dict(counts)


async def first_numbers(connection: AsyncConnection, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[PhoneNumber]]:
    """Those that a summary shows."""
    shown = await _first_deliveries(connection, ids)
    return {message_id: [number for number, _ in shown[message_id]] for message_id in ids}


async def _first_deliveries(
    connection: AsyncConnection, ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[tuple[PhoneNumber, str | None]]]:
    """The numbers that a summary shows, each with its reason."""
    rows = await connection.execute(
        select(deliveries.c.message_id, deliveries.c.number, deliveries.c.reason)
        .where(deliveries.c.message_id.in_(ids), deliveries.c.position <= NUMBERS_SHOWN)
        .order_by(deliveries.c.message_id, deliveries.c.position)
    )
    shown: dict[UUID, list[tuple[PhoneNumber, str | None]]] = defaultdict(list)
    for message_id, number, reason in rows:
        shown[message_id].append((PhoneNumber(number), reason))
    return shown

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Select, and_, delete, func, not_, or_, select, text, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.audit import audit
from adapters.sql.database import Database, carried_through
from adapters.sql.endings import Ended, by_provider, untold
from adapters.sql.number_search import CALLBACKS, WEBHOOK_EVENTS, JsonTable, found_in
from adapters.sql.outbox import tell_of_deliveries
from adapters.sql.rows import AnyRow
from adapters.sql.tables import (
    callbacks,
    consent_events,
    deliveries,
    erasures,
    idempotency_keys,
    inbound_messages,
    opt_outs,
    recent_texts,
    sender_opt_outs,
    text_messages,
    waiting,
    webhook_calls,
    webhook_events,
)
from adapters.sql.text_log import give_back
from domain.model.callback import CallbackKind
from domain.model.delivery import DeliveryState
from domain.model.message_id import first_message_id
from domain.model.pace import SECOND_US
from domain.model.phone_number import PhoneNumber
from domain.model.subject import ERASED_TEXT, Erasure, erased_event
from domain.ports.erasures import Erasures

_AT_ONCE = 500

# For how long after the last word of it a provider may say more of a text: Vonage tries for three days.
_MORE_MAY_COME_US = 3 * 24 * 3_600 * SECOND_US
# What was being accepted when the erasure was asked for is stored by then.
_STILL_STORED_US = 60 * SECOND_US

_TERMINAL = [state.value for state in DeliveryState if state.terminal]
# The provider has them, and may say more of them.
_LEFT_OPEN = [DeliveryState.UNKNOWN.value, DeliveryState.SENT.value]

_worked_off = and_(
    callbacks.c.due_us.is_(None),
    or_(callbacks.c.kind != CallbackKind.INBOUND.value, callbacks.c.outcome.is_not(None)),
)

# The others, each as its own index has it.
_UNREAD = (
    callbacks.c.due_us.is_not(None),
    and_(callbacks.c.kind == text("'inbound'"), callbacks.c.part_of.is_(None), callbacks.c.outcome.is_(None)),
    and_(callbacks.c.part_of.is_not(None), callbacks.c.outcome.is_(None)),
)

# Within a transaction that holds the erasure: what was done, by what it is; nothing where there is nothing more to do.
_Step: TypeAlias = Callable[[AsyncConnection, AnyRow, int], Awaitable[Mapping[str, int]]]


class SqlErasures(Erasures):
    def __init__(self, database: Database, ended: Ended = untold) -> None:
        self._database = database
        self._ended = ended

    @carried_through
    async def ask(self, number: PhoneNumber, *, keep_opt_outs: bool, now_us: int) -> None:
        its = erasures.c.number == number.e164
        row = {"number": number.e164, "until_us": now_us, "keep_opt_outs": keep_opt_outs}
        async with self._database.writing() as connection:
            await self._database.insert_unless_there(connection, erasures, row)
            later = update(erasures).where(its, erasures.c.until_us < now_us).values(until_us=now_us)
            await connection.execute(later)
            if not keep_opt_outs:
                await connection.execute(update(erasures).where(its).values(keep_opt_outs=False))
            await audit(connection, "subject.erasing", "a phone number", after={"KeepOptOuts": keep_opt_outs})

    async def asked_for(self) -> Sequence[PhoneNumber]:
        async with self._database.reading() as connection:
            found = (await connection.execute(select(erasures.c.number).order_by(erasures.c.until_us))).scalars()
            return [PhoneNumber(number) for number in found]

    async def carry_out(self, number: PhoneNumber, *, now_us: int, everywhere: bool) -> Erasure | None:
        steps: Sequence[_Step] = (self._cancel, self._forget_texts, self._forget_inbound, self._forget_consent)
        for step in steps:
            while await self._done(step, number, now_us):
                pass
        # Counted before: what comes to its end meanwhile is looked through the next time.
        remaining = await self._remaining(number, now_us)
        if remaining is None:
            return None
        if everywhere or not remaining:
            await self._look_through(WEBHOOK_EVENTS, self._forget_events, number, now_us)
            await self._look_through(CALLBACKS, self._forget_callbacks, number, now_us)
        return await self._finish(number, remaining, now_us)

    @carried_through
    async def _done(self, step: _Step, number: PhoneNumber, now_us: int) -> bool:
        async with self._database.writing() as connection:
            asked = (await connection.execute(_asked_for(number).with_for_update())).first()
            counts = {} if asked is None else await step(connection, asked, now_us)
            if asked is not None and any(counts.values()):
                erased: dict[str, int] = orjson.loads(asked.erased)
                for what, count in counts.items():
                    erased[what] = erased.get(what, 0) + count
                told = update(erasures).where(erasures.c.number == number.e164)
                await connection.execute(told.values(erased=orjson.dumps(erased).decode()))
        return any(counts.values())

    async def _cancel(self, connection: AsyncConnection, asked: AnyRow, now_us: int) -> Mapping[str, int]:
        """As `TextLog.cancel` does, but for the others that the messages go to."""
        theirs = _accepted(asked), waiting
        in_line = select(deliveries.c.id).where(*theirs).order_by(deliveries.c.id).limit(_AT_ONCE)
        canceled = await connection.execute(
            update(deliveries)
            .where(deliveries.c.id.in_(in_line.with_for_update()), waiting)
            .values(state=DeliveryState.CANCELED.value, reason=None, due_us=None, updated_us=now_us)
            .returning(deliveries.c.id, deliveries.c.message_id, deliveries.c.sender_id, deliveries.c.segments)
        )
        rows = canceled.all()
        for row in sorted(rows, key=lambda each: each.message_id):
            await give_back(connection, row.message_id, row.segments)
        await tell_of_deliveries(self._database, connection, [row.id for row in rows])
        for provider, count in (await by_provider(connection, [row.sender_id for row in rows])).items():
            self._ended(provider, DeliveryState.CANCELED, None, count)
        return {"Canceled": len(rows)}

    async def _forget_texts(self, connection: AsyncConnection, asked: AnyRow, now_us: int) -> Mapping[str, int]:
        through = _accepted(asked), _through(now_us)
        found = select(deliveries.c.message_id).where(*through).order_by(deliveries.c.message_id).limit(_AT_ONCE)
        ids = set((await connection.execute(found)).scalars())
        # Messages first, as retention does, so that the two do not wait for each other in a circle.
        messages = select(text_messages.c.id, text_messages.c.program_id, text_messages.c.recipients)
        locked = messages.where(text_messages.c.id.in_(ids)).order_by(text_messages.c.id)
        rows = (await connection.execute(locked.with_for_update(key_share=True))).all()
        its_own = [row.id for row in rows if row.recipients == 1]
        if not rows:
            return {}
        # What is kept of it: its state, its segments and its country, which are counted.
        nobody = {"number": PhoneNumber(asked.number).erased.e164, "provider_reference": None, "due_us": None}
        gone = update(deliveries).where(deliveries.c.message_id.in_(ids), *through).values(nobody)
        count = (await connection.execute(gone)).rowcount
        bodies = update(text_messages).where(text_messages.c.id.in_(its_own), text_messages.c.body != ERASED_TEXT)
        emptied = (await connection.execute(bodies.values(body=ERASED_TEXT))).rowcount
        # A message to others is not to be sent to them again, should its request be repeated.
        answers = delete(idempotency_keys).where(idempotency_keys.c.message_id.in_(its_own))
        keys = (await connection.execute(answers)).rowcount
        recent = delete(recent_texts).where(
            recent_texts.c.program_id.in_({row.program_id for row in rows}),
            recent_texts.c.number == asked.number,
            recent_texts.c.since_us <= asked.until_us,
        )
        await connection.execute(recent)
        return {"Texts": count, "Bodies": emptied, "IdempotencyKeys": keys}

    async def _forget_inbound(self, connection: AsyncConnection, asked: AnyRow, _now_us: int) -> Mapping[str, int]:
        theirs = select(inbound_messages.c.id).where(_received(asked), inbound_messages.c.reply_due_us.is_(None))
        some = delete(inbound_messages).where(inbound_messages.c.id.in_(theirs.limit(_AT_ONCE)))
        return {"InboundMessages": (await connection.execute(some)).rowcount}

    async def _forget_consent(self, connection: AsyncConnection, asked: AnyRow, _now_us: int) -> Mapping[str, int]:
        """The proof of an opt-out stays with it."""
        lifted = 0
        tables = (opt_outs, sender_opt_outs)
        if not asked.keep_opt_outs:
            for table in tables:
                its = table.c.number == asked.number, table.c.since_us <= asked.until_us
                lifted += (await connection.execute(delete(table).where(*its))).rowcount
        proofs = union_all(
            *(
                select(table.c.event_id).where(table.c.number == asked.number, table.c.event_id.is_not(None))
                for table in tables
            )
        )
        said = delete(consent_events).where(
            consent_events.c.number == asked.number,
            consent_events.c.at_us <= asked.until_us,
            consent_events.c.id.not_in(select(proofs.subquery().c.event_id)),
        )
        return {"OptOuts": lifted, "ConsentEvents": (await connection.execute(said)).rowcount}

    async def _remaining(self, number: PhoneNumber, now_us: int) -> int | None:
        """None where the number is forgotten already."""
        async with self._database.reading() as connection:
            asked = (await connection.execute(_asked_for(number))).first()
            if asked is None:
                return None
            left = select(func.count()).select_from(deliveries).where(_accepted(asked), not_(_through(now_us)))
            unanswered = select(func.count()).select_from(inbound_messages).where(_received(asked))
            has_it = callbacks.c.received_us <= asked.until_us, callbacks.c.fields.contains(number.e164[1:])
            unread = [select(func.count()).select_from(callbacks).where(which, *has_it) for which in _UNREAD]
            counts = [(await connection.execute(each)).scalar_one() for each in (left, unanswered, *unread)]
        return sum(counts)

    async def _look_through(
        self, table: JsonTable, step: Callable[[Sequence[AnyRow]], _Step], number: PhoneNumber, now_us: int
    ) -> None:
        place: int | None = 0
        while place is not None:
            async with self._database.reading() as connection:
                rows, place = await found_in(connection, table, number, after=place, limit=_AT_ONCE)
            if rows:
                await self._done(step(rows), number, now_us)

    def _forget_events(self, rows: Sequence[AnyRow]) -> _Step:
        async def step(connection: AsyncConnection, asked: AnyRow, _now_us: int) -> Mapping[str, int]:
            nobody = PhoneNumber(asked.number).erased.e164
            count = 0
            for row in rows:
                data = orjson.loads(row.data)
                if data.get("PhoneNumber") != asked.number or not _is_before(row.at_us, data, asked.until_us):
                    continue
                subject = f"number {nobody}" if row.subject == f"number {asked.number}" else row.subject
                told = orjson.dumps(erased_event(data, nobody)).decode()
                its = update(webhook_events).where(webhook_events.c.id == row.id)
                count += (await connection.execute(its.values(data=told, subject=subject))).rowcount
                calls = update(webhook_calls).where(webhook_calls.c.event_id == row.id)
                await connection.execute(calls.values(subject=subject))
            return {"WebhookEvents": count}

        return step

    def _forget_callbacks(self, rows: Sequence[AnyRow]) -> _Step:
        async def step(connection: AsyncConnection, _asked: AnyRow, _now_us: int) -> Mapping[str, int]:
            # The rows stay without what they said: the same call is not to be taken for a new one.
            its = update(callbacks).where(callbacks.c.id.in_([row.id for row in rows]), _worked_off)
            return {"Callbacks": (await connection.execute(its.values(fields="{}", part_of=None))).rowcount}

        return step

    @carried_through
    async def _finish(self, number: PhoneNumber, remaining: int, now_us: int) -> Erasure | None:
        async with self._database.writing() as connection:
            asked = (await connection.execute(_asked_for(number).with_for_update())).first()
            if asked is None:
                return None
            erased: Mapping[str, int] = orjson.loads(asked.erased)
            if not remaining and now_us >= asked.until_us + _STILL_STORED_US:
                await connection.execute(delete(erasures).where(erasures.c.number == number.e164))
                await audit(connection, "subject.erased", "a phone number", after=erased)
        return Erasure(erased=erased, remaining=remaining)


def _asked_for(number: PhoneNumber) -> Select[*tuple[Any, ...]]:
    return select(erasures).where(erasures.c.number == number.e164)


def _accepted(asked: AnyRow) -> ColumnElement[bool]:
    """Ids carry the time of acceptance."""
    return and_(deliveries.c.number == asked.number, deliveries.c.message_id < first_message_id(asked.until_us + 1))


def _received(asked: AnyRow) -> ColumnElement[bool]:
    return and_(inbound_messages.c.number == asked.number, inbound_messages.c.received_us <= asked.until_us)


def _through(now_us: int) -> ColumnElement[bool]:
    long_ago = deliveries.c.updated_us < now_us - _MORE_MAY_COME_US
    return or_(deliveries.c.state.in_(_TERMINAL), and_(deliveries.c.state.in_(_LEFT_OPEN), long_ago))


def _is_before(at_us: int, data: Mapping[str, Any], until_us: int) -> bool:
    """Of a text that was accepted before, receipts are told of later."""
    message_id = data.get("MessageId")
    return at_us <= until_us or (message_id is not None and UUID(message_id) < first_message_id(until_us + 1))

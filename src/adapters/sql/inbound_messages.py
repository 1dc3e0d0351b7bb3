from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import insert, literal, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.callbacks import as_callback
from adapters.sql.database import Database, carried_through
from adapters.sql.opt_outs import ALL_SENDERS, block, is_recorded, record, senders_of
from adapters.sql.outbox import tell_of_inbound
from adapters.sql.rows import as_opt_out_replies
from adapters.sql.tables import (
    callbacks,
    deliveries,
    inbound_messages,
    not_deleted,
    opt_outs,
    program_senders,
    programs,
    provider_accounts,
    sender_opt_outs,
    senders,
)
from domain.errors import InvalidValue
from domain.model.callback import Callback, CallbackKind
from domain.model.consent import Consent, ConsentEvent, Method, Scope
from domain.model.delivery import DeliveryState
from domain.model.inbound_message import InboundMessage, InboundOutcome, InboundText
from domain.model.keyword import Keyword
from domain.model.keyword_reply import HELP_AGAIN_AFTER_US
from domain.model.message_id import new_message_id
from domain.model.phone_number import PhoneNumber
from domain.model.sender import OptOutReplies
from domain.ports.inbound_messages import DueReply, InboundMessages, TakenIn
from domain.ports.text_log import Page

_WAITING = (
    select(callbacks)
    .where(callbacks.c.kind == CallbackKind.INBOUND.value, callbacks.c.part_of.is_(None), callbacks.c.outcome.is_(None))
    .order_by(callbacks.c.id)
)

_REPLIED_AGAIN_AFTER_US = 30_000_000


@dataclass(frozen=True, slots=True)
class _Conversation:
    """`program_id` None: nobody knows whose it is. `answers` is the last message to the number; `hub_replies`: keywords
    that are texted to the sender are answered by the hub.
    """

    sender_id: int
    sender: str
    hub_replies: bool
    program_id: str | None = None
    answers: UUID | None = None


class SqlInboundMessages(InboundMessages):
    def __init__(self, database: Database) -> None:
        self._database = database

    @carried_through
    async def take_in(
        self, read: Callable[[Callback], InboundText | None], *, scope: Scope, now: Callable[[], int], limit: int
    ) -> Sequence[TakenIn]:
        async with self._database.reading() as connection:
            # Asked for all the time, and mostly in vain: no transaction is begun for that.
            waiting = [as_callback(row) for row in await connection.execute(_WAITING.limit(limit))]
        taken: list[TakenIn] = []
        # What one person texts is taken in order: START is not to overtake STOP.
        held_up: set[str] = set()
        for each in waiting:
            text = read(each)
            who = f"{each.account_id} {'' if text is None else text.number}"
            if who in held_up:
                continue
            # Each by itself: what keeps one waiting must keep no other.
            async with self._database.writing() as connection:
                one = _WAITING.where(callbacks.c.id == each.id).with_for_update(skip_locked=True)
                is_ours = (await connection.execute(one)).first() is not None
                done = await self._take(connection, each, text, scope, now) if is_ours else None
            if done is None:
                held_up.add(who)
            else:
                taken.append(done)
        return taken

    async def page(
        self, program_id: str, *, number: str | None = None, before: int | None, limit: int
    ) -> Page[InboundMessage, int]:
        wanted = (
            select(inbound_messages, senders.c.address)
            .join(senders, senders.c.id == inbound_messages.c.sender_id)
            .where(inbound_messages.c.program_id == program_id)
        )
        if number is not None:
            wanted = wanted.where(inbound_messages.c.number == number)
        if before is not None:
            wanted = wanted.where(inbound_messages.c.id < before)
        newest_first = wanted.order_by(inbound_messages.c.id.desc()).limit(limit + 1)
        async with self._database.reading() as connection:
            rows = (await connection.execute(newest_first)).all()
        items = [
            InboundMessage(
                id=row.id,
                program_id=row.program_id,
                sender=row.address,
                number=row.number,
                text=row.body,
                received_us=row.received_us,
                keyword=None if row.keyword is None else Keyword(row.keyword),
                answers=None if row.answers_id is None else str(row.answers_id),
                reply=None if row.reply_id is None or row.reply_due_us is not None else str(row.reply_id),
            )
            for row in rows[:limit]
        ]
        return Page(items, items[-1].id if len(rows) > limit else None)

    @carried_through
    async def due_replies(self, *, now_us: int, limit: int) -> Sequence[DueReply]:
        due = (
            select(inbound_messages.c.id)
            .where(inbound_messages.c.reply_due_us <= now_us)
            .order_by(inbound_messages.c.reply_due_us)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            # Asked for all the time, and mostly in vain: no transaction is begun for that.
            if (await connection.execute(due.limit(1))).first() is None:
                return []
        given_out = (
            update(inbound_messages)
            .where(inbound_messages.c.id.in_(due.with_for_update(skip_locked=True)))
            .values(reply_due_us=now_us + _REPLIED_AGAIN_AFTER_US)
            .returning(inbound_messages)
        )
        async with self._database.writing() as connection:
            rows = (await connection.execute(given_out)).all()
        return [
            DueReply(
                inbound_id=row.id,
                reply_id=row.reply_id,
                program_id=row.program_id,
                sender_id=row.sender_id,
                number=PhoneNumber(row.number),
                keyword=Keyword(row.keyword),
                received_us=row.received_us,
            )
            for row in rows
        ]

    @carried_through
    async def replied(self, inbound_id: int, *, sent: bool) -> None:
        done = update(inbound_messages).where(inbound_messages.c.id == inbound_id).values(reply_due_us=None)
        async with self._database.writing() as connection:
            await connection.execute(done if sent else done.values(reply_id=None))

    async def _take(
        self,
        connection: AsyncConnection,
        callback: Callback,
        text: InboundText | None,
        scope: Scope,
        now: Callable[[], int],
    ) -> TakenIn | None:
        """None where it is to wait."""
        if text is None:
            return await _done(connection, TakenIn(callback=callback, outcome=InboundOutcome.UNREADABLE))
        text = replace(text, text=_storable(text.text), number=_storable(text.number))
        conversation = await _conversation(connection, callback.account_id, text)
        keyword, number = Keyword.of(text.text), _number(text.number)
        events: Sequence[ConsentEvent] = ()
        is_new = True
        if number is None or conversation is None:
            keyword = None
        elif keyword is Keyword.OPT_OUT:
            event = _opt_out(conversation, number, text, scope, now())
            if not await self._nothing_is_on_its_way(connection, event):
                return None
            is_new = not await is_recorded(connection, event)
            # Not before: whatever was sent until now has a time before this one.
            events = [replace(event, at_us=now())]
        elif keyword is Keyword.OPT_IN:
            events = await _opt_ins(connection, conversation, number, text, now())
            keyword = keyword if events else None
        await record(self._database, connection, events)
        if conversation is None or conversation.program_id is None:
            return await _done(connection, TakenIn(callback=callback, outcome=InboundOutcome.NOBODYS, keyword=keyword))
        if keyword is Keyword.HELP:
            is_new = not await _was_helped(connection, conversation.program_id, text.number, callback.received_us)
        is_answered = keyword is not None and is_new and conversation.hub_replies and not text.answered
        stored = await connection.execute(
            insert(inbound_messages)
            .values(
                program_id=conversation.program_id,
                sender_id=conversation.sender_id,
                number=text.number,
                body=text.text,
                received_us=callback.received_us,
                keyword=None if keyword is None else keyword.value,
                answers_id=conversation.answers,
                callback_id=callback.id,
                reply_due_us=now() if is_answered else None,
                reply_id=new_message_id(now()) if is_answered else None,
            )
            .returning(inbound_messages.c.id)
        )
        inbound_id = stored.scalar_one()
        await tell_of_inbound(
            self._database,
            connection,
            conversation.program_id,
            InboundMessage(
                id=inbound_id,
                program_id=conversation.program_id,
                sender=conversation.sender,
                number=text.number,
                text=text.text,
                received_us=callback.received_us,
                keyword=keyword,
                answers=None if conversation.answers is None else str(conversation.answers),
            ),
        )
        taken = TakenIn(
            callback=callback,
            outcome=InboundOutcome.KEPT,
            message_id=inbound_id,
            program_id=conversation.program_id,
            keyword=keyword,
        )
        return await _done(connection, taken)

    async def _nothing_is_on_its_way(self, connection: AsyncConnection, event: ConsentEvent) -> bool:
        """Whether no text that the opt-out is about is being sent; from now on none is claimed either way.

        Who claims holds the sender's row: with those held here that may text the number, each claim is seen, or
        sees the opt-out.
        """
        lines = select(senders.c.id)
        if event.program_id is not None:
            lines = lines.where(senders.c.id.in_(senders_of(event.program_id)))
        elif event.sender_id is not None:
            lines = lines.where(senders.c.id == event.sender_id)
        await connection.execute(lines.order_by(senders.c.id).with_for_update(key_share=True))
        being_sent = select(deliveries.c.id).where(
            deliveries.c.number == event.number.e164, deliveries.c.state == DeliveryState.SENDING.value
        )
        if event.program_id is not None:
            being_sent = being_sent.where(deliveries.c.program_id == event.program_id)
        elif event.sender_id is not None:
            being_sent = being_sent.where(deliveries.c.sender_id == event.sender_id)
        if (await connection.execute(being_sent.limit(1))).first() is None:
            return True
        await block(self._database, connection, event)
        return False


async def _done(connection: AsyncConnection, taken: TakenIn) -> TakenIn:
    done = update(callbacks).where(callbacks.c.id == taken.callback.id)
    await connection.execute(done.values(outcome=taken.outcome.value))
    return taken


async def _conversation(connection: AsyncConnection, account_id: int, text: InboundText) -> _Conversation | None:
    """None where the hub has no such sender."""
    named = await connection.execute(
        select(senders.c.id, senders.c.address, senders.c.opt_out_replies, provider_accounts.c.provider)
        .join(provider_accounts, senders.c.account_id == provider_accounts.c.id)
        .where(senders.c.account_id == account_id, senders.c.address.in_(text.addresses))
    )
    by_address = {row.address: row for row in named}
    sender = next((by_address[each] for each in text.addresses if each in by_address), None)
    if sender is None:
        return None
    hub_replies = as_opt_out_replies(sender.opt_out_replies, sender.provider) is OptOutReplies.HUB
    last = (
        await connection.execute(
            select(deliveries.c.program_id, deliveries.c.message_id)
            .where(deliveries.c.number == text.number, deliveries.c.sender_id == sender.id)
            .order_by(deliveries.c.message_id.desc(), deliveries.c.id.desc())
            .limit(1)
        )
    ).first()
    if last is not None:
        return _Conversation(sender.id, sender.address, hub_replies, last.program_id, last.message_id)
    own = select(programs.c.id).where(programs.c.sender_id == sender.id, not_deleted)
    others = (
        select(program_senders.c.program_id)
        .join(programs, programs.c.id == program_senders.c.program_id)
        .where(program_senders.c.sender_id == sender.id, not_deleted)
    )
    users = set((await connection.execute(union_all(own, others))).scalars())
    return _Conversation(sender.id, sender.address, hub_replies, users.pop() if len(users) == 1 else None)


async def _was_helped(connection: AsyncConnection, program_id: str, number: str, now_us: int) -> bool:
    """A while ago, by an answer of the hub's."""
    lately = select(inbound_messages.c.id).where(
        inbound_messages.c.number == number,
        inbound_messages.c.program_id == program_id,
        inbound_messages.c.keyword == Keyword.HELP.value,
        inbound_messages.c.reply_id.is_not(None),
        inbound_messages.c.received_us > now_us - HELP_AGAIN_AFTER_US,
    )
    return (await connection.execute(lately.limit(1))).first() is not None


def _storable(written: str) -> str:
    """Without what no database keeps as text: NUL, and halves of characters."""
    return written.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _number(written: str) -> PhoneNumber | None:
    try:
        return PhoneNumber(written)
    except InvalidValue:
        return None


def _event(
    number: PhoneNumber,
    consent: Consent,
    text: InboundText,
    now_us: int,
    *,
    program_id: str | None = None,
    sender_id: int | None = None,
) -> ConsentEvent:
    return ConsentEvent(
        number=number,
        program_id=program_id,
        sender_id=sender_id,
        consent=consent,
        method=Method.TEXT,
        at_us=now_us,
        wording=text.text,
        actor="recipient",
        reference=text.reference,
    )


def _opt_out(
    conversation: _Conversation, number: PhoneNumber, text: InboundText, scope: Scope, now_us: int
) -> ConsentEvent:
    if scope is Scope.GLOBAL:
        return _event(number, Consent.WITHDRAWN, text, now_us)
    if scope is Scope.SENDER or conversation.program_id is None:
        return _event(number, Consent.WITHDRAWN, text, now_us, sender_id=conversation.sender_id)
    return _event(number, Consent.WITHDRAWN, text, now_us, program_id=conversation.program_id)


async def _opt_ins(
    connection: AsyncConnection, conversation: _Conversation, number: PhoneNumber, text: InboundText, now_us: int
) -> Sequence[ConsentEvent]:
    """One for each opt-out that there is to lift."""
    own = select(literal(None).label("sender_id")).where(
        opt_outs.c.program_id == conversation.program_id, opt_outs.c.number == number.e164
    )
    others = select(sender_opt_outs.c.sender_id).where(
        sender_opt_outs.c.sender_id.in_([conversation.sender_id, ALL_SENDERS]),
        sender_opt_outs.c.number == number.e164,
    )
    events = []
    if (await connection.execute(own)).first() is not None:
        events.append(_event(number, Consent.GIVEN, text, now_us, program_id=conversation.program_id))
    for sender_id in (await connection.execute(others.order_by(sender_opt_outs.c.sender_id))).scalars():
        whose = None if sender_id == ALL_SENDERS else sender_id
        events.append(_event(number, Consent.GIVEN, text, now_us, sender_id=whose))
    return events

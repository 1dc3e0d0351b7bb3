"""Storing texts, as far as it is the same on both databases; how a transaction of many is written differs."""

import time
from abc import abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Table, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, DatabaseFault, LockedElsewhere, carried_through
from adapters.sql.group import Group
from adapters.sql.rows import MESSAGE_COLUMNS, AnyRow, as_message
from adapters.sql.tables import budget_uses, idempotency_keys, recent_texts, senders, text_messages
from adapters.sql.text_log import first_numbers
from domain.errors import BudgetExceeded, HubBusy, IdempotencyKeyInUse, IdempotencyKeyReused, StoreUnavailable
from domain.model.budget import BudgetUse
from domain.model.delivery import DUPLICATE, OPTED_OUT, TOO_MANY_TEXTS, Delivery, DeliveryState
from domain.model.idempotency import KEPT_US, IdempotencyKey
from domain.model.phone_number import PhoneNumber
from domain.model.text_message import AcceptedText, NewText, TextMessage, TextSummary
from domain.ports.intake import Intake

# Texts of so many numbers at the most share a transaction, so many at once; a longer one has one of its own, that the
# others need not wait for.
_FEW = 50
_TOGETHER = 250

# So many requests wait to be stored at the most, and so many long ones: what is more is turned away.
_ROOM = 2_000
_ROOM_OF_LONG = 50

_KEYS_AT_ONCE = 5_000

# How long texts that could not be stored together are tried one after the other: less than callers wait.
_SINGLY_S = 2.0

# What one text may have brought upon all that were to be stored with it.
_OF_ONE = (DatabaseFault, LockedElsewhere)


NAME_COLUMNS = (idempotency_keys.c.program_id, idempotency_keys.c.key)
NAME = tuple_(*NAME_COLUMNS)
_EARLIER = (
    select(
        *MESSAGE_COLUMNS,
        idempotency_keys.c.key,
        idempotency_keys.c.fingerprint,
        idempotency_keys.c.first_counts,
        idempotency_keys.c.refusals,
    )
    .select_from(text_messages)
    .join(idempotency_keys, text_messages.c.id == idempotency_keys.c.message_id)
    .join(senders, text_messages.c.sender_id == senders.c.id)
)

_Name: TypeAlias = tuple[str, str]


# Counts of what is blocked have a name of their own, but for those who have opted out.
_NAMED_REASONS = (DUPLICATE, TOO_MANY_TEXTS)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a transaction made of texts: these are stored, for those there was no room in a budget."""

    texts: Sequence[NewText]
    refused: Mapping[UUID, BudgetExceeded] = field(default_factory=dict)
    nearly_used: Sequence[BudgetUse] = ()


def _nothing(_told: object) -> None:
    pass


class SqlIntake(Intake):
    """`committed` is told of each transaction, and how many texts it stored; `nearly_used` of each budget that is."""

    def __init__(
        self,
        database: Database,
        *,
        committed: Callable[[int], None] = _nothing,
        nearly_used: Callable[[BudgetUse], None] = _nothing,
    ) -> None:
        self._database = database
        self._committed = committed
        self._nearly_used = nearly_used
        self._short = Group(self._store, at_once=_TOGETHER, room=_ROOM)
        self._long = Group(self._store, at_once=1, room=_ROOM_OF_LONG)

    async def add(self, text: NewText) -> AcceptedText:
        return await (self._short if len(text.deliveries) <= _FEW else self._long)(text)

    async def drained(self) -> None:
        """Returns when all that was to be added is."""
        await self._short.drained()
        await self._long.drained()

    async def answered(self, program_id: str, key: IdempotencyKey, *, now_us: int) -> AcceptedText | None:
        async with self._database.reading() as connection:
            earlier = await _earlier(connection, [(program_id, key.value)], now_us=now_us)
        if not earlier:
            return None
        answer = earlier[program_id, key.value].answer_to(key)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def forget_keys(self, *, now_us: int) -> int:
        keys = await self._forget(idempotency_keys, idempotency_keys.c.created_us <= now_us - KEPT_US)
        keys += await self._forget(recent_texts, recent_texts.c.until_us <= now_us)
        # A text that was accepted at the very end of a period may be stored a little after it.
        return keys + await self._forget(budget_uses, budget_uses.c.until_us <= now_us - KEPT_US)

    @carried_through
    async def _forget(self, table: Table, old: ColumnElement[bool]) -> int:
        key = tuple(table.primary_key.columns)
        some = select(*key).where(old).limit(_KEYS_AT_ONCE).with_for_update(skip_locked=True)
        async with self._database.writing() as connection:
            # One that is taken anew meanwhile is old no more.
            return (await connection.execute(delete(table).where(tuple_(*key).in_(some), old))).rowcount

    async def _store(self, texts: Sequence[NewText]) -> Sequence[AcceptedText | Exception]:
        """Together, as far as they let it; those that fail by one of them each alone."""
        firsts: dict[_Name | UUID, NewText] = {}
        for text in texts:
            firsts.setdefault(_name(text) or text.message.id, text)
        first = list(firsts.values())
        answers = await self._store_together(first)
        failed = [text for text in first if isinstance(answers.get(text.message.id), _OF_ONE)]
        if len(first) > 1:
            for text in failed:
                del answers[text.message.id]
            answers |= await self._store_singly(failed)
        for text in failed:
            if text.key is not None and isinstance(answers.get(text.message.id), LockedElsewhere):
                answers[text.message.id] = IdempotencyKeyInUse()
        for text in texts:
            # One of the same key, in the same moment, that is not stored either.
            its_first = answers.get(firsts[_name(text) or text.message.id].message.id)
            if isinstance(its_first, BudgetExceeded):
                answers.setdefault(text.message.id, its_first)
        others = [text for text in texts if text.message.id not in answers]
        if others:
            answers |= await self._earlier_answers(others)
        return [answers[text.message.id] for text in texts]

    async def _store_together(
        self, texts: Sequence[NewText], *, patient: bool = True
    ) -> dict[UUID, AcceptedText | Exception]:
        """What became of those that were stored or failed; the others' keys stand for earlier texts.

        Raises `StoreUnavailable` where nothing was stored.
        """
        answers: dict[UUID, AcceptedText | Exception] = {}
        try:
            async for stored in self._insert(texts, patient=patient):
                if stored.texts:
                    self._committed(len(stored.texts))
                for use in stored.nearly_used:
                    self._nearly_used(use)
                answers |= {text.message.id: text.accepted() for text in stored.texts}
                answers |= stored.refused
        except (StoreUnavailable, DatabaseFault) as fault:
            if not answers and not isinstance(fault, _OF_ONE):
                raise
            answers = {text.message.id: fault for text in texts} | answers
        return answers

    async def _store_singly(self, texts: Sequence[NewText]) -> dict[UUID, AcceptedText | Exception]:
        """For so long as others can be asked to wait; after that they are turned away."""
        until = time.monotonic() + _SINGLY_S
        answers: dict[UUID, AcceptedText | Exception] = {}
        # Those without a key wait for nobody's.
        for text in sorted(texts, key=lambda text: text.key is not None):
            if time.monotonic() > until:
                answers[text.message.id] = HubBusy()
                continue
            answers |= await self._store_together([text], patient=False)
        return answers

    async def _earlier_answers(self, texts: Sequence[NewText]) -> Mapping[UUID, AcceptedText | Exception]:
        """For texts whose keys stand for others; what goes wrong here is no matter of those that were stored."""
        names = [name for text in texts if (name := _name(text)) is not None]
        try:
            async with self._database.reading() as connection:
                earlier = await _earlier(connection, names, now_us=min(text.message.created_us for text in texts))
        except (StoreUnavailable, DatabaseFault) as error:
            return {text.message.id: error for text in texts}
        return {text.message.id: _answer_from(earlier, text) for text in texts}

    @abstractmethod
    def _insert(self, texts: Sequence[NewText], *, patient: bool) -> AsyncIterator[Stored]:
        """Stores those whose key is free and that their budgets have room for, and makes their senders due; gives them
        as they were stored, which is without those who have opted out, duplicates and too many texts, after each
        transaction.

        No two of them have the same key. `patient`: a key that another transaction holds is waited for as long as
        for any lock, else for a moment.
        """


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What was stored under a key."""

    fingerprint: bytes
    text: AcceptedText

    def answer_to(self, key: IdempotencyKey) -> AcceptedText | IdempotencyKeyReused:
        return self.text if key.fingerprint == self.fingerprint else IdempotencyKeyReused()


def _name(text: NewText) -> _Name | None:
    return None if text.key is None else (text.message.program_id, text.key.value)


def _answer_from(earlier: Mapping[_Name, _Earlier], text: NewText) -> AcceptedText | Exception:
    name = _name(text)
    if name is None or text.key is None or name not in earlier:
        # The key was taken a moment ago, and is free now: it has just grown old.
        return IdempotencyKeyInUse()
    return earlier[name].answer_to(text.key)


async def _earlier(connection: AsyncConnection, names: Sequence[_Name], *, now_us: int) -> Mapping[_Name, _Earlier]:
    rows = (
        await connection.execute(_EARLIER.where(NAME.in_(names), idempotency_keys.c.created_us > now_us - KEPT_US))
    ).all()
    numbers = await first_numbers(connection, [row.id for row in rows])
    return {
        (row.program_id, row.key): _Earlier(bytes(row.fingerprint), _replayed(row, numbers[row.id])) for row in rows
    }


def _replayed(row: AnyRow, numbers: Sequence[PhoneNumber]) -> AcceptedText:
    counts, blocked = _read_counts(row.first_counts)
    return AcceptedText(
        summary=TextSummary(message=as_message(row), numbers=numbers, counts=counts),
        refusals=tuple((position, reason) for position, reason in orjson.loads(row.refusals)),
        blocked=blocked,
        replayed=True,
    )


def key_row(text: NewText, key: IdempotencyKey) -> dict[str, Any]:
    return {
        "program_id": text.message.program_id,
        "key": key.value,
        "fingerprint": key.fingerprint,
        "message_id": text.message.id,
        "first_counts": orjson.dumps(_written_counts(text)).decode(),
        "refusals": orjson.dumps(text.refusals).decode(),
        "created_us": text.message.created_us,
    }


def _written_counts(text: NewText) -> Mapping[str, int]:
    """By state, and of what is blocked by those reasons that have a name."""
    counts = {state.value: count for state, count in text.counts.items()}
    if DeliveryState.BLOCKED.value in counts:
        counts |= Counter(each.reason for each in text.deliveries if each.reason in _NAMED_REASONS)
    return counts


def _read_counts(first_counts: str) -> tuple[Mapping[DeliveryState, int], Mapping[str, int]]:
    """By state, and by why they are blocked."""
    written = orjson.loads(first_counts)
    blocked = {reason: written.pop(reason, 0) for reason in _NAMED_REASONS}
    counts = {DeliveryState(state): count for state, count in written.items()}
    blocked[OPTED_OUT] = counts.get(DeliveryState.BLOCKED, 0) - sum(blocked.values())
    return counts, {reason: count for reason, count in blocked.items() if count}


def message_row(message: TextMessage) -> dict[str, Any]:
    return {
        "id": message.id,
        "program_id": message.program_id,
        "sender_id": message.sender_id,
        "body": message.body.text,
        "recipients": message.recipients,
        "client_date_sent": message.client_date_sent,
        "created_us": message.created_us,
        "priority": int(message.priority),
        "send_at_us": message.send_at_us,
        "expires_us": message.expires_us,
        "estimated_us": message.estimated_us,
        "sender_named": message.sender_named,
        "is_reply": message.is_reply,
        "is_test": message.is_test,
        "notice": message.notice,
        "trace_parent": message.trace_parent,
        "template": message.template,
        "template_version": message.template_version,
        "sent_by": message.sent_by,
    }


def delivery_row(message: TextMessage, delivery: Delivery) -> dict[str, Any]:
    return {
        "message_id": message.id,
        "position": delivery.position,
        "program_id": message.program_id,
        "sender_id": message.sender_id,
        "number": delivery.number.e164,
        "segments": delivery.segments,
        "state": delivery.state.value,
        "attempt": 0,
        "failures": 0,
        "enquiries": 0,
        "reason": delivery.reason,
        "due_us": delivery.due_us,
        "updated_us": delivery.updated_us,
        "priority": int(message.priority),
        "expires_us": message.expires_us,
        "has_notice": delivery.has_notice,
    }


def sent_at_once(texts: Sequence[NewText]) -> set[int]:
    """The senders of texts that are queued, for any of their numbers."""
    return {
        text.message.sender_id for text in texts if any(each.state is DeliveryState.QUEUED for each in text.deliveries)
    }

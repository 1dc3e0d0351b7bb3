import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, carried_through
from adapters.sql.group import Group
from adapters.sql.inbound_parts import joined, wholes
from adapters.sql.opt_outs import record_providers_word
from adapters.sql.outbox import tell_of_deliveries
from adapters.sql.receipt_desk import ReceiptDesk
from adapters.sql.rows import AnyRow
from adapters.sql.tables import callbacks
from domain.model.callback import Callback, CallbackKind
from domain.model.inbound_part import InboundPart
from domain.model.receipt import Receipt, ReceiptOutcome
from domain.ports.callbacks import Callbacks, Joined, Kept, WorkedOff

# So many share a transaction, and so many wait for one at the most: what is more is turned away.
_TOGETHER = 200
_ROOM = 2_000

_FORGOTTEN_AT_ONCE = 5_000

_NAME = (callbacks.c.account_id, callbacks.c.kind, callbacks.c.key)
_MARK = (callbacks.c.account_id, callbacks.c.nonce)

_Name: TypeAlias = tuple[int, str, str]


class SqlCallbacks(Callbacks):
    def __init__(self, database: Database) -> None:
        self._database = database
        self._group = Group(self._store, at_once=_TOGETHER, room=_ROOM)
        dialect = sqlite if database.is_sqlite else postgresql
        self._add = dialect.insert(callbacks).on_conflict_do_nothing().returning(*_NAME)

    async def add(self, callback: Callback) -> Kept:
        return await self._group(callback)

    async def drained(self) -> None:
        """Returns when all that was to be added is."""
        await self._group.drained()

    @carried_through
    async def work_off(
        self, read: Callable[[Callback], Receipt | None], *, now_us: int, limit: int
    ) -> Sequence[WorkedOff]:
        is_due = callbacks.c.due_us <= now_us
        async with self._database.reading() as connection:
            # Asked for all the time, and mostly in vain: no transaction is begun for that.
            if (await connection.execute(select(callbacks.c.id).where(is_due).limit(1))).first() is None:
                return []
        due = (
            select(callbacks)
            .where(is_due)
            .order_by(callbacks.c.due_us, callbacks.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with self._database.writing() as connection:
            taken = [as_callback(row) for row in await connection.execute(due)]
            receipts = {callback.id: read(callback) for callback in taken}
            desk = await ReceiptDesk.of(connection, [each for each in receipts.values() if each is not None])
            done = [
                each for callback in taken if (each := desk.turn_to(callback, receipts[callback.id], now_us=now_us))
            ]
            await desk.store(connection, done, now_us=now_us)
            settled = [each.delivery for each in done if each.outcome is ReceiptOutcome.APPLIED and each.delivery]
            await tell_of_deliveries(self._database, connection, [each.id for each in settled])
            await record_providers_word(self._database, connection, settled)
        return done

    @carried_through
    async def join(
        self, whole: Callable[[Sequence[Callback]], Mapping[str, object]], *, since_us: int, limit: int
    ) -> Sequence[Joined]:
        async with self._database.reading() as connection:
            found = await wholes(connection, since_us=since_us, limit=limit)
        if not found:
            return []
        async with self._database.writing() as connection:
            done = [
                each
                for account_id, name in found
                if (each := await joined(connection, account_id, name, as_callback=as_callback, whole=whole))
            ]
            if done:
                await connection.execute(self._add, [_row(each.callback) for each in done])
        return done

    @carried_through
    async def forget(self, kind: CallbackKind, *, before_us: int) -> int:
        old = callbacks.c.kind == kind.value, callbacks.c.received_us < before_us, callbacks.c.due_us.is_(None)
        some = select(callbacks.c.id).where(*old).limit(_FORGOTTEN_AT_ONCE).with_for_update(skip_locked=True)
        async with self._database.writing() as connection:
            return (await connection.execute(delete(callbacks).where(callbacks.c.id.in_(some)))).rowcount

    @carried_through
    async def _store(self, given: Sequence[Callback]) -> Sequence[Kept]:
        # In one order, so that two processes never wait for each other.
        rows = [_row(callback) for callback in sorted(given, key=_name)]
        async with self._database.writing() as connection:
            stored = {tuple(row) for row in await connection.execute(self._add, rows)}
            new = [_taken_from(stored, _name(callback)) for callback in given]
            others = [callback for callback, is_new in zip(given, new, strict=True) if not is_new]
            spent = await _spent(connection, others)
        return [
            Kept.NEW if is_new else Kept.REPLAYED if (callback.account_id, callback.nonce) in spent else Kept.REPEATED
            for callback, is_new in zip(given, new, strict=True)
        ]


def _taken_from(stored: set[Any], name: _Name) -> bool:
    """Of several that are the same, one is stored."""
    is_there = name in stored
    stored.discard(name)
    return is_there


async def _spent(connection: AsyncConnection, given: Sequence[Callback]) -> set[tuple[int, str | None]]:
    """The marks among those of the given ones that something was stored with."""
    marks = [(each.account_id, each.nonce) for each in given if each.nonce is not None]
    if not marks:
        return set()
    stored = await connection.execute(select(*_MARK).where(tuple_(*_MARK).in_(marks)))
    return {(row.account_id, row.nonce) for row in stored}


def _name(callback: Callback) -> _Name:
    return callback.account_id, callback.kind.value, callback.key


def _row(callback: Callback) -> Mapping[str, Any]:
    is_receipt = callback.kind is CallbackKind.RECEIPT
    return {
        "source": callback.source,
        "kind": callback.kind.value,
        "account_id": callback.account_id,
        "key": callback.key,
        "nonce": callback.nonce,
        "delivery_id": callback.delivery_id,
        "fields": json.dumps(callback.fields),
        "received_us": callback.received_us,
        "part_of": None if callback.part is None else callback.part.whole,
        "part_number": None if callback.part is None else callback.part.number,
        "part_total": None if callback.part is None else callback.part.of,
        "due_us": callback.received_us if is_receipt else None,
    }


def as_callback(row: AnyRow) -> Callback:
    return Callback(
        id=row.id,
        source=row.source,
        kind=CallbackKind(row.kind),
        account_id=row.account_id,
        key=row.key,
        nonce=row.nonce,
        delivery_id=row.delivery_id,
        fields=json.loads(row.fields),
        received_us=row.received_us,
        part=None if row.part_of is None else InboundPart(whole=row.part_of, number=row.part_number, of=row.part_total),
    )

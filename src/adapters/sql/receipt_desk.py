"""Receipts that are worked off together, and the deliveries that they tell of."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.rows import DELIVERY_COLUMNS, AnyRow, as_delivery
from adapters.sql.tables import callbacks, deliveries, senders, text_messages
from domain.model.callback import Callback
from domain.model.delivery import Delivery
from domain.model.pace import SECOND_US
from domain.model.receipt import Receipt, ReceiptOutcome
from domain.ports.callbacks import WorkedOff

# For how long a receipt that names no delivery may come before the hub's own record of the send, and how often to look.
_SOUGHT_FOR_US = 60 * SECOND_US
_SOUGHT_EVERY_US = 5 * SECOND_US

_TRACE_PARENT = select(text_messages.c.trace_parent).where(text_messages.c.id == deliveries.c.message_id)
_KNOWN = select(
    *DELIVERY_COLUMNS,
    deliveries.c.slot_us,
    senders.c.account_id,
    _TRACE_PARENT.scalar_subquery().label("trace_parent"),
).join(senders, deliveries.c.sender_id == senders.c.id)
_SETTLE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("its_id"))
    .values(
        state=bindparam("new_state"),
        reason=bindparam("new_reason"),
        provider_reference=bindparam("new_reference"),
        due_us=bindparam("new_due_us"),
        updated_us=bindparam("new_updated_us"),
    )
)


@dataclass(frozen=True, slots=True)
class _Known:
    delivery: Delivery
    account_id: int
    slot_us: int | None
    trace_parent: str | None


class ReceiptDesk:
    """The deliveries that a portion of receipts tells of, as they stand after each of them.

    `busy` are those that another transaction has at this moment: waiting for it might be waiting for each other.
    """

    def __init__(self, rows: Iterable[AnyRow], busy: Collection[int]) -> None:
        self._known = {row.id: _Known(as_delivery(row), row.account_id, row.slot_us, row.trace_parent) for row in rows}
        self._ids = {
            (each.delivery.number.e164, each.delivery.provider_reference): each.delivery.id
            for each in self._known.values()
        }
        self._busy = busy
        self._changed: dict[int, Delivery] = {}
        self._sought_again: list[int] = []

    @classmethod
    async def of(cls, connection: AsyncConnection, receipts: Sequence[Receipt]) -> "ReceiptDesk":
        ids = {each.delivery_id for each in receipts if each.delivery_id is not None}
        ids |= await _ids_by_reference(connection, [each for each in receipts if each.delivery_id is None])
        if not ids:
            return cls([], ())
        locked = _KNOWN.where(deliveries.c.id.in_(ids)).order_by(deliveries.c.id)
        rows = (await connection.execute(locked.with_for_update(of=deliveries, key_share=True, skip_locked=True))).all()
        missing = ids - {row.id for row in rows}
        if not missing:
            return cls(rows, ())
        there = await connection.execute(select(deliveries.c.id).where(deliveries.c.id.in_(missing)))
        return cls(rows, set(there.scalars()))

    def turn_to(self, callback: Callback, receipt: Receipt | None, *, now_us: int) -> WorkedOff | None:
        """What comes of it; None where that is to be seen later."""
        if receipt is None:
            return WorkedOff(callback=callback, outcome=ReceiptOutcome.UNREADABLE)
        delivery_id = receipt.delivery_id
        if delivery_id is None:
            delivery_id = self._ids.get((f"+{receipt.digits}", receipt.reference))
            if delivery_id is None and now_us < callback.received_us + _SOUGHT_FOR_US:
                self._sought_again.append(callback.id)
                return None
        if delivery_id in self._busy:
            return None
        known = None if delivery_id is None else self._known.get(delivery_id)
        if known is None or known.account_id != callback.account_id or not receipt.is_of(known.delivery):
            return WorkedOff(callback=callback, outcome=ReceiptOutcome.UNKNOWN_DELIVERY)
        before = self._changed.get(known.delivery.id, known.delivery)
        after = receipt.settle(before, now_us=now_us)
        outcome = ReceiptOutcome.NOTHING_NEW
        if after is not before:
            self._changed[after.id] = after
            outcome = ReceiptOutcome.APPLIED
        return WorkedOff(
            callback=callback,
            outcome=outcome,
            delivery=after,
            before=before.state,
            slot_us=known.slot_us,
            trace_parent=known.trace_parent,
        )

    async def store(self, connection: AsyncConnection, done: Sequence[WorkedOff], *, now_us: int) -> None:
        if self._changed:
            await connection.execute(_SETTLE, [_result(each) for each in self._changed.values()])
        for outcome in ReceiptOutcome:
            ids = [each.callback.id for each in done if each.outcome is outcome]
            if ids:
                ended = update(callbacks).where(callbacks.c.id.in_(ids))
                await connection.execute(ended.values(due_us=None, outcome=outcome.value))
        if self._sought_again:
            later = update(callbacks).where(callbacks.c.id.in_(self._sought_again))
            await connection.execute(later.values(due_us=now_us + _SOUGHT_EVERY_US))


async def _ids_by_reference(connection: AsyncConnection, receipts: Sequence[Receipt]) -> set[int]:
    if not receipts:
        return set()
    theirs = select(deliveries.c.id).where(
        deliveries.c.number.in_({f"+{each.digits}" for each in receipts}),
        deliveries.c.provider_reference.in_({each.reference for each in receipts}),
    )
    return set((await connection.execute(theirs)).scalars())


def _result(delivery: Delivery) -> Mapping[str, Any]:
    return {
        "its_id": delivery.id,
        "new_state": delivery.state.value,
        "new_reason": delivery.reason,
        "new_reference": delivery.provider_reference,
        "new_due_us": delivery.due_us,
        "new_updated_us": delivery.updated_us,
    }

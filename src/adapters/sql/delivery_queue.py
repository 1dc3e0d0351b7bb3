"""The queue, as far as it is the same on both databases; how a claim is written differs."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, Update, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, carried_through
from adapters.sql.rows import DELIVERY_COLUMNS, AnyRow, as_delivery, as_pace, as_sender
from adapters.sql.tables import deliveries, provider_accounts, queued, senders
from domain.errors import StoreUnavailable
from domain.model.delivery import OPTED_OUT, RECEIPT_STATES, Delivery, DeliveryState
from domain.model.message_body import MessageBody
from domain.model.pace import Candidate, Reservation, Slot, SlotPlan, VirtualSchedule
from domain.ports.delivery_queue import Claim, DeliveryQueue

_SENDERS_AT_ONCE = 500
_DAY_US = 86_400_000_000

# A dispatcher takes over another's sender only when that one is so late that it must be stuck or gone.
_GRACE_US = 120_000
_IDS_AT_ONCE = 5_000  # Both databases bound the number of parameters of one statement.

# Each by its name: a column that a later version adds must not change what a running one is given. `d` is the
# delivery, `m` its message.
CANDIDATE_COLUMNS = ", ".join(
    [
        *(f"d.{column.name}" for column in DELIVERY_COLUMNS),
        *("d.message_id", "d.program_id", "d.sender_id", "d.expires_us", "m.body", "m.canceled_us"),
    ]
)

_RESULT: Mapping[str, BindParameter[Any]] = {
    "state": bindparam("new_state"),
    "failures": bindparam("new_failures"),
    "enquiries": bindparam("new_enquiries"),
    "reason": bindparam("new_reason"),
    "provider_reference": bindparam("new_provider_reference"),
    "due_us": bindparam("new_due_us"),
    "updated_us": bindparam("new_updated_us"),
}
_state = deliveries.c.state
_OPEN = or_(_state == DeliveryState.SENDING.value, _state == DeliveryState.UNKNOWN.value)
_SAME_ATTEMPT = deliveries.c.id == bindparam("its_id"), deliveries.c.attempt == bindparam("its_attempt")

# What a result may still change: a receipt may have been faster than it, and what that settled stays. What may have
# been sent is never handed back.
_RECORD = update(deliveries).where(*_SAME_ATTEMPT, _OPEN).values(_RESULT)
_HAND_BACK = update(deliveries).where(*_SAME_ATTEMPT, _state == DeliveryState.SENDING.value).values(_RESULT)
_RECORD_OVER_SENT = (
    update(deliveries).where(*_SAME_ATTEMPT, or_(_OPEN, _state == DeliveryState.SENT.value)).values(_RESULT)
)

_END = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("its_id"), deliveries.c.state == DeliveryState.QUEUED.value)
    .values(state=bindparam("new_state"), reason=bindparam("new_reason"), updated_us=bindparam("new_updated_us"))
)
_RESERVE = (
    update(senders)
    .where(senders.c.id == bindparam("its_id"))
    .values(next_free_us=bindparam("new_next_free_us"), owner=bindparam("me"), due_us=bindparam("new_due_us"))
)

_DUE_SENDERS = (
    select(
        senders.c.id.label("sender_id"),
        senders.c.address,
        senders.c.pace_numerator,
        senders.c.pace_denominator,
        senders.c.next_free_us,
        senders.c.owner,
        provider_accounts.c.provider,
    )
    .join(provider_accounts, senders.c.account_id == provider_accounts.c.id)
    .order_by(senders.c.due_us)
    .limit(_SENDERS_AT_ONCE)
)


def due_senders(dispatcher_id: int, now_us: int) -> Select[*tuple[Any, ...]]:
    """Senders that are this dispatcher's to claim from."""
    mine = or_(senders.c.owner == dispatcher_id, senders.c.owner.is_(None))
    late = senders.c.due_us <= now_us - _GRACE_US
    return _DUE_SENDERS.where(senders.c.due_us <= now_us, or_(mine, late))


class SqlDeliveryQueue(DeliveryQueue):
    def __init__(self, database: Database) -> None:
        self._database = database

    @carried_through
    async def claim(self, dispatcher_id: int, *, now_us: int, reservation: Reservation) -> Sequence[Claim]:
        async with self._database.writing() as connection:
            due = await self._lock_due_senders(connection, dispatcher_id, now_us=now_us)
            if not due:
                return []
            schedules = {row.sender_id: VirtualSchedule(as_pace(row), row.next_free_us) for row in due}
            # Read only now that the senders are locked: nobody else can take these deliveries any more.
            wanted = {
                sender_id: schedule.candidates_wanted(now_us, reservation) for sender_id, schedule in schedules.items()
            }
            candidates: dict[int, list[AnyRow]] = {sender_id: [] for sender_id in wanted}
            for row in await self._candidates(connection, wanted):
                candidates[row.sender_id].append(row)
            plans = {
                row.sender_id: schedules[row.sender_id].plan(
                    [_as_candidate(each) for each in candidates[row.sender_id]],
                    now_us=now_us,
                    reservation=reservation,
                    taken_over=row.owner != dispatcher_id,
                )
                for row in due
            }
            rows = {each.id: each for some in candidates.values() for each in some}
            ended = [(rows[each], end) for plan in plans.values() for each, end in plan.ended.items()]
            if ended:
                # What is taken alone, is taken in their order anyway.
                await self._lock_in_order(connection, list(rows))
            await _reserve(connection, plans, dispatcher_id)
            await _end(connection, ended, now_us)
            slots = [slot for plan in plans.values() for slot in plan.slots]
            taken = await self._take(connection, dispatcher_id, slots, now_us=now_us)
        idle = [sender_id for sender_id, plan in plans.items() if plan.due_us is None]
        if idle:
            # The claim stands, whatever becomes of this.
            with suppress(StoreUnavailable):
                await self.rouse_if_queued(idle, now_us=now_us)
        sending_from = {row.sender_id: as_sender(row) for row in due}
        return [
            Claim(
                delivery=as_delivery(row).claimed(now_us=now_us),
                message_id=row.message_id,
                program_id=row.program_id,
                sender=sending_from[row.sender_id],
                body=MessageBody(row.body),
                slot=slot,
            )
            for slot in slots
            if slot.delivery_id in taken
            for row in [rows[slot.delivery_id]]
        ]

    @carried_through
    async def record(self, deliveries: Sequence[Delivery]) -> None:
        results: dict[Update, list[dict[str, object]]] = defaultdict(list)
        for each in deliveries:
            results[_statement_for(each.state)].append(_result(each))
        queued = [each.id for each in deliveries if each.state is DeliveryState.QUEUED]
        async with self._database.writing() as connection:
            for statement, rows in results.items():
                await connection.execute(statement, rows)
            if queued:
                await _make_theirs_due(connection, queued, now_us=max(each.updated_us for each in deliveries))

    async def strays(self, dispatcher_id: int, *, slots_before_us: int) -> Sequence[Delivery]:
        claimed = select(*DELIVERY_COLUMNS).where(
            deliveries.c.claimed_by == dispatcher_id,
            _state == DeliveryState.SENDING.value,
            deliveries.c.slot_us < slots_before_us,
        )
        async with self._database.reading() as connection:
            return [as_delivery(row) for row in await connection.execute(claimed)]

    @carried_through
    async def delay(self, sender_id: int, by_us: int, *, now_us: int) -> None:
        async with self._database.writing() as connection:
            row = (
                await connection.execute(
                    select(senders).where(senders.c.id == sender_id).with_for_update(key_share=True)
                )
            ).one()
            delayed = VirtualSchedule(as_pace(row), row.next_free_us).delayed(by_us, now_us=now_us)
            await connection.execute(
                update(senders).where(senders.c.id == sender_id).values(next_free_us=delayed.next_free_us)
            )

    @carried_through
    async def rouse_if_queued(self, sender_ids: Sequence[int] | None, *, now_us: int) -> int:
        """Makes senders due that are idle and have something queued: all of them, or those of `sender_ids`."""
        waiting = select(deliveries.c.id).where(deliveries.c.sender_id == senders.c.id, queued).exists()
        # None is ever due so late: the clock was set back since.
        beyond_belief = senders.c.due_us > now_us + _DAY_US
        idle = or_(senders.c.due_us.is_(None), beyond_belief)
        roused = update(senders).where(idle, waiting).values(due_us=now_us)
        if sender_ids is not None:
            roused = roused.where(senders.c.id.in_(sender_ids))
        async with self._database.writing() as connection:
            return (await connection.execute(roused)).rowcount

    @abstractmethod
    async def _lock_due_senders(
        self, connection: AsyncConnection, dispatcher_id: int, *, now_us: int
    ) -> Sequence[AnyRow]:
        """Rows of `due_senders` that nobody else has locked."""

    @abstractmethod
    async def _candidates(self, connection: AsyncConnection, wanted: Mapping[int, int]) -> Sequence[AnyRow]:
        """The first queued deliveries of each sender, so many as are wanted, with what ends them or is sent."""

    @abstractmethod
    async def _lock_in_order(self, connection: AsyncConnection, delivery_ids: Sequence[int]) -> None:
        """Keeps others from these deliveries, in the order in which a cancellation takes them."""

    @abstractmethod
    async def _take(
        self, connection: AsyncConnection, dispatcher_id: int, slots: Sequence[Slot], *, now_us: int
    ) -> set[int]:
        """Makes queued deliveries `sending`, each in its slot; the ids of those that still were queued."""


def _statement_for(state: DeliveryState) -> Update:
    if state is DeliveryState.QUEUED:
        return _HAND_BACK
    return _RECORD_OVER_SENT if state in RECEIPT_STATES else _RECORD


def _result(delivery: Delivery) -> dict[str, object]:
    return {
        "its_id": delivery.id,
        "its_attempt": delivery.attempt,
        "new_state": delivery.state.value,
        "new_failures": delivery.failures,
        "new_enquiries": delivery.enquiries,
        "new_reason": delivery.reason,
        "new_provider_reference": delivery.provider_reference,
        "new_due_us": delivery.due_us,
        "new_updated_us": delivery.updated_us,
    }


async def _reserve(connection: AsyncConnection, plans: Mapping[int, SlotPlan], dispatcher_id: int) -> None:
    await connection.execute(
        _RESERVE,
        [
            {
                "its_id": sender_id,
                "new_next_free_us": plan.schedule.next_free_us,
                "new_due_us": plan.due_us,
                "me": dispatcher_id,
            }
            for sender_id, plan in plans.items()
        ],
    )


async def _end(connection: AsyncConnection, ends: Sequence[tuple[AnyRow, DeliveryState]], now_us: int) -> None:
    ended = [_ended(as_delivery(row), state, now_us=now_us) for row, state in ends]
    if ended:
        await connection.execute(
            _END,
            [
                {
                    "its_id": each.id,
                    "new_state": each.state.value,
                    "new_reason": each.reason,
                    "new_updated_us": each.updated_us,
                }
                for each in ended
            ],
        )


def _ended(delivery: Delivery, state: DeliveryState, *, now_us: int) -> Delivery:
    match state:
        case DeliveryState.CANCELED:
            return delivery.canceled(now_us=now_us)
        case DeliveryState.EXPIRED:
            return delivery.expired(now_us=now_us)
        case _:
            return delivery.blocked(OPTED_OUT, now_us=now_us)


def _as_candidate(row: AnyRow) -> Candidate:
    return Candidate(
        row.id,
        row.segments,
        opted_out=bool(row.opted_out),
        canceled=row.canceled_us is not None,
        expires_us=row.expires_us,
    )


async def _make_theirs_due(connection: AsyncConnection, delivery_ids: Sequence[int], *, now_us: int) -> None:
    for start in range(0, len(delivery_ids), _IDS_AT_ONCE):
        some = delivery_ids[start : start + _IDS_AT_ONCE]
        theirs = select(deliveries.c.sender_id).where(deliveries.c.id.in_(some))
        await make_due(connection, senders.c.id.in_(theirs), now_us=now_us)


async def make_due(connection: AsyncConnection, which: ColumnElement[bool], *, now_us: int) -> None:
    """Idle senders are to be claimed from at once; those that are due at some time already stay so."""
    await connection.execute(update(senders).where(which).values(due_us=func.coalesce(senders.c.due_us, now_us)))

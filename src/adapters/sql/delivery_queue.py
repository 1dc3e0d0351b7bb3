"""The queue, as far as it is the same on both databases; how a claim is written differs."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import ColumnElement, Integer, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.claim_rows import CandidateRow, DueSender, in_share
from adapters.sql.database import Database, carried_through
from adapters.sql.endings import Ended, untold
from adapters.sql.opt_outs import record_providers_word
from adapters.sql.outbox import tell_of_deliveries
from adapters.sql.rows import DELIVERY_COLUMNS, AnyRow, as_delivery, as_schedule, as_sender, body_of
from adapters.sql.shared_schedules import SharedSchedules
from adapters.sql.tables import (
    deliveries,
    hub_paused,
    paused_programs,
    queued,
    senders,
    sending,
    text_messages,
)
from domain.errors import StoreUnavailable
from domain.model.delivery import OPTED_OUT, QUIET_HOURS, REFERENCES_BEGIN, Delivery, DeliveryState
from domain.model.limit import SharedSchedule
from domain.model.retry import RetryPolicy
from domain.model.share import EVERY_SENDER, Share
from domain.model.slots import Line, Reservation, Slot, SlotPlan, plan
from domain.model.turns import Turns
from domain.model.webhook import TOLD_STATES
from domain.ports.delivery_queue import Claim, DeliveryQueue

_BEYOND_BELIEF_US = 2 * 86_400_000_000  # A daily cap is over sooner.
_IDS_AT_ONCE = 5_000  # Both databases bound the number of parameters of one statement.
_PUT_OFF_AT_ONCE = 2_000  # What a claim can go through within the time for which slots are given ahead.
_PROBE_EVERY_US = 15_000_000  # How often one text is tried at a sender that is barred.

_END = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("its_id"), deliveries.c.state == DeliveryState.QUEUED.value)
    .values(state=bindparam("new_state"), reason=bindparam("new_reason"), updated_us=bindparam("new_updated_us"))
)


# What waits in a line, in its order, and is bound to texting hours. Whether it is a reply is looked up one by one: for
# a join all messages might be read.
_reply = select(text_messages.c.is_reply).where(text_messages.c.id == deliveries.c.message_id).scalar_subquery()
_IN_LINE = (
    select(deliveries.c.id, deliveries.c.number)
    .where(
        deliveries.c.sender_id == bindparam("its_sender_id"),
        deliveries.c.priority == bindparam("its_priority"),
        deliveries.c.program_id == bindparam("its_program_id"),
        queued,
        _reply.is_(False),
    )
    .order_by(deliveries.c.id)
    .limit(bindparam("most", type_=Integer))
)

# As for a claim, the state must not look to the planner as if it could be found by.
_PUT_OFF = (
    update(deliveries)
    .where(
        deliveries.c.id.in_(bindparam("ids", expanding=True)),
        deliveries.c.state.concat("") == DeliveryState.QUEUED.value,
    )
    .values(
        state=DeliveryState.SCHEDULED.value,
        reason=QUIET_HOURS,
        due_us=bindparam("new_due_us"),
        updated_us=bindparam("new_updated_us"),
    )
)

_FREE = (
    update(senders)
    .where(senders.c.id == bindparam("its_id"))
    .values(next_free_us=bindparam("new_next_free_us"), due_us=bindparam("new_due_us"))
)


class SqlDeliveryQueue(DeliveryQueue):
    def __init__(self, database: Database, retry: RetryPolicy | None = None, ended: Ended = untold) -> None:
        self._database = database
        self._retry = retry or RetryPolicy()
        self._ended = ended

    @carried_through
    async def claim(
        self, dispatcher_id: int, *, now_us: int, reservation: Reservation, share: Share = EVERY_SENDER
    ) -> Sequence[Claim]:
        async with self._database.writing() as connection:
            due = await self._lock_due_senders(connection, share, now_us=now_us)
            if not due:
                return []
            shared = await SharedSchedules.locked(connection, _limit_ids(due), now_us=now_us)
            # Read only now that the senders are locked: nobody else can take these deliveries any more.
            schedules = {row.sender_id: as_schedule(row) for row in due}
            needed = {row.sender_id: list(shared.of([row.limit_id, row.account_limit_id]).values()) for row in due}
            wanted: dict[int, int] = {}
            left = reservation.most_in_all
            for row in due:
                if left > 0:
                    most = min(_most(row, needed[row.sender_id], reservation), left)
                    wanted[row.sender_id] = min(schedules[row.sender_id].candidates_wanted(now_us, reservation), most)
                    left -= wanted[row.sender_id]
            # The others stay due.
            due = due[: len(wanted)]
            candidates: dict[int, list[CandidateRow]] = {sender_id: [] for sender_id in wanted}
            for candidate in await self._candidates(connection, wanted):
                candidates[candidate.sender_id].append(candidate)
            lines = {
                row.sender_id: Line(
                    schedule=schedules[row.sender_id],
                    waiting=[each.as_candidate() for each in candidates[row.sender_id]],
                    turns=Turns.read(row.turns),
                    shared=needed[row.sender_id],
                    taken_over=row.owner != dispatcher_id,
                    most=wanted[row.sender_id],
                )
                for row in due
            }
            plans = plan(lines, now_us=now_us, reservation=reservation)
            rows = {each.id: each for some in candidates.values() for each in some}
            ended = [(rows[each], end) for its in plans.values() for each, end in its.ended.items()]
            put_off = await _put_off_with(connection, plans, rows)
            if ended or put_off:
                # What is taken alone, is taken in their order anyway.
                await self._lock_in_order(connection, [*rows, *(put_off.keys() - rows.keys())])
            await shared.keep(connection)
            await self._reserve(
                connection, [_reserved(row, plans[row.sender_id], now_us) for row in due], dispatcher_id
            )
            ends = await _end(connection, ended, now_us)
            await tell_of_deliveries(self._database, connection, [row.id for row, _ in ended])
            await _put_off(connection, put_off, now_us=now_us)
            slots = [slot for its in plans.values() for slot in its.slots]
            instead = {each.id: REFERENCES_BEGIN[each.instead] for each in rows.values() if each.instead is not None}
            taken = await self._take(connection, dispatcher_id, slots, instead, now_us=now_us)
        idle = [sender_id for sender_id, its in plans.items() if its.due_us is None]
        if idle:
            # The claim stands, whatever becomes of this.
            with suppress(StoreUnavailable):
                await self.rouse_if_queued(idle, now_us=now_us)
        sending_from = {row.sender_id: as_sender(row) for row in due}
        for sender_id, state, reason in ends:
            self._ended(sending_from[sender_id].provider, state, reason, 1)
        return [
            Claim(
                delivery=as_delivery(row).claimed(now_us=now_us, instead=row.instead),
                message_id=row.message_id,
                program_id=row.program_id,
                sender=sending_from[row.sender_id],
                body=body_of(row),
                slot=slot,
                expires_us=row.expires_us,
                trace_parent=row.trace_parent,
                mail_to=row.mail_to,
            )
            for slot in slots
            if slot.delivery_id in taken
            for row in [rows[slot.delivery_id]]
        ]

    async def next_due_us(self, *, share: Share = EVERY_SENDER) -> int | None:
        first = select(func.min(senders.c.due_us)).where(senders.c.due_us.is_not(None), senders.c.paused_us.is_(None))
        async with self._database.reading() as connection:
            due_us: int | None = (await connection.execute(first.where(in_share(share), ~hub_paused))).scalar_one()
        return due_us

    @carried_through
    async def record(self, deliveries: Sequence[Delivery]) -> None:
        async with self._database.writing() as connection:
            await self._record_all(connection, deliveries)

    @carried_through
    async def take_over(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        async with self._database.writing() as connection:
            left = await _locked_while_sending(connection, [each.id for each in deliveries])
            taken_over = [each for each in deliveries if (each.id, each.attempt) in left]
            await self._record_all(connection, taken_over)
        return taken_over

    async def strays(self, dispatcher_id: int, *, slots_before_us: int) -> Sequence[Delivery]:
        claimed = select(*DELIVERY_COLUMNS).where(
            deliveries.c.claimed_by == dispatcher_id,
            sending,
            deliveries.c.slot_us < slots_before_us,
        )
        async with self._database.reading() as connection:
            return [as_delivery(row) for row in await connection.execute(claimed)]

    @carried_through
    async def delay(self, sender_id: int, by_us: int, *, now_us: int) -> None:
        async with self._database.writing() as connection:
            row = await _locked(connection, sender_id)
            delayed = as_schedule(row).delayed(by_us, now_us=now_us)
            await connection.execute(
                update(senders).where(senders.c.id == sender_id).values(next_free_us=delayed.next_free_us)
            )

    @carried_through
    async def bar(self, sender_id: int, reason: str, *, now_us: int) -> int:
        async with self._database.writing() as connection:
            times = int((await _locked(connection, sender_id)).bars) + 1
            until_us = now_us + self._retry.barred_for_us(times)
            values = {"bar_reason": reason, "bars": times, "due_us": until_us}
            await connection.execute(update(senders).where(senders.c.id == sender_id).values(values))
            return times

    @carried_through
    async def unbar(self, sender_id: int, *, now_us: int) -> None:
        barred = senders.c.id == sender_id, senders.c.bars > 0
        async with self._database.writing() as connection:
            await connection.execute(update(senders).where(*barred).values(bar_reason=None, bars=0, due_us=now_us))

    @carried_through
    async def rouse_if_queued(self, sender_ids: Sequence[int] | None, *, now_us: int) -> int:
        """Makes senders due that are idle and have something queued: all of them, or those of `sender_ids`."""
        theirs = deliveries.c.sender_id == senders.c.id, queued, deliveries.c.program_id.not_in(paused_programs)
        # None is ever due so late: the clock was set back since.
        beyond_belief = senders.c.due_us > now_us + _BEYOND_BELIEF_US
        idle = or_(senders.c.due_us.is_(None), beyond_belief)
        # Not by EXISTS, for which PostgreSQL may read all that is queued at once, if it takes that for little.
        first = select(deliveries.c.id).where(*theirs).limit(1).scalar_subquery()
        roused = update(senders).where(idle, first.is_not(None)).values(due_us=now_us)
        if sender_ids is not None:
            roused = roused.where(senders.c.id.in_(sender_ids))
        async with self._database.writing() as connection:
            return (await connection.execute(roused)).rowcount

    async def _record_all(self, connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
        handed_back = [each.id for each in deliveries if each.state is DeliveryState.QUEUED]
        if deliveries:
            heard_of = await self._record(connection, [_result(each) for each in deliveries])
            at_rest = [each.id for each in deliveries if each.state in TOLD_STATES and each.id in heard_of]
            await tell_of_deliveries(self._database, connection, at_rest)
            await record_providers_word(self._database, connection, deliveries)
        if handed_back:
            now_us = max(each.updated_us for each in deliveries)
            unused = {each.id for each in deliveries if each.state is DeliveryState.QUEUED and each.reason is None}
            await _give_back(connection, unused, now_us=now_us)
            await _make_theirs_due(connection, handed_back, now_us=now_us)

    @abstractmethod
    async def _lock_due_senders(self, connection: AsyncConnection, share: Share, *, now_us: int) -> Sequence[DueSender]:
        """Those of `DUE_SENDERS` that nobody else has locked."""

    @abstractmethod
    async def _candidates(self, connection: AsyncConnection, wanted: Mapping[int, int]) -> Sequence[CandidateRow]:
        """The first queued deliveries of each program and priority of each sender, so many as are wanted, with what
        ends them or is sent; without those of programs that are paused.
        """

    @abstractmethod
    async def _lock_in_order(self, connection: AsyncConnection, delivery_ids: Sequence[int]) -> None:
        """Keeps others from these deliveries, in the order in which a cancellation takes them."""

    @abstractmethod
    async def _reserve(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]], owner: int) -> None:
        """Stores what the claim leaves of the senders' lines."""

    @abstractmethod
    async def _take(
        self,
        connection: AsyncConnection,
        dispatcher_id: int,
        slots: Sequence[Slot],
        references: Mapping[int, str],
        *,
        now_us: int,
    ) -> set[int]:
        """Makes queued deliveries `sending`, each in its slot; the ids of those that still were queued.

        `references` are those of what another provider gets than the sender's, as `Delivery.claimed` has it.
        """

    @abstractmethod
    async def _record(self, connection: AsyncConnection, results: Sequence[Mapping[str, Any]]) -> Collection[int]:
        """Stores results, each where it is of the current attempt and may still change the delivery; the ids of those
        that programs may want to hear of.

        A receipt may have been faster, and what that settled stays. What may have been sent is never handed back.
        """


async def _locked(connection: AsyncConnection, sender_id: int) -> AnyRow:
    its = select(senders).where(senders.c.id == sender_id)
    return (await connection.execute(its.with_for_update(key_share=True))).one()


def _limit_ids(due: Sequence[DueSender]) -> set[int]:
    return {each for row in due for each in (row.limit_id, row.account_limit_id) if each is not None}


def _most(row: DueSender, shared: Sequence[SharedSchedule], reservation: Reservation) -> int:
    """How many of its texts a claim can use, whatever its own pace. Of a sender that is barred, one is tried."""
    if row.bars:
        return 1
    bounds = [each.most_within(reservation.reach_us) for each in shared]
    return min([reservation.most, *(each for each in bounds if each is not None)])


def _reserved(row: DueSender, its: SlotPlan, now_us: int) -> Mapping[str, Any]:
    due_us = its.due_us
    # Where nothing was there to be tried, the next that comes is.
    if row.bars and its.slots:
        due_us = max(due_us or 0, now_us + _PROBE_EVERY_US)
    return {
        "id": row.sender_id,
        "next_free_us": its.schedule.next_free_us,
        "due_us": due_us,
        "turns": its.turns.written(),
    }


def _result(delivery: Delivery) -> Mapping[str, Any]:
    return {
        "id": delivery.id,
        "attempt": delivery.attempt,
        "state": delivery.state.value,
        "failures": delivery.failures,
        "enquiries": delivery.enquiries,
        "resends": delivery.resends,
        "reason": delivery.reason,
        "provider_reference": delivery.provider_reference,
        "due_us": delivery.due_us,
        "updated_us": delivery.updated_us,
    }


async def _end(
    connection: AsyncConnection, ends: Sequence[tuple[CandidateRow, DeliveryState]], now_us: int
) -> Sequence[tuple[int, DeliveryState, str | None]]:
    """What has ended, each as its sender's id, its state and why."""
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
    return [(row.sender_id, each.state, each.reason) for (row, _), each in zip(ends, ended, strict=True)]


def _ended(delivery: Delivery, state: DeliveryState, *, now_us: int) -> Delivery:
    match state:
        case DeliveryState.CANCELED:
            return delivery.canceled(now_us=now_us)
        case DeliveryState.EXPIRED:
            return delivery.expired(now_us=now_us)
        case _:
            return delivery.blocked(OPTED_OUT, now_us=now_us)


async def _put_off_with(
    connection: AsyncConnection, plans: Mapping[int, SlotPlan], rows: Mapping[int, CandidateRow]
) -> Mapping[int, int]:
    """What claims put off, each with its time, and what waits behind it in its line: when the hours close, so much may
    wait that it would take claims for ever to go through all of it, few by few.
    """
    put_off = {each: until_us for its in plans.values() for each, until_us in its.put_off.items()}
    if not put_off:
        return put_off
    decided = {slot.delivery_id for its in plans.values() for slot in its.slots}.union(
        put_off, *(its.ended for its in plans.values())
    )
    left = _PUT_OFF_AT_ONCE
    for line, example in {rows[each].line: rows[each] for each in put_off}.items():
        sender_id, priority, program_id = line
        its_line = {"its_sender_id": sender_id, "its_priority": priority, "its_program_id": program_id}
        behind = (await connection.execute(_IN_LINE, {**its_line, "most": left})).all()
        left -= len(behind)
        for row in behind:
            if row.id not in decided:
                candidate = example._replace(id=row.id, number=row.number).as_candidate()
                until_us = plans[sender_id].put_off_us(candidate)
                if until_us is not None:
                    put_off[row.id] = until_us
        if left <= 0:
            break
    return put_off


async def _put_off(connection: AsyncConnection, put_off: Mapping[int, int], *, now_us: int) -> None:
    by_time: dict[int, list[int]] = defaultdict(list)
    for delivery_id, until_us in put_off.items():
        by_time[until_us].append(delivery_id)
    for until_us, ids in by_time.items():
        for some in _portions(ids):
            await connection.execute(_PUT_OFF, {"ids": some, "new_due_us": until_us, "new_updated_us": now_us})


async def _give_back(connection: AsyncConnection, delivery_ids: Collection[int], *, now_us: int) -> None:
    """What was handed back without a call leaves its slot to others, where nothing is taken behind it: a slow sender
    would else be silent for as long as it takes for a text that was not sent.
    """
    slots: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for some in _portions(sorted(delivery_ids)):
        # Not those that are another's by now: its slots are in use.
        theirs = select(deliveries.c.sender_id, deliveries.c.slot_us, deliveries.c.segments).where(
            deliveries.c.id.in_(some), queued, deliveries.c.slot_us.is_not(None)
        )
        for row in await connection.execute(theirs):
            slots[row.sender_id].append((row.slot_us, row.segments))
    freed = []
    for some in _portions(sorted(slots)):
        in_order = select(senders).where(senders.c.id.in_(some)).order_by(senders.c.id)
        for row in (await connection.execute(in_order.with_for_update(key_share=True))).all():
            schedule = as_schedule(row)
            free = schedule.given_back(slots[row.id])
            if free != schedule and not row.backlog_us:
                waits = row.due_us is None or row.bars
                due_us = row.due_us if waits else min(row.due_us, now_us)
                freed.append({"its_id": row.id, "new_next_free_us": free.next_free_us, "new_due_us": due_us})
    if freed:
        await connection.execute(_FREE, freed)


async def _locked_while_sending(connection: AsyncConnection, delivery_ids: Collection[int]) -> set[tuple[int, int]]:
    """Those of the deliveries that are being sent, each with its attempt; they are until the transaction ends."""
    found: set[tuple[int, int]] = set()
    for some in _portions(sorted(delivery_ids)):
        # Found by their ids alone: the index of what is being sent may look empty, and then all of it is read.
        its = select(deliveries.c.id, deliveries.c.attempt, deliveries.c.state).where(deliveries.c.id.in_(some))
        in_order = its.order_by(deliveries.c.id).with_for_update(key_share=True)
        for row in await connection.execute(in_order):
            if row.state == DeliveryState.SENDING.value:
                found.add((row.id, row.attempt))
    return found


async def _make_theirs_due(connection: AsyncConnection, delivery_ids: Sequence[int], *, now_us: int) -> None:
    for some in _portions(delivery_ids):
        theirs = select(deliveries.c.sender_id).where(deliveries.c.id.in_(some))
        await make_due(connection, senders.c.id.in_(theirs), now_us=now_us)


def _portions(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[start : start + _IDS_AT_ONCE]


async def make_due(connection: AsyncConnection, which: ColumnElement[bool], *, now_us: int) -> None:
    """Idle senders are to be claimed from at once; those that are due at some time already stay so."""
    await connection.execute(update(senders).where(which).values(due_us=func.coalesce(senders.c.due_us, now_us)))

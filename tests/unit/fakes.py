"""What stands behind the ports in unit tests: a hub's store in memory, and time that moves only when a test says so."""

import asyncio
import itertools
from bisect import insort
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import TypeVar
from uuid import UUID

from domain.errors import (
    CredentialsMissing,
    HubError,
    IdempotencyKeyReused,
    PaceDiffers,
    ProgramExists,
    ProgramNotFound,
    StaffRoleNotFound,
    StoreUnavailable,
    TemplateExists,
    TemplateNotFound,
    TokenRefused,
    TooManyLogins,
)
from domain.model.access import Grant
from domain.model.consent import Consent, ConsentEvent, OptOut
from domain.model.credentials import Credentials, ProviderAccount
from domain.model.delivery import IN_VAIN, MAIL, RECEIPT_STATES, WAITING, Delivery, DeliveryState
from domain.model.failover import Failover
from domain.model.idempotency import KEPT_US, IdempotencyKey
from domain.model.pace import Pace
from domain.model.phone_number import PhoneNumber
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.program_key import IssuedKey, KeyHash, KeyTerms
from domain.model.queue_ahead import QueueAhead
from domain.model.retry import RetryPolicy
from domain.model.send_outcome import Accepted, CannotTell, EnquiryAnswer, SendOutcome
from domain.model.sender import Sender, SenderAddress
from domain.model.share import EVERY_SENDER, Share
from domain.model.slots import Line as PlannedLine
from domain.model.slots import Reservation, SlotPlan, VirtualSchedule, plan
from domain.model.staff import StaffRole
from domain.model.template import TemplateName, TemplateText, TemplateVersion
from domain.model.terms import OnUnknown
from domain.model.text_message import NUMBERS_SHOWN, AcceptedText, NewText, TextMessage, TextSummary
from domain.model.turns import NO_TURNS, Candidate, Turns
from domain.model.waiting import Waiting
from domain.ports.backlog import Backlog
from domain.ports.clock import Clock
from domain.ports.contacts import Contacts
from domain.ports.delivery_queue import Claim, DeliveryQueue
from domain.ports.dispatch_observer import DispatchObserver
from domain.ports.dispatchers import Dispatchers, Orphan
from domain.ports.due_deliveries import DueDeliveries, Enquiry
from domain.ports.failovers import FailedOver
from domain.ports.intake import Intake
from domain.ports.login_guard import GuessGuard
from domain.ports.opt_outs import OptOuts
from domain.ports.program_keys import ProgramKeys
from domain.ports.programs import NewProgram, Programs
from domain.ports.sms_provider import Departure, OutgoingText, SmsProvider
from domain.ports.staff_roles import StaffRoles
from domain.ports.templates import Templates
from domain.ports.text_log import EVERY_TEXT, LoggedDelivery, Page, TextFilter, TextLog
from domain.ports.tokens import Tokens
from domain.ports.wakeups import Wakeups
from tests.unit.builders import NOON, SECOND

T = TypeVar("T")

_GRACE_US = 250_000
_PROBE_EVERY_US = 15 * SECOND


async def settled() -> None:
    """Returns when nothing is left that can run without time passing."""
    ready: deque[object] = vars(asyncio.get_running_loop())["_ready"]
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110 - whatever the others wait for, this waits for all of them
        await asyncio.sleep(0)


class FakeClock(Clock):
    """Virtual time. Sleepers wake in the order of their times, those of one time in the order in which they lay down.

    `wakes_late_us` is asked at each falling asleep how much too late the sleeper wakes.
    """

    def __init__(self, now_us: int = NOON) -> None:
        self._now_us = now_us
        self._monotonic_us = 77 * SECOND
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._pausing: list[asyncio.Future[None]] = []
        self._order = itertools.count()
        self.wakes_late_us: Callable[[], int] = int

    def now_us(self) -> int:
        return self._now_us

    def monotonic_us(self) -> int:
        return self._monotonic_us

    async def sleep_until(self, at_us: int, *, exactly: bool = False) -> None:
        while at_us > self._now_us:
            await self.parked_until(at_us + (0 if exactly else self.wakes_late_us()))

    async def pause(self, for_us: int) -> None:
        until_us = self._monotonic_us + for_us
        while until_us > self._monotonic_us:
            parked = self.parked_until(self._now_us + until_us - self._monotonic_us)
            self._pausing.append(parked)
            await parked

    def parked_until(self, at_us: int) -> asyncio.Future[None]:
        """Comes true at that time, unless somebody makes it true before."""
        sleeper = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (at_us, next(self._order), sleeper))
        return sleeper

    def jump(self, by_us: int) -> None:
        """Time passes while nobody runs, as when the process is stopped; who overslept wakes only now."""
        self._now_us += by_us
        self._monotonic_us += by_us
        while self._sleepers and self._sleepers[0][0] <= self._now_us:
            sleeper = heappop(self._sleepers)[2]
            if not sleeper.done():
                sleeper.set_result(None)

    def set_back(self, by_us: int) -> None:
        """Somebody sets the wall clock. Who pauses works out anew when that is over."""
        self._now_us -= by_us
        for parked in self._pausing:
            if not parked.done():
                parked.set_result(None)
        self._pausing.clear()

    async def run_until(self, at_us: int) -> None:
        await settled()
        while (wakes_us := self._next_wake_us()) is not None and wakes_us <= at_us:
            self.jump(max(wakes_us - self._now_us, 0))
            await settled()
        self.jump(max(at_us - self._now_us, 0))
        await settled()

    async def advance(self, by_us: int = 0) -> None:
        await self.run_until(self._now_us + by_us)

    async def run_until_done(self, task: asyncio.Task[T], *, within_us: int = 600 * SECOND) -> T:
        """What the task returns or raises, which it must within that time."""
        until_us = self._now_us + within_us
        await settled()
        while not task.done():
            wakes_us = self._next_wake_us()
            assert wakes_us is not None, "the task waits for nothing that time could bring"
            assert wakes_us <= until_us, "the task takes too long"
            await self.run_until(wakes_us)
        return await task

    def _next_wake_us(self) -> int | None:
        while self._sleepers and self._sleepers[0][2].done():
            heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None


class FakeWakeups(Wakeups):
    """`waits_us` are the longest times that those who waited were ready to wait, one after the other."""

    heard_from_all = False

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.waits_us: list[int] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._pending = False
        self.notified = 0

    def notify(self) -> None:
        self.notified += 1
        self._pending = True
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    async def wait(self, *, at_most_s: float) -> bool:
        self.waits_us.append(round(at_most_s * SECOND))
        if not self._pending:
            waiting = self._clock.parked_until(self._clock.now_us() + int(at_most_s * SECOND))
            self._waiting.append(waiting)
            await waiting
        woken, self._pending = self._pending, False
        return woken

    async def drained(self) -> None:
        """There is nobody to tell."""

    async def listen(self) -> None:
        await asyncio.Event().wait()


@dataclass(kw_only=True)
class StoredDelivery:
    delivery: Delivery
    message: TextMessage
    claimed_by: int = 0
    slot_us: int = 0


@dataclass(kw_only=True)
class Line:
    """A sender as it is stored; `waiting` are the ids of its queued deliveries, in their order. `bars` is how often in
    a row its provider took nothing from it.
    """

    sender: Sender
    next_free_us: int = 0
    due_us: int | None = None
    owner: int | None = None
    turns: Turns = NO_TURNS
    bars: int = 0
    waiting: list[int] = field(default_factory=list)

    @property
    def schedule(self) -> VirtualSchedule:
        return VirtualSchedule(self.sender.pace, self.next_free_us, self.sender.backlog_us)

    def make_due(self, at_us: int) -> None:
        self.due_us = at_us if self.due_us is None else self.due_us


class InMemoryStore:
    """What the fakes of one hub share, as the adapters do one database."""

    def __init__(self, *senders: Sender) -> None:
        self.lines = {sender.id: Line(sender=sender) for sender in senders}
        self.messages: dict[UUID, TextMessage] = {}
        self.rows: dict[int, StoredDelivery] = {}
        self.opted_out: set[tuple[str | int | None, PhoneNumber]] = set()
        self.canceled: set[UUID] = set()
        self.last_seen_us: dict[int, int] = {}
        self.on_unknown = OnUnknown.LEAVE
        self.mail_to: dict[str | int | None, str] = {}

    def delivery(self, delivery_id: int) -> Delivery:
        return self.rows[delivery_id].delivery

    def deliveries(self) -> list[Delivery]:
        return [row.delivery for row in self.rows.values()]

    def states(self) -> list[DeliveryState]:
        return [delivery.state for delivery in self.deliveries()]

    def add(self, message: TextMessage, delivery: Delivery) -> Delivery:
        self.messages[message.id] = message
        stored = replace(delivery, id=len(self.rows) + 1)
        self.rows[stored.id] = StoredDelivery(delivery=stored, message=message)
        self.put(stored)
        return stored

    def put(self, delivery: Delivery) -> None:
        row = self.rows[delivery.id]
        row.delivery = delivery
        waiting = self.line_of(row).waiting
        queued = delivery.state is DeliveryState.QUEUED
        if queued and delivery.id not in waiting:
            insort(waiting, delivery.id)
        elif not queued and delivery.id in waiting:
            waiting.remove(delivery.id)

    def line_of(self, row: StoredDelivery) -> Line:
        return self.lines[row.message.sender_id]


class InMemoryIntake(Intake):
    """`away` makes it unavailable."""

    def __init__(self, store: InMemoryStore) -> None:
        self._store = store
        self._keys: dict[tuple[str, str], tuple[IdempotencyKey, AcceptedText]] = {}
        self.added: list[NewText] = []
        self.away = False

    async def add(self, text: NewText) -> AcceptedText:
        if self.away:
            raise StoreUnavailable
        if text.key is not None:
            now_us = text.message.created_us
            earlier = await self.answered(text.message.program_id, text.key, now_us=now_us)
            if earlier is not None:
                return earlier
        program_id = text.message.program_id
        text = text.sparing({number for theirs, number in self._store.opted_out if theirs == program_id})
        self.added.append(text)
        if text.key is not None:
            self._keys[program_id, text.key.value] = (text.key, text.accepted())
        for delivery in text.deliveries:
            self._store.add(text.message, delivery)
        if text.counts.get(DeliveryState.QUEUED):
            self._store.lines[text.message.sender_id].make_due(text.message.created_us)
        return text.accepted()

    async def answered(self, program_id: str, key: IdempotencyKey, *, now_us: int) -> AcceptedText | None:
        kept, accepted = self._keys.get((program_id, key.value), (None, None))
        if kept is None or accepted is None or accepted.summary.message.created_us <= now_us - KEPT_US:
            return None
        if kept.fingerprint != key.fingerprint:
            raise IdempotencyKeyReused
        return replace(accepted, replayed=True)

    async def forget_keys(self, *, now_us: int) -> int:
        old = [name for name, (_, text) in self._keys.items() if text.summary.message.created_us <= now_us - KEPT_US]
        for name in old:
            del self._keys[name]
        return len(old)


class InMemoryContacts(Contacts):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    async def among(self, program_id: str, numbers: Collection[PhoneNumber]) -> frozenset[PhoneNumber]:
        return frozenset(
            row.delivery.number
            for row in self._store.rows.values()
            if row.message.program_id == program_id
            and row.delivery.number in numbers
            and row.delivery.state not in IN_VAIN
        )


class InMemoryStaffRoles(StaffRoles):
    """Looks for no program."""

    def __init__(self, *roles: StaffRole) -> None:
        self._roles = {place: replace(each, id=place) for place, each in enumerate(roles, start=1)}

    async def put(self, role: StaffRole) -> StaffRole:
        stored = replace(role, id=max(self._roles, default=0) + 1)
        self._roles[stored.id] = stored
        return stored

    async def remove(self, role_id: int) -> StaffRole:
        if role_id not in self._roles:
            raise StaffRoleNotFound
        return self._roles.pop(role_id)

    async def all(self) -> Sequence[StaffRole]:
        return list(self._roles.values())


class InMemoryTemplates(Templates):
    """Of any program. `sought` are those that were looked for."""

    def __init__(self) -> None:
        self._kept: dict[str, list[TemplateVersion]] = {}
        self._retired: set[str] = set()
        self.sought: list[str] = []

    async def add(self, program_id: str, name: TemplateName, text: TemplateText, *, now_us: int) -> TemplateVersion:
        if await self.versions(program_id, name):
            raise TemplateExists
        self._retired.discard(name.folded)
        return self._next(name, text, now_us)

    async def change(self, program_id: str, name: TemplateName, text: TemplateText, *, now_us: int) -> TemplateVersion:
        versions = await self.versions(program_id, name)
        if not versions:
            raise TemplateNotFound
        return versions[0] if versions[0].text == text else self._next(TemplateName(versions[0].name), text, now_us)

    async def retire(self, program_id: str, name: TemplateName, *, now_us: int) -> None:
        _ = now_us
        if not await self.versions(program_id, name):
            raise TemplateNotFound
        self._retired.add(name.folded)

    async def all(self, program_id: str) -> Sequence[TemplateVersion]:
        _ = program_id
        return [self._kept[name][0] for name in sorted(self._kept.keys() - self._retired)]

    async def versions(self, program_id: str, name: TemplateName) -> Sequence[TemplateVersion]:
        _ = program_id
        return [] if name.folded in self._retired else self._kept.get(name.folded, [])

    async def find(self, program_id: str, name: TemplateName, version: int | None) -> TemplateVersion | None:
        self.sought.append(name.value)
        found = await self.versions(program_id, name)
        return next((each for each in found if version in {None, each.number}), None)

    def _next(self, name: TemplateName, text: TemplateText, now_us: int) -> TemplateVersion:
        kept = self._kept.setdefault(name.folded, [])
        kept.insert(0, TemplateVersion(name=name.value, number=len(kept) + 1, text=text, created_us=now_us))
        return kept[0]


class InMemoryTextLog(TextLog):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    async def cancel(self, program_id: str, message_id: UUID, *, now_us: int) -> int | None:
        if self._own(program_id, message_id) is None:
            return None
        self._store.canceled.add(message_id)
        waiting = [each for each in self._deliveries_of(message_id) if each.state in WAITING]
        for delivery in waiting:
            self._store.put(delivery.canceled(now_us=now_us))
        return len(waiting)

    async def find(self, program_id: str, message_id: UUID) -> TextSummary | None:
        message = self._own(program_id, message_id)
        return None if message is None else self._summary(message)

    async def page(
        self, program_id: str, *, wanted: TextFilter = EVERY_TEXT, before: UUID | None, limit: int
    ) -> Page[TextSummary, UUID]:
        own = [
            message
            for message in self._store.messages.values()
            if message.program_id == program_id and (before is None or message.id < before)
        ]
        own.sort(key=lambda message: message.id, reverse=True)
        found = [summary for summary in map(self._summary, own) if _is_wanted(summary, wanted)]
        return Page(found[:limit], found[limit - 1].message.id if len(found) > limit else None)

    async def deliveries(
        self, program_id: str, message_id: UUID, *, state: DeliveryState | None = None, after: int, limit: int
    ) -> Page[LoggedDelivery, int] | None:
        message = self._own(program_id, message_id)
        if message is None:
            return None
        rest = [
            LoggedDelivery(delivery=delivery, sender=message.sender)
            for delivery in self._deliveries_of(message_id)
            if delivery.position > after and state in {None, delivery.state}
        ]
        return Page(rest[:limit], rest[limit - 1].delivery.position if len(rest) > limit else None)

    def _own(self, program_id: str, message_id: UUID) -> TextMessage | None:
        message = self._store.messages.get(message_id)
        return None if message is None or message.program_id != program_id else message

    def _deliveries_of(self, message_id: UUID) -> list[Delivery]:
        theirs = [row.delivery for row in self._store.rows.values() if row.message.id == message_id]
        return sorted(theirs, key=lambda delivery: delivery.position)

    def _summary(self, message: TextMessage) -> TextSummary:
        deliveries = self._deliveries_of(message.id)
        counts: dict[DeliveryState, int] = {}
        for delivery in deliveries:
            counts[delivery.state] = counts.get(delivery.state, 0) + 1
        numbers = [delivery.number for delivery in deliveries[:NUMBERS_SHOWN]]
        reason = deliveries[0].reason if len(deliveries) == 1 else None
        return TextSummary(message=message, numbers=numbers, counts=counts, reason=reason)


def _is_wanted(summary: TextSummary, wanted: TextFilter) -> bool:
    created_us = summary.message.created_us
    return (
        wanted.state in {None, summary.state}
        and (wanted.number is None or wanted.number in summary.numbers)
        and (wanted.from_us is None or wanted.from_us <= created_us)
        and (wanted.before_us is None or created_us < wanted.before_us)
    )


class InMemoryQueue(DeliveryQueue):
    """Plans as the databases do, one claim after the other."""

    def __init__(self, store: InMemoryStore, retry: RetryPolicy | None = None) -> None:
        self._store = store
        self._retry = retry or RetryPolicy()

    async def claim(
        self, dispatcher_id: int, *, now_us: int, reservation: Reservation, share: Share = EVERY_SENDER
    ) -> Sequence[Claim]:
        due = {
            sender_id: line
            for sender_id, line in sorted(self._store.lines.items(), key=lambda each: each[1].due_us or 0)
            if not line.sender.paused and line.due_us is not None and line.due_us <= now_us
            if sender_id % share.of == share.rank or line.due_us <= now_us - _GRACE_US
        }
        lines = {
            sender_id: PlannedLine(
                schedule=line.schedule,
                waiting=self._candidates(line, now_us, reservation),
                turns=Turns.read(line.turns.written()),
                taken_over=line.owner != dispatcher_id,
                most=_most(line),
            )
            for sender_id, line in due.items()
        }
        plans = plan(lines, now_us=now_us, reservation=reservation)
        return [
            claim
            for sender_id, its in plans.items()
            for claim in self._carried_out(due[sender_id], its, dispatcher_id, now_us)
        ]

    async def next_due_us(self, *, share: Share = EVERY_SENDER) -> int | None:
        return min(
            (
                line.due_us
                for sender_id, line in self._store.lines.items()
                if line.due_us is not None and not line.sender.paused and sender_id % share.of == share.rank
            ),
            default=None,
        )

    async def record(self, deliveries: Sequence[Delivery]) -> None:
        latest_us = max(delivery.updated_us for delivery in deliveries)
        for result in deliveries:
            row = self._store.rows[result.id]
            may_follow = {DeliveryState.SENDING}
            if result.state is not DeliveryState.QUEUED:
                may_follow.add(DeliveryState.UNKNOWN)
            if result.state in RECEIPT_STATES:
                may_follow.add(DeliveryState.SENT)
            if row.delivery.attempt == result.attempt and row.delivery.state in may_follow:
                self._store.put(result)
            if result.state is DeliveryState.QUEUED:
                self._store.line_of(row).make_due(latest_us)

    async def take_over(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        being_sent = {
            (each.id, each.attempt) for each in self._store.deliveries() if each.state is DeliveryState.SENDING
        }
        taken_over = [each for each in deliveries if (each.id, each.attempt) in being_sent]
        if taken_over:
            await self.record(taken_over)
        return taken_over

    async def strays(self, dispatcher_id: int, *, slots_before_us: int) -> Sequence[Delivery]:
        return [
            row.delivery
            for row in self._store.rows.values()
            if row.claimed_by == dispatcher_id
            and row.delivery.state is DeliveryState.SENDING
            and row.slot_us < slots_before_us
        ]

    async def delay(self, sender_id: int, by_us: int, *, now_us: int) -> None:
        line = self._store.lines[sender_id]
        line.next_free_us = line.schedule.delayed(by_us, now_us=now_us).next_free_us

    async def bar(self, sender_id: int, reason: str, *, now_us: int) -> int:
        line = self._store.lines[sender_id]
        line.bars += 1
        line.sender = replace(line.sender, bar_reason=reason)
        line.due_us = now_us + self._retry.barred_for_us(line.bars)
        return line.bars

    async def unbar(self, sender_id: int, *, now_us: int) -> None:
        line = self._store.lines[sender_id]
        if line.bars:
            line.bars, line.due_us = 0, now_us
            line.sender = replace(line.sender, bar_reason=None)

    def _candidates(self, line: Line, now_us: int, reservation: Reservation) -> list[Candidate]:
        """The first of each program and priority, so many as a claim can use."""
        wanted = min(line.schedule.candidates_wanted(now_us, reservation), _most(line) or reservation.most)
        found: dict[tuple[Priority, str], list[Candidate]] = {}
        for row in (self._store.rows[each] for each in line.waiting):
            those = found.setdefault((row.message.priority, row.message.program_id), [])
            if len(those) < wanted:
                those.append(self._as_candidate(row))
        return [each for key in sorted(found) for each in found[key]]

    def _as_candidate(self, row: StoredDelivery) -> Candidate:
        return Candidate(
            delivery_id=row.delivery.id,
            segments=row.delivery.segments,
            priority=row.message.priority,
            program_id=row.message.program_id,
            opted_out=(row.message.program_id, row.delivery.number) in self._store.opted_out,
            canceled=row.message.id in self._store.canceled,
            expires_us=row.message.expires_us,
        )

    def _carried_out(self, line: Line, its: SlotPlan, dispatcher_id: int, now_us: int) -> Iterable[Claim]:
        line.next_free_us, line.due_us, line.owner = its.schedule.next_free_us, its.due_us, dispatcher_id
        line.turns = its.turns
        if line.bars:
            line.due_us = max(line.due_us or 0, now_us + _PROBE_EVERY_US)
        for each, state in its.ended.items():
            self._store.put(replace(self._store.delivery(each), state=state, updated_us=now_us))
        for slot in its.slots:
            row = self._store.rows[slot.delivery_id]
            mail_to = self._store.mail_to.get(row.message.program_id)
            self._store.put(row.delivery.claimed(now_us=now_us, instead=None if mail_to is None else MAIL))
            row.claimed_by, row.slot_us = dispatcher_id, slot.at_us
            yield Claim(
                delivery=row.delivery,
                message_id=row.message.id,
                program_id=row.message.program_id,
                sender=line.sender,
                body=row.message.body,
                slot=slot,
                expires_us=row.message.expires_us,
                mail_to=mail_to,
            )


def _most(line: Line) -> int | None:
    return 1 if line.bars else None


class TroubledQueue(DeliveryQueue):
    """The queue as an engine meets it on bad days, and what went through it.

    `away` makes the store unavailable; the `…_fault`s are raised by their call. Calls take `…_takes_us` before they
    do anything, and the answers of a claim and of a search for strays `…_answer_takes_us` after that; with
    `loses_answers` a claim is made and then answered by nothing but `StoreUnavailable`. `delays` are (sender's id,
    by_us), `bars` (sender's id, reason), `unbarred` and `asked_when_due` in the order of the calls.
    """

    def __init__(self, queue: DeliveryQueue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self.away = self.loses_answers = False
        self.claim_takes_us = self.record_takes_us = self.delay_takes_us = 0
        self.claim_answer_takes_us = self.strays_answer_takes_us = 0
        self.claim_fault: Exception | None = None
        self.record_fault: Exception | None = None
        self.delay_fault: Exception | None = None
        self.claims: list[Claim] = []
        self.tried_to_claim_at: list[int] = []
        self.recorded: list[Delivery] = []
        self.delays: list[tuple[int, int]] = []
        self.bars: list[tuple[int, str]] = []
        self.unbarred: list[int] = []
        self.asked_when_due: list[Share] = []
        self.claimed_for: list[Share] = []

    async def claim(
        self, dispatcher_id: int, *, now_us: int, reservation: Reservation, share: Share = EVERY_SENDER
    ) -> Sequence[Claim]:
        self.claimed_for.append(share)
        self.tried_to_claim_at.append(self._clock.now_us())
        await self._through(self.claim_takes_us, self.claim_fault)
        claims = await self._queue.claim(dispatcher_id, now_us=now_us, reservation=reservation, share=share)
        self.claims += claims
        await self._through(self.claim_answer_takes_us, StoreUnavailable() if self.loses_answers else None)
        return claims

    async def record(self, deliveries: Sequence[Delivery]) -> None:
        await self._through(self.record_takes_us, self.record_fault)
        await self._queue.record(deliveries)
        self.recorded += deliveries

    async def take_over(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        await self._through()
        return await self._queue.take_over(deliveries)

    async def strays(self, dispatcher_id: int, *, slots_before_us: int) -> Sequence[Delivery]:
        await self._through()
        strays = await self._queue.strays(dispatcher_id, slots_before_us=slots_before_us)
        await self._through(self.strays_answer_takes_us)
        return strays

    async def delay(self, sender_id: int, by_us: int, *, now_us: int) -> None:
        await self._through(self.delay_takes_us, self.delay_fault)
        await self._queue.delay(sender_id, by_us, now_us=now_us)
        self.delays.append((sender_id, by_us))

    async def next_due_us(self, *, share: Share = EVERY_SENDER) -> int | None:
        self.asked_when_due.append(share)
        await self._through()
        return await self._queue.next_due_us(share=share)

    async def bar(self, sender_id: int, reason: str, *, now_us: int) -> int:
        await self._through()
        self.bars.append((sender_id, reason))
        return await self._queue.bar(sender_id, reason, now_us=now_us)

    async def unbar(self, sender_id: int, *, now_us: int) -> None:
        await self._through()
        self.unbarred.append(sender_id)
        await self._queue.unbar(sender_id, now_us=now_us)

    async def _through(self, takes_us: int = 0, fault: Exception | None = None) -> None:
        await self._clock.sleep_until(self._clock.now_us() + takes_us)
        if fault is not None:
            raise fault
        if self.away:
            raise StoreUnavailable


class InMemoryDueDeliveries(DueDeliveries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    async def queue(self, *, now_us: int) -> int:
        due = self._due(now_us, {DeliveryState.SCHEDULED})
        for row in due:
            self._store.put(replace(row.delivery, state=DeliveryState.QUEUED, due_us=None, updated_us=now_us))
            self._store.line_of(row).make_due(now_us)
        return len(due)

    async def expire(self, *, now_us: int) -> int:
        over = [
            row
            for row in self._store.rows.values()
            if row.delivery.state in WAITING and row.message.expires_us is not None and row.message.expires_us <= now_us
        ]
        for row in over:
            self._store.put(row.delivery.expired(now_us=now_us))
        return len(over)

    async def enquiries(self, *, now_us: int, limit: int) -> Sequence[Enquiry]:
        due = self._due(now_us, {DeliveryState.UNKNOWN, DeliveryState.SENT})[:limit]
        for row in due:
            self._store.put(replace(row.delivery, due_us=now_us + 60 * SECOND))
        return [
            Enquiry(
                delivery=row.delivery,
                provider=sender.provider,
                account_id=sender.account_id,
                sender=sender.address,
                body=row.message.body,
                attempted_us=row.slot_us,
                others=self._others(row.delivery),
                on_unknown=self._store.on_unknown,
            )
            for row in due
            for sender in [self._store.line_of(row).sender]
        ]

    async def rouse(self, *, now_us: int) -> int:
        idle = [line for line in self._store.lines.values() if line.due_us is None and line.waiting]
        for line in idle:
            line.make_due(now_us)
        return len(idle)

    def _others(self, delivery: Delivery) -> frozenset[str]:
        return frozenset(
            each.provider_reference
            for each in self._store.deliveries()
            if each.number == delivery.number and each.id != delivery.id and each.provider_reference is not None
        )

    def _due(self, now_us: int, states: Collection[DeliveryState]) -> list[StoredDelivery]:
        due = [
            (row.delivery.due_us, row.delivery.id, row)
            for row in self._store.rows.values()
            if row.delivery.state in states and row.delivery.due_us is not None and row.delivery.due_us <= now_us
        ]
        return [row for _, _, row in sorted(due, key=lambda entry: entry[:2])]


class InMemoryDispatchers(Dispatchers):
    """`away` makes the store unavailable."""

    def __init__(self, store: InMemoryStore) -> None:
        self._store = store
        self._ids = itertools.count(1)
        self.away = False

    async def join(self, *, now_us: int) -> int:
        self._must_be_there()
        dispatcher_id = next(self._ids)
        self._store.last_seen_us[dispatcher_id] = now_us
        return dispatcher_id

    async def beat(self, dispatcher_id: int, *, now_us: int, heard_since_us: int) -> Share | None:
        self._must_be_there()
        if dispatcher_id not in self._store.last_seen_us:
            return None
        self._store.last_seen_us[dispatcher_id] = now_us
        alive = sorted(each for each, seen_us in self._store.last_seen_us.items() if seen_us >= heard_since_us)
        return Share(alive.index(dispatcher_id), len(alive))

    async def leave(self, dispatcher_id: int) -> None:
        self._must_be_there()
        self._store.last_seen_us.pop(dispatcher_id, None)

    async def orphans(self, *, silent_since_us: int, limit: int) -> Sequence[Orphan]:
        self._must_be_there()
        orphans = [
            Orphan(
                delivery=row.delivery,
                provider=self._store.line_of(row).sender.provider,
                slot_us=row.slot_us,
                last_seen_us=self._last_seen_us(row),
            )
            for row in self._store.rows.values()
            if row.delivery.state is DeliveryState.SENDING and self._last_seen_us(row) < silent_since_us
        ]
        return orphans[:limit]

    async def dismiss(self, *, silent_since_us: int) -> None:
        self._must_be_there()
        orphaned_by = {
            row.claimed_by for row in self._store.rows.values() if row.delivery.state is DeliveryState.SENDING
        }
        silent = {each for each, seen_us in self._store.last_seen_us.items() if seen_us < silent_since_us}
        for dispatcher_id in silent - orphaned_by:
            self._store.last_seen_us.pop(dispatcher_id)

    def _last_seen_us(self, row: StoredDelivery) -> int:
        """Who has left is known no more; for all that we know it was there at the slot."""
        return self._store.last_seen_us.get(row.claimed_by, row.slot_us)

    def _must_be_there(self) -> None:
        if self.away:
            raise StoreUnavailable


class FakeBacklog(Backlog):
    """The same waits at every sender; what joins is noted."""

    def __init__(self, ahead: QueueAhead | None = None) -> None:
        self.ahead = ahead or QueueAhead(pace=Pace.parse("1/s"), at_us=0)
        self.asked: list[tuple[int, int]] = []
        self.has_joined: list[tuple[int, str, Priority, Waiting, int]] = []

    async def at(self, sender_id: int, *, now_us: int) -> QueueAhead:
        self.asked.append((sender_id, now_us))
        return self.ahead

    def joined(self, sender_id: int, program_id: str, priority: Priority, accepted: Waiting, *, now_us: int) -> None:
        self.has_joined.append((sender_id, program_id, priority, accepted, now_us))


def _issued(key: KeyHash | IssuedKey) -> IssuedKey:
    return IssuedKey(hash=key) if isinstance(key, KeyHash) else key


class InMemoryProgramKeys(ProgramKeys):
    """Notes when which key was used; knows no other."""

    def __init__(self) -> None:
        self.used_at: list[tuple[int, int]] = []

    async def add(self, program_id: str, key_hash: KeyHash, terms: KeyTerms, *, hint: str, now_us: int) -> IssuedKey:
        raise NotImplementedError

    async def of_program(self, program_id: str) -> Sequence[IssuedKey]:
        raise NotImplementedError

    async def revoke(self, program_id: str, key_id: int, *, now_us: int) -> IssuedKey:
        raise NotImplementedError

    async def used(self, key_id: int, *, now_us: int) -> None:
        self.used_at.append((key_id, now_us))


class InMemoryPrograms(Programs):
    def __init__(self, *programs: Program, keys: Mapping[str, Sequence[KeyHash | IssuedKey]] | None = None) -> None:
        """`keys` are those of the programs, by their SIDs."""
        self._programs = list(programs)
        self._keys: dict[str, Sequence[KeyHash | IssuedKey]] = {program.sid: () for program in programs} | dict(
            keys or {}
        )

    async def add(self, program: NewProgram) -> Program:
        taken = (each.is_called(program.id) or each.sid == program.sid for each in self._programs)
        if any(taken):
            raise ProgramExists
        sender = self._found_or_added(program.provider, program.account, program.sender, program.pace)
        added = Program(
            id=program.id,
            sid=program.sid,
            name=program.name,
            sender=sender,
            first_hub=program.first_hub,
            terms=program.terms,
        )
        self._programs.append(added)
        self._keys[program.sid] = [program.key_hash]
        return added

    async def change(self, program_id: str, change: Callable[[Program], Program]) -> Program:
        program = await self.find(program_id)
        if program is None:
            raise ProgramNotFound
        self._programs.remove(program)
        self._programs.append(change(program))
        return self._programs[-1]

    async def add_sender(
        self,
        program_id: str,
        *,
        provider: str,
        sender: SenderAddress,
        pace: Pace | None,
        account: ProviderAccount | None = None,
    ) -> Program:
        program = await self.find(program_id)
        if program is None:
            raise ProgramNotFound
        further = self._found_or_added(provider, account, sender, pace)
        if further not in program.senders:
            self._programs.remove(program)
            program = replace(program, other_senders=(*program.other_senders, further))
            self._programs.append(program)
        return program

    async def find(self, program_id: str) -> Program | None:
        return next((program for program in self._programs if program.is_called(program_id)), None)

    async def find_with_keys(self, sid: str) -> tuple[Program, Sequence[IssuedKey]] | None:
        found = next((program for program in self._programs if program.sid == sid), None)
        return None if found is None else (found, [_issued(each) for each in self._keys[sid]])

    async def remove_sender(self, program_id: str, sender_id: int) -> Program:
        raise NotImplementedError

    async def all(self, *, deleted: bool = False) -> Sequence[Program]:
        return [] if deleted else sorted(self._programs, key=lambda program: program.name)

    def _found_or_added(
        self, provider: str, account: ProviderAccount | None, address: SenderAddress, pace: Pace | None
    ) -> Sender:
        known = [sender for program in self._programs for sender in program.senders]
        sender = next((each for each in known if (each.provider, each.address) == (provider, address)), None)
        if sender is None:
            if account is None:
                raise CredentialsMissing
            number = len({each.id for each in known}) + 1
            return Sender(
                id=number, provider=provider, address=address, pace=pace or Pace.parse("1/s"), account=account.name
            )
        if pace not in {None, sender.pace}:
            raise PaceDiffers(current=str(sender.pace))
        return sender


class InMemoryOptOuts(OptOuts):
    def __init__(self, store: InMemoryStore) -> None:
        self._opted_out = store.opted_out
        self._events: list[ConsentEvent] = []

    async def record(self, events: Sequence[ConsentEvent]) -> None:
        for event in events:
            self._events.append(event)
            change = self._opted_out.add if event.consent is Consent.WITHDRAWN else self._opted_out.discard
            change((event.program_id or event.sender_id, event.number))

    async def among(
        self, program_id: str, numbers: Collection[PhoneNumber], *, sender_id: int
    ) -> frozenset[PhoneNumber]:
        whose = (program_id, sender_id, None)
        return frozenset(each for each in numbers if any((one, each) in self._opted_out for one in whose))

    async def of_program(self, program_id: str, numbers: Collection[PhoneNumber]) -> frozenset[PhoneNumber]:
        return frozenset(each for each in numbers if (program_id, each) in self._opted_out)

    async def page(
        self, program_id: str, *, number: PhoneNumber | None = None, after: str | None, limit: int
    ) -> Page[OptOut, str]:
        raise NotImplementedError

    async def events(
        self, number: PhoneNumber, *, program_id: str | None = None, after: int | None = None, limit: int
    ) -> Page[ConsentEvent, int]:
        said = [each for each in self._events if each.number == number and program_id in {None, each.program_id}]
        start = after or 0
        end = start + limit
        return Page(said[start:end], end if end < len(said) else None)


class FakeTokens(Tokens):
    def __init__(self) -> None:
        self.issued: dict[str, Grant] = {}

    def issue(self, grant: Grant) -> str:
        token = f"token-{len(self.issued) + 1}"
        self.issued[token] = grant
        return token

    def verify(self, token: str) -> Grant:
        if token not in self.issued:
            raise TokenRefused("unknown")
        return self.issued[token]


class FakeLoginGuard(GuessGuard):
    """Admits so many logins of a program from an address, ever."""

    def __init__(self, *, most: int = 1_000) -> None:
        self._most = most
        self.asked: list[tuple[str, str]] = []
        self.told: list[tuple[str, str, bool]] = []

    async def admit(self, program_sid: str, address: str) -> None:
        self.asked.append((program_sid, address))
        if self.asked.count((program_sid, address)) > self._most:
            raise TooManyLogins(retry_after_s=60)

    async def ended(self, program_sid: str, address: str, *, good: bool) -> None:
        self.told.append((program_sid, address, good))


@dataclass(frozen=True, slots=True)
class Call:
    """`at_us` is monotonic."""

    at_us: int
    number: PhoneNumber
    text: OutgoingText


class OpenProvider(SmsProvider):
    """Needs credentials for nothing but to tell accounts apart, by their `account`."""

    def account_of(self, credentials: Credentials) -> str:
        return credentials.values.get("account", "the only one")

    async def send(self, text: OutgoingText, departure: Departure) -> SendOutcome:
        raise NotImplementedError

    async def look_up(self, enquiry: Enquiry) -> EnquiryAnswer:
        raise NotImplementedError

    async def prepare(self) -> None:
        """It is ready."""

    async def close(self) -> None:
        """It holds nothing."""


class ScriptedProvider(SmsProvider):
    """Answers calls with `outcomes`, one after the other, and accepts when there are none left; exceptions are raised.

    `connecting` is how long each call takes until its connection stands, one after the other, or what is raised
    instead; nothing happens there when there are none left. A call counts from its departure on. An answer takes
    `takes_us`, and never comes where that is None. `answers` are those to enquiries, by the delivery's id; nothing can
    be told of the others.
    """

    def __init__(
        self,
        clock: FakeClock,
        outcomes: Iterable[SendOutcome | Exception] = (),
        *,
        takes_us: int | None = 0,
        answers: Mapping[int, EnquiryAnswer | Exception] | None = None,
    ) -> None:
        self._clock = clock
        self._outcomes = deque(outcomes)
        self.connecting: deque[int | Exception] = deque()
        self.takes_us = takes_us
        self.answers = dict(answers or {})
        self.calls: list[Call] = []
        self.begun: list[int] = []
        self.enquiries: list[Enquiry] = []
        self.under_way = 0
        self.most_under_way = 0

    async def prepare(self) -> None:
        """It is ready."""

    async def close(self) -> None:
        """It holds nothing."""

    def account_of(self, credentials: Credentials) -> str:
        return credentials.values.get("account", "post")

    async def send(self, text: OutgoingText, departure: Departure) -> SendOutcome:
        self.begun.append(text.delivery_id)
        with self._one_more_under_way():
            await self._connect()
            await departure()
            self.calls.append(Call(self._clock.monotonic_us(), text.number, text))
            outcome = self._outcomes.popleft() if self._outcomes else Accepted(f"reference-{text.delivery_id}")
            await self._take_time()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def look_up(self, enquiry: Enquiry) -> EnquiryAnswer:
        self.enquiries.append(enquiry)
        answer = self.answers.get(enquiry.delivery.id, CannotTell("nothing-known"))
        with self._one_more_under_way():
            await self._take_time()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _connect(self) -> None:
        takes_us = self.connecting.popleft() if self.connecting else 0
        if isinstance(takes_us, Exception):
            raise takes_us
        await self._clock.sleep_until(self._clock.now_us() + takes_us)

    async def _take_time(self) -> None:
        if self.takes_us is None:
            await asyncio.Event().wait()
        else:
            await self._clock.sleep_until(self._clock.now_us() + self.takes_us)

    @contextmanager
    def _one_more_under_way(self) -> Iterator[None]:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            yield
        finally:
            self.under_way -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    claim: Claim
    outcome: SendOutcome
    after: Delivery
    late_us: int
    took_us: int


class RecordingObserver(DispatchObserver):
    def __init__(self) -> None:
        self.attempts: list[Attempt] = []
        self.released_claims: list[Claim] = []
        self.bars: list[tuple[int, str, int]] = []
        self.unbarred_senders: list[int] = []
        self.failovers: list[tuple[Failover, Sequence[FailedOver]]] = []
        self.answers: list[tuple[Enquiry, EnquiryAnswer, Delivery]] = []
        self.rescues: list[Sequence[Delivery]] = []
        self.beats = 0
        self.credits: list[tuple[str, int, float]] = []
        self.hold_ups: list[HubError] = []
        self.adapter_faults: list[tuple[str, Exception]] = []
        self.unlisted_codes: list[tuple[str, int, str]] = []

    def attempted(self, claim: Claim, outcome: SendOutcome, after: Delivery, *, late_us: int, took_us: int) -> None:
        self.attempts.append(Attempt(claim=claim, outcome=outcome, after=after, late_us=late_us, took_us=took_us))

    def released(self, claim: Claim) -> None:
        self.released_claims.append(claim)

    def barred(self, sender: Sender, reason: str, *, times: int) -> None:
        self.bars.append((sender.id, reason, times))

    def unbarred(self, sender: Sender) -> None:
        self.unbarred_senders.append(sender.id)

    def failed_over(self, failover: Failover, deliveries: Sequence[FailedOver]) -> None:
        self.failovers.append((failover, deliveries))

    def enquired(self, enquiry: Enquiry, answer: EnquiryAnswer, after: Delivery) -> None:
        self.answers.append((enquiry, answer, after))

    def rescued(self, provider: str, deliveries: Sequence[Delivery]) -> None:
        _ = provider
        self.rescues.append(deliveries)

    def beaten(self) -> None:
        self.beats += 1

    def credit_told(self, provider: str, account_id: int, amount: float) -> None:
        self.credits.append((provider, account_id, amount))

    def adapter_failed(self, provider: str, fault: Exception) -> None:
        self.adapter_faults.append((provider, fault))

    def code_unlisted(self, provider: str, status: int, code: str) -> None:
        self.unlisted_codes.append((provider, status, code))

    def held_up(self, error: HubError) -> None:
        self.hold_ups.append(error)

"""What tests build on a database: programs, texts and deliveries, of which each test names only what matters to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

from uuid_utils.compat import uuid7

from adapters.sql.audit import SqlAuditLog
from adapters.sql.backlog import SqlBacklog, SqlWaitingSenders
from adapters.sql.callbacks import SqlCallbacks
from adapters.sql.clock import DatabaseClock
from adapters.sql.contacts import SqlContacts
from adapters.sql.database import Database
from adapters.sql.deletions import SqlDeletions
from adapters.sql.delivery_queue import SqlDeliveryQueue
from adapters.sql.delivery_queue_postgresql import PostgresqlDeliveryQueue
from adapters.sql.delivery_queue_sqlite import SqliteDeliveryQueue
from adapters.sql.dispatchers import SqlDispatchers
from adapters.sql.due_deliveries import SqlDueDeliveries
from adapters.sql.erasures import SqlErasures
from adapters.sql.failovers import SqlFailovers
from adapters.sql.inbound_messages import SqlInboundMessages
from adapters.sql.intake import SqlIntake
from adapters.sql.intake_postgresql import PostgresqlIntake
from adapters.sql.intake_sqlite import SqliteIntake
from adapters.sql.known_accounts import SqlKnownAccounts
from adapters.sql.limits import SqlLimits
from adapters.sql.opt_outs import SqlOptOuts
from adapters.sql.pauses import SqlPauses
from adapters.sql.prices import SqlPrices
from adapters.sql.program_keys import SqlKeyStandings, SqlProgramKeys
from adapters.sql.programs import SqlPrograms
from adapters.sql.provider_accounts import SqlProviderAccounts
from adapters.sql.restored_copy import SqlRestoredCopy
from adapters.sql.retention import SqlRetention
from adapters.sql.schema import SqlSchema
from adapters.sql.senders import SqlSenders
from adapters.sql.staff_roles import SqlStaffRoles
from adapters.sql.standstills import SqlStandstills
from adapters.sql.subjects import SqlSubjects
from adapters.sql.templates import SqlTemplates
from adapters.sql.text_log import SqlTextLog
from adapters.sql.usage import SqlUsage
from adapters.sql.vital_signs import SqlVitalSigns
from adapters.sql.webhook_outbox import SqlWebhookOutbox
from adapters.sql.webhooks import SqlWebhooks
from adapters.sql.workload import SqlWorkload
from adapters.vault import FernetVault
from domain.model.budget import Budget, Velocity
from domain.model.consent import Consent, ConsentEvent, Method
from domain.model.credentials import NO_CREDENTIALS, ProviderAccount
from domain.model.delivery import Delivery, DeliveryState
from domain.model.idempotency import IdempotencyKey
from domain.model.message_body import MessageBody
from domain.model.pace import SECOND_US, Pace
from domain.model.phone_number import PhoneNumber
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.program_key import KeyHash, ProgramKey
from domain.model.sender import Sender, SenderAddress
from domain.model.share import EVERY_SENDER, Share
from domain.model.slots import Reservation
from domain.model.terms import Terms
from domain.model.text_message import NewText, TextMessage
from domain.ports.delivery_queue import Claim
from domain.ports.programs import NewProgram

# A moment to count from; the queue is told the time, so nothing depends on when the tests are run.
NOW_US = 1_900_000_000 * SECOND_US

SENDER = SenderAddress("+19705550100")
SANDBOX = ProviderAccount("sandbox", NO_CREDENTIALS)
VAULT = FernetVault({"tests": b"a key of the tests, 32 bytes long"})


def a_number(index: int = 0) -> PhoneNumber:
    """One of 10,000 numbers that are nobody's."""
    return PhoneNumber(f"+1970{5_550_000 + index}")


def numbers(count: int, *, first: int = 0) -> Sequence[PhoneNumber]:
    return [a_number(index) for index in range(first, first + count)]


def a_body(segments: int = 1) -> MessageBody:
    return MessageBody("Hello" if segments == 1 else "я" * (67 * segments))


def a_program(
    program_id: str = "city-hall",
    *,
    sid: str | None = None,
    name: str = "City Hall",
    provider: str = "sandbox",
    sender: SenderAddress = SENDER,
    pace: str | None = "1/s",
    first_hub: bool = False,
    failover: bool = False,
    key_hash: KeyHash | None = None,
    account: ProviderAccount | None = SANDBOX,
) -> NewProgram:
    """`sid` is made from the id where none is given."""
    return NewProgram(
        id=program_id,
        sid=sid or f"SID-{program_id}",
        name=name,
        key_hash=key_hash or KeyHash(ProgramKey("open sesame").hash()),
        provider=provider,
        sender=sender,
        pace=None if pace is None else Pace.parse(pace),
        first_hub=first_hub,
        terms=Terms(failover=failover),
        created_us=NOW_US,
        account=account,
    )


def an_opt_out(
    program_id: str | None,
    number: PhoneNumber,
    *,
    at_us: int = NOW_US,
    sender_id: int | None = None,
    method: Method = Method.API,
    wording: str | None = None,
    consent: Consent = Consent.WITHDRAWN,
) -> ConsentEvent:
    return ConsentEvent(
        program_id=program_id,
        sender_id=sender_id,
        number=number,
        consent=consent,
        method=method,
        at_us=at_us,
        wording=wording,
    )


def an_opt_in(
    program_id: str | None,
    number: PhoneNumber,
    *,
    at_us: int = NOW_US,
    sender_id: int | None = None,
    method: Method = Method.API,
) -> ConsentEvent:
    return an_opt_out(program_id, number, at_us=at_us, sender_id=sender_id, method=method, consent=Consent.GIVEN)


def a_delivery(
    number: PhoneNumber | None = None,
    *,
    delivery_id: int = 0,
    position: int = 1,
    segments: int = 1,
    state: DeliveryState = DeliveryState.QUEUED,
    attempt: int = 0,
    at_us: int = NOW_US,
) -> Delivery:
    return Delivery(
        id=delivery_id,
        position=position,
        number=number or a_number(),
        segments=segments,
        state=state,
        attempt=attempt,
        updated_us=at_us,
    )


def a_text(
    program: Program,
    *to: PhoneNumber,
    message_id: UUID | None = None,
    segments: int = 1,
    at_us: int = NOW_US,
    client_date_sent: str | None = None,
    priority: Priority = Priority.NORMAL,
    send_at_us: int | None = None,
    expires_us: int | None = None,
    sender: Sender | None = None,
    sender_named: bool = False,
    trace_parent: str | None = None,
    key: IdempotencyKey | None = None,
    duplicate_window_us: int | None = None,
    per_recipient: Velocity | None = None,
    budgets: Sequence[Budget] = (),
) -> NewText:
    """A text to the numbers, or to one where none is given, with all its deliveries queued or scheduled."""
    recipients = to or (a_number(),)
    message = TextMessage(
        id=message_id or uuid7(),
        program_id=program.id,
        sender_id=(sender or program.sender).id,
        sender=(sender or program.sender).address,
        body=a_body(segments),
        recipients=len(recipients),
        created_us=at_us,
        client_date_sent=client_date_sent,
        priority=priority,
        send_at_us=send_at_us,
        expires_us=expires_us,
        sender_named=sender_named,
        trace_parent=trace_parent,
    )
    state = DeliveryState.QUEUED if send_at_us is None else DeliveryState.SCHEDULED
    deliveries = [
        replace(a_delivery(number, position=position, segments=segments, state=state, at_us=at_us), due_us=send_at_us)
        for position, number in enumerate(recipients, start=1)
    ]
    return NewText(
        message=message,
        deliveries=deliveries,
        key=key,
        duplicate_window_us=duplicate_window_us,
        per_recipient=per_recipient,
        budgets=budgets,
    )


@dataclass(frozen=True, slots=True)
class Store:
    """All that the hub does with one database, and shorthands for what tests do most."""

    database: Database
    schema: SqlSchema
    clock: DatabaseClock
    programs: SqlPrograms
    accounts: SqlProviderAccounts
    known_accounts: SqlKnownAccounts
    senders: SqlSenders
    limits: SqlLimits
    prices: SqlPrices
    staff_roles: SqlStaffRoles
    usage: SqlUsage
    pauses: SqlPauses
    deletions: SqlDeletions
    retention: SqlRetention
    standstills: SqlStandstills
    audit_log: SqlAuditLog
    contacts: SqlContacts
    keys: SqlProgramKeys
    standings: SqlKeyStandings
    opt_outs: SqlOptOuts
    templates: SqlTemplates
    texts: SqlTextLog
    intake: SqlIntake
    backlog: SqlBacklog
    queue: SqlDeliveryQueue
    due: SqlDueDeliveries
    dispatchers: SqlDispatchers
    callbacks: SqlCallbacks
    failovers: SqlFailovers
    inbound: SqlInboundMessages
    vital_signs: SqlVitalSigns
    workload: SqlWorkload
    webhooks: SqlWebhooks
    webhook_outbox: SqlWebhookOutbox
    restored_copy: SqlRestoredCopy
    subjects: SqlSubjects
    erasures: SqlErasures

    @classmethod
    def on(cls, database: Database) -> Self:
        queue = (SqliteDeliveryQueue if database.is_sqlite else PostgresqlDeliveryQueue)(database)
        return cls(
            database=database,
            schema=SqlSchema(database),
            clock=DatabaseClock(database),
            programs=SqlPrograms(database, VAULT),
            accounts=SqlProviderAccounts(database, VAULT),
            known_accounts=SqlKnownAccounts(database, VAULT),
            senders=SqlSenders(database),
            limits=SqlLimits(database),
            prices=SqlPrices(database),
            staff_roles=SqlStaffRoles(database),
            usage=SqlUsage(database),
            pauses=SqlPauses(database, queue),
            deletions=SqlDeletions(database),
            retention=SqlRetention(database),
            standstills=SqlStandstills(database),
            audit_log=SqlAuditLog(database),
            contacts=SqlContacts(database),
            keys=SqlProgramKeys(database),
            standings=SqlKeyStandings(database),
            opt_outs=SqlOptOuts(database),
            templates=SqlTemplates(database),
            texts=SqlTextLog(database),
            intake=(SqliteIntake if database.is_sqlite else PostgresqlIntake)(database),
            backlog=SqlBacklog(database, SqlWaitingSenders(database)),
            queue=queue,
            due=SqlDueDeliveries(database, queue),
            dispatchers=SqlDispatchers(database),
            callbacks=SqlCallbacks(database),
            failovers=SqlFailovers(database),
            inbound=SqlInboundMessages(database),
            vital_signs=SqlVitalSigns(database, heard_within_us=3 * SECOND_US),
            workload=SqlWorkload(database),
            webhooks=SqlWebhooks(database, VAULT),
            webhook_outbox=SqlWebhookOutbox(database, VAULT),
            restored_copy=SqlRestoredCopy(database),
            subjects=SqlSubjects(database),
            erasures=SqlErasures(database),
        )

    async def set_terms(self, program_id: str, terms: Terms) -> Program:
        return await self.programs.change(program_id, lambda program: replace(program, terms=terms))

    async def add_program(
        self, program_id: str = "city-hall", *, pace: str | None = "1/s", sender: SenderAddress = SENDER
    ) -> Program:
        return await self.programs.add(a_program(program_id, pace=pace, sender=sender))

    async def add_text(self, program: Program, *to: PhoneNumber, segments: int = 1, at_us: int = NOW_US) -> TextMessage:
        text = a_text(program, *to, segments=segments, at_us=at_us)
        await self.intake.add(text)
        return text.message

    async def join(self, *, at_us: int = NOW_US) -> int:
        return await self.dispatchers.join(now_us=at_us)

    async def claim(
        self,
        dispatcher_id: int,
        *,
        at_us: int = NOW_US,
        reservation: Reservation | None = None,
        share: Share = EVERY_SENDER,
    ) -> Sequence[Claim]:
        return await self.queue.claim(
            dispatcher_id, now_us=at_us, reservation=reservation or Reservation(), share=share
        )

    async def deliveries(self, program: Program, message: TextMessage) -> Sequence[Delivery]:
        """How the message's deliveries stand now."""
        page = await self.texts.deliveries(program.id, message.id, after=0, limit=20_000)
        assert page is not None
        return [each.delivery for each in page.items]

    async def states(self, program: Program, message: TextMessage) -> Sequence[DeliveryState]:
        return [delivery.state for delivery in await self.deliveries(program, message)]

"""The composition root: the one place that knows which adapter stands behind which port."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from dependency_injector import containers, providers
from starlette.types import ASGIApp
from uuid_utils.compat import uuid7

from adapters.login_guard import InProcessLoginGuard
from adapters.providers.on_demand import CheckerOnDemand, OnDemand
from adapters.providers.sandbox.check import SandboxChecker
from adapters.providers.sandbox.provider import SandboxProvider
from adapters.providers.twilio.callbacks import TwilioCallbacks
from adapters.providers.vonage.callbacks import VonageCallbacks, VonageSmsCallbacks
from adapters.remembered import (
    RememberedAccounts,
    RememberedBacklog,
    RememberedPrograms,
    RememberedStaffRoles,
    RememberedStandings,
    RememberedTemplates,
    RememberedTokens,
    RememberedVitalSigns,
    RememberedWaitingSenders,
    RememberedWorkload,
)
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
from adapters.sql.login_guard import SqlLoginGuard
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
from adapters.sql.wakeups_postgresql import PostgresqlWakeups
from adapters.sql.webhook_outbox import SqlWebhookOutbox
from adapters.sql.webhooks import SqlWebhooks
from adapters.sql.workload import SqlWorkload
from adapters.staff_tokens import JwtStaffTokens
from adapters.tokens import JwtTokens
from adapters.vault import FernetVault
from adapters.wakeups import InProcessWakeups
from adapters.webhooks.destinations import Destinations, networks
from adapters.webhooks.transport import HttpWebhookTransport
from domain.model.consent import Scope
from domain.model.pace import SECOND_US
from domain.model.price import Price
from domain.model.retry import RetryPolicy
from domain.ports.audit_log import AuditLog
from domain.ports.backlog import Backlog
from domain.ports.callback_observer import CallbackObserver
from domain.ports.callback_reader import CallbackReader
from domain.ports.clock import Clock
from domain.ports.contacts import Contacts
from domain.ports.credentials_checker import CredentialsChecker
from domain.ports.deletions import Deletions
from domain.ports.dispatch_observer import DispatchObserver
from domain.ports.dispatchers import Dispatchers
from domain.ports.due_deliveries import DueDeliveries
from domain.ports.erasures import Erasures
from domain.ports.failovers import Failovers
from domain.ports.identity_provider import IdentityProvider
from domain.ports.inbound_messages import InboundMessages
from domain.ports.intake import Intake
from domain.ports.known_accounts import KnownAccounts
from domain.ports.limits import Limits
from domain.ports.opt_outs import OptOuts
from domain.ports.pauses import Pauses
from domain.ports.prices import Prices
from domain.ports.program_keys import KeyStandings, ProgramKeys
from domain.ports.programs import Programs
from domain.ports.provider_accounts import ProviderAccounts
from domain.ports.restored_copy import RestoredCopy
from domain.ports.retention import Retention
from domain.ports.schema import Schema
from domain.ports.senders import Senders
from domain.ports.sms_provider import SmsProvider
from domain.ports.staff_roles import StaffRoles
from domain.ports.staff_tokens import StaffTokens
from domain.ports.standstills import Standstills
from domain.ports.subjects import Subjects
from domain.ports.templates import Templates
from domain.ports.text_log import TextLog
from domain.ports.tokens import Tokens
from domain.ports.usage import UsageLog
from domain.ports.vault import Vault
from domain.ports.vitals import VitalSigns
from domain.ports.wakeups import Wakeups
from domain.ports.webhook_observer import WebhookObserver
from domain.ports.webhook_outbox import WebhookOutbox
from domain.ports.webhook_transport import WebhookTransport
from domain.ports.webhooks import Webhooks
from domain.ports.workload import Workload
from domain.use_cases.add_sender import AddSender
from domain.use_cases.await_outcome import AwaitOutcome
from domain.use_cases.cancel_text import CancelText
from domain.use_cases.change_program import ChangeProgram
from domain.use_cases.check_access import CheckAccess
from domain.use_cases.check_staff import CheckStaff
from domain.use_cases.create_program import CreateProgram
from domain.use_cases.delete_program import DeleteProgram
from domain.use_cases.deliver_webhooks import DeliverWebhooks
from domain.use_cases.dispatch_deliveries import DispatchDeliveries
from domain.use_cases.erase_subject import EraseSubject
from domain.use_cases.export_opt_outs import ExportOptOuts
from domain.use_cases.export_texts import ExportTexts
from domain.use_cases.fail_over import FailOver
from domain.use_cases.hold_membership import HoldMembership, MembershipTerms
from domain.use_cases.import_opt_outs import ImportOptOuts
from domain.use_cases.import_programs import ImportPrograms
from domain.use_cases.issue_token import IssueToken
from domain.use_cases.join_inbound_parts import JoinInboundParts
from domain.use_cases.keep_templates import KeepTemplates
from domain.use_cases.keep_webhooks import KeepWebhooks
from domain.use_cases.list_audit_events import ListAuditEvents
from domain.use_cases.list_inbound_messages import ListInboundMessages
from domain.use_cases.list_opt_outs import ListConsentEvents, ListOptOuts
from domain.use_cases.list_programs import ListPrograms, ShowProgram
from domain.use_cases.operate_accounts import OperateAccounts
from domain.use_cases.operate_keys import OperateKeys
from domain.use_cases.operate_limits import OperateLimits
from domain.use_cases.operate_prices import OperatePrices
from domain.use_cases.operate_senders import ChangeSender, ListSenders, Pause
from domain.use_cases.operate_staff_roles import OperateStaffRoles
from domain.use_cases.opt_out_by_page import OptOutByPage
from domain.use_cases.prepare_providers import PrepareProviders
from domain.use_cases.preview_text import PreviewText
from domain.use_cases.read_texts import FindText, ListDeliveries, ListTexts
from domain.use_cases.read_usage import ReadUsage
from domain.use_cases.receive_callback import ReceiveCallback
from domain.use_cases.recover_from_backup import RecoverFromBackup
from domain.use_cases.remove_sender import RemoveSender
from domain.use_cases.reply_to_keywords import ReplyToKeywords
from domain.use_cases.rescue_deliveries import RescueDeliveries
from domain.use_cases.search_subject import SearchSubject
from domain.use_cases.send_text import SendText
from domain.use_cases.set_opt_out import SetOptOut
from domain.use_cases.settle_deliveries import SettleDeliveries
from domain.use_cases.sign_in_staff import SignInStaff
from domain.use_cases.survey_senders import SurveySenders
from domain.use_cases.take_in_texts import TakeInTexts
from domain.use_cases.work_off_receipts import WorkOffReceipts
from entrypoints.dispatcher import Dispatcher
from entrypoints.health import Health
from entrypoints.http.callback_handlers import CallbackHandlers
from entrypoints.http.console.paths import SIGNED_IN_PATH, SIGNED_OUT_PATH
from entrypoints.http.console.use_cases import UseCases as ConsoleUseCases
from entrypoints.http.contract import Contract
from entrypoints.http.handlers import Handlers
from entrypoints.http.internal import create_internal_app
from entrypoints.http.limit_handlers import LimitHandlers
from entrypoints.http.operator_handlers import OperatorHandlers
from entrypoints.http.program_handlers import ProgramHandlers
from entrypoints.http.sender_handlers import SenderHandlers
from entrypoints.http.staff_handlers import StaffHandlers
from entrypoints.http.subject_handlers import SubjectHandlers
from entrypoints.http.template_handlers import TemplateHandlers
from entrypoints.settings import Settings, key_ring
from entrypoints.telemetry.gauges import Gauges
from entrypoints.telemetry.metrics import Metrics
from entrypoints.telemetry.observers import CountedIntake, budget_nearly_used
from entrypoints.telemetry.outcomes import Outcomes
from entrypoints.telemetry.webhook_observer import LoggedWebhooks
from entrypoints.tracing import Tracing, Untraced

T = TypeVar("T")

# By one visitor of a program's page.
_OPT_OUTS_PER_MINUTE = 10
_CONNECTIONS_FOR_ENQUIRIES = 100
# Enough for several accounts at 30 requests a second each, however slow the answers.
_MOST_THREADS = 200
# As the contract has them.
_TWILIO_STATUS = "/callbacks/twilio/status"
_VONAGE_STATUS = "/callbacks/vonage/status"
_VONAGE_RECEIPT = "/callbacks/vonage/sms/receipt"


def _database(settings: Settings, metrics: Metrics) -> Database:
    database = Database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        behind_pooler=settings.database_pooler,
        waited=metrics.database_wait_seconds.observe,
    )
    metrics.database_connections.labels("in_use").set_function(lambda: database.connections[0])
    metrics.database_connections.labels("idle").set_function(lambda: database.connections[1])
    return database


def _tracing(settings: Settings, clock: Clock) -> Tracing:
    if settings.traces == "off":
        return Untraced()
    # Its libraries take memory and time, which a hub without traces can do without.
    from entrypoints.traced import Traced  # noqa: PLC0415

    return Traced(clock)


def _observer(tracing: Tracing, metrics: Metrics) -> DispatchObserver:
    return tracing.dispatch(metrics)


def _callback_observer(tracing: Tracing, metrics: Metrics) -> CallbackObserver:
    return tracing.callbacks(metrics)


def _queue(database: Database, retry: RetryPolicy, outcomes: Outcomes) -> SqlDeliveryQueue:
    return (SqliteDeliveryQueue if database.is_sqlite else PostgresqlDeliveryQueue)(database, retry, outcomes)


def _intake(database: Database, metrics: Metrics) -> SqlIntake:
    kind = SqliteIntake if database.is_sqlite else PostgresqlIntake
    return kind(database, committed=metrics.texts_per_commit.observe, nearly_used=budget_nearly_used)


def _counted_intake(tracing: Tracing, intake: SqlIntake, metrics: Metrics) -> Intake:
    return tracing.intake(CountedIntake(intake, metrics))


def _wakeups(settings: Settings, database: Database) -> Wakeups:
    heard = not database.is_sqlite and not settings.database_pooler
    here = InProcessWakeups()
    return PostgresqlWakeups(database, here) if heard else here


def _vault(settings: Settings) -> Vault:
    return FernetVault(key_ring(settings.encryption_keys))


def _tokens(settings: Settings) -> JwtTokens:
    return JwtTokens(
        settings.signing_ring(),
        private_keys=settings.private_keys(),
        issuer=settings.token_issuer,
        audience=settings.token_audience,
    )


def _staff_tokens(settings: Settings) -> StaffTokens:
    return JwtStaffTokens(settings.signing_ring(), private_keys=settings.private_keys(), issuer=settings.token_issuer)


def _identity_provider(settings: Settings) -> IdentityProvider | None:
    if not settings.oidc_issuer:
        return None
    # Its libraries take memory, which hubs where nobody signs in so can do without.
    from adapters.oidc.claims import ClaimNames  # noqa: PLC0415
    from adapters.oidc.provider import OidcProvider  # noqa: PLC0415

    return OidcProvider(
        settings.oidc_issuer,
        name=settings.oidc_name,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        scopes=" ".join(settings.oidc_scopes),
        claim_names=ClaimNames(person=settings.oidc_person_claim, groups=settings.oidc_groups_claim),
        redirect_uri=f"{settings.public_url}{SIGNED_IN_PATH}",
        signed_out_uri=f"{settings.public_url}{SIGNED_OUT_PATH}",
    )


def _sign_in_staff(provider: IdentityProvider | None, lifetime: timedelta, **ports: Any) -> SignInStaff | None:  # noqa: ANN401
    return None if provider is None else SignInStaff(provider=provider, lifetime=lifetime, **ports)


def _segment_price(settings: Settings) -> Price | None:
    return Price.parse(settings.segment_price) if settings.segment_price else None


def _retry(settings: Settings) -> RetryPolicy:
    delays = (int(delay.total_seconds() * SECOND_US) for delay in settings.enquiry_delays)
    return RetryPolicy(enquiry_delays_us=tuple(delays))


def _twilio(settings: Settings, accounts: ProviderAccounts, observer: DispatchObserver) -> SmsProvider:
    def load() -> SmsProvider:
        from adapters.providers.twilio.provider import TwilioProvider  # noqa: PLC0415

        # A call that waits for its sender's turn holds a connection.
        connections = settings.most_in_flight + _CONNECTIONS_FOR_ENQUIRIES
        callback_url = settings.callback_url()
        return TwilioProvider(
            accounts,
            api_base_url=settings.twilio_api_base_url or None,
            connections=connections,
            status_callback=None if callback_url is None else callback_url + _TWILIO_STATUS,
            smart_encoding=settings.twilio_smart_encoding,
            unlisted=partial(observer.code_unlisted, "twilio"),
        )

    return OnDemand(load)


def _vonage(settings: Settings, accounts: ProviderAccounts, observer: DispatchObserver) -> SmsProvider:
    def load() -> SmsProvider:
        from adapters.providers.vonage.account import Api  # noqa: PLC0415
        from adapters.providers.vonage.library import Hosts  # noqa: PLC0415
        from adapters.providers.vonage.provider import VonageProvider  # noqa: PLC0415

        callback_url = settings.callback_url()
        return VonageProvider(
            accounts,
            hosts=Hosts(settings.vonage_api_host, settings.vonage_rest_host),
            callback_urls=None
            if callback_url is None
            else {Api.MESSAGES: callback_url + _VONAGE_STATUS, Api.SMS: callback_url + _VONAGE_RECEIPT},
            most_threads=min(settings.most_in_flight, _MOST_THREADS),
            unlisted=partial(observer.code_unlisted, "vonage"),
            credit_told=partial(observer.credit_told, "vonage"),
        )

    return OnDemand(load)


def _twilio_checker(settings: Settings) -> CredentialsChecker:
    def load() -> CredentialsChecker:
        from adapters.providers.twilio.check import TwilioChecker  # noqa: PLC0415

        return TwilioChecker(api_base_url=settings.twilio_api_base_url or None)

    return CheckerOnDemand(load)


def _vonage_checker(settings: Settings) -> CredentialsChecker:
    def load() -> CredentialsChecker:
        from adapters.providers.vonage.check import VonageChecker  # noqa: PLC0415
        from adapters.providers.vonage.library import Hosts  # noqa: PLC0415

        return VonageChecker(hosts=Hosts(settings.vonage_api_host, settings.vonage_rest_host))

    return CheckerOnDemand(load)


def _mail(settings: Settings, clock: Clock) -> SmsProvider:
    def load() -> SmsProvider:
        from adapters.providers.mail.provider import MailProvider  # noqa: PLC0415
        from adapters.providers.mail.server import MailServer  # noqa: PLC0415

        url, sender = settings.mail_url.get_secret_value(), settings.mail_from
        return MailProvider(MailServer.at(url, sender=sender) if url and sender else None, clock)

    return OnDemand(load)


def _by_name(**by_name: T) -> Mapping[str, T]:
    return by_name


def _readers(accounts: ProviderAccounts) -> Mapping[str, CallbackReader]:
    return {
        "twilio": TwilioCallbacks(accounts),
        "vonage": VonageCallbacks(accounts),
        "vonage-sms": VonageSmsCallbacks(accounts),
    }


def _app(tracing: Tracing, **parts: Any) -> ASGIApp:  # noqa: ANN401 - as `create_app` has them
    # Connexion takes memory and time, which processes without the interface can do without.
    from entrypoints.http.app import create_app  # noqa: PLC0415

    return tracing.app(create_app(**parts))


def _webhook_transport(settings: Settings) -> WebhookTransport:
    return HttpWebhookTransport(Destinations(networks(settings.webhook_private_networks)))


def _newest_pepper(peppers: Mapping[str, bytes]) -> tuple[str, bytes] | None:
    return next(iter(peppers.items()), None)


class Container(containers.DeclarativeContainer):
    settings = providers.Dependency(instance_of=Settings)

    metrics: providers.Provider[Metrics] = providers.Singleton(Metrics)
    outcomes: providers.Provider[Outcomes] = providers.Singleton(Outcomes, metrics)
    database: providers.Provider[Database] = providers.Singleton(_database, settings, metrics)
    schema: providers.Provider[Schema] = providers.Singleton(SqlSchema, database)
    clock: providers.Provider[DatabaseClock] = providers.Singleton(DatabaseClock, database)

    tracing: providers.Provider[Tracing] = providers.Singleton(_tracing, settings, clock)
    observer: providers.Provider[DispatchObserver] = providers.Singleton(_observer, tracing, metrics)
    callback_observer: providers.Provider[CallbackObserver] = providers.Singleton(_callback_observer, tracing, metrics)

    vault: providers.Provider[Vault] = providers.Singleton(_vault, settings)
    accounts: providers.Provider[ProviderAccounts] = providers.Singleton(SqlProviderAccounts, database, vault)
    remembered_accounts: providers.Provider[ProviderAccounts] = providers.Singleton(RememberedAccounts, accounts)
    known_accounts: providers.Provider[KnownAccounts] = providers.Singleton(SqlKnownAccounts, database, vault)
    programs: providers.Provider[Programs] = providers.Singleton(SqlPrograms, database, vault)
    program_keys: providers.Provider[ProgramKeys] = providers.Singleton(SqlProgramKeys, database)
    key_standings: providers.Provider[KeyStandings] = providers.Singleton(
        RememberedStandings, providers.Singleton(SqlKeyStandings, database)
    )
    senders: providers.Provider[Senders] = providers.Singleton(SqlSenders, database)
    limits: providers.Provider[Limits] = providers.Singleton(SqlLimits, database)
    retention: providers.Provider[Retention] = providers.Singleton(SqlRetention, database)
    standstills: providers.Provider[Standstills] = providers.Singleton(SqlStandstills, database)
    terms: providers.Provider[MembershipTerms] = providers.Singleton(MembershipTerms)
    vital_signs: providers.Provider[VitalSigns] = providers.Singleton(
        RememberedVitalSigns,
        providers.Singleton(SqlVitalSigns, database, heard_within_us=terms.provided.shares_until_us),
    )
    workload: providers.Provider[Workload] = providers.Singleton(
        RememberedWorkload, providers.Singleton(SqlWorkload, database)
    )
    gauges: providers.Provider[Gauges] = providers.Singleton(
        Gauges, signs=vital_signs, workload=workload, metrics=metrics
    )
    remembered_programs: providers.Provider[Programs] = providers.Singleton(RememberedPrograms, programs)
    audit_log: providers.Provider[AuditLog] = providers.Singleton(SqlAuditLog, database)
    contacts: providers.Provider[Contacts] = providers.Singleton(SqlContacts, database)
    opt_outs: providers.Provider[OptOuts] = providers.Singleton(SqlOptOuts, database)
    usage: providers.Provider[UsageLog] = providers.Singleton(SqlUsage, database)
    prices: providers.Provider[Prices] = providers.Singleton(SqlPrices, database)
    texts: providers.Provider[TextLog] = providers.Singleton(SqlTextLog, database, outcomes)
    subjects: providers.Provider[Subjects] = providers.Singleton(SqlSubjects, database)
    erasures: providers.Provider[Erasures] = providers.Singleton(SqlErasures, database, outcomes)
    sql_intake: providers.Provider[SqlIntake] = providers.Singleton(_intake, database, metrics)
    intake: providers.Provider[Intake] = providers.Singleton(_counted_intake, tracing, sql_intake, metrics)
    backlog: providers.Provider[Backlog] = providers.Singleton(
        SqlBacklog,
        database,
        providers.Singleton(RememberedWaitingSenders, providers.Singleton(SqlWaitingSenders, database)),
    )
    remembered_backlog: providers.Provider[Backlog] = providers.Singleton(RememberedBacklog, backlog)
    retry: providers.Provider[RetryPolicy] = providers.Singleton(_retry, settings)
    queue: providers.Provider[SqlDeliveryQueue] = providers.Singleton(_queue, database, retry, outcomes)
    pauses: providers.Provider[Pauses] = providers.Singleton(SqlPauses, database, queue)
    deletions: providers.Provider[Deletions] = providers.Singleton(SqlDeletions, database, outcomes)
    due: providers.Provider[DueDeliveries] = providers.Singleton(SqlDueDeliveries, database, queue, outcomes)
    callbacks: providers.Provider[SqlCallbacks] = providers.Singleton(SqlCallbacks, database)
    inbound_messages: providers.Provider[InboundMessages] = providers.Singleton(SqlInboundMessages, database)
    restored_copy: providers.Provider[RestoredCopy] = providers.Singleton(SqlRestoredCopy, database)
    failovers: providers.Provider[Failovers] = providers.Singleton(SqlFailovers, database)
    dispatchers: providers.Provider[Dispatchers] = providers.Singleton(SqlDispatchers, database)

    templates: providers.Provider[Templates] = providers.Singleton(
        RememberedTemplates, providers.Singleton(SqlTemplates, database)
    )

    webhooks: providers.Provider[Webhooks] = providers.Singleton(SqlWebhooks, database, vault)
    webhook_outbox: providers.Provider[WebhookOutbox] = providers.Singleton(SqlWebhookOutbox, database, vault)
    webhook_transport: providers.Provider[WebhookTransport] = providers.Singleton(_webhook_transport, settings)
    webhook_observer: providers.Provider[WebhookObserver] = providers.Singleton(LoggedWebhooks, metrics)

    wakeups: providers.Provider[Wakeups] = providers.Singleton(_wakeups, settings, database)
    signed_tokens: providers.Provider[JwtTokens] = providers.Singleton(_tokens, settings)
    tokens: providers.Provider[Tokens] = providers.Singleton(RememberedTokens, signed_tokens)
    staff_tokens: providers.Provider[StaffTokens] = providers.Singleton(_staff_tokens, settings)
    staff_roles: providers.Provider[StaffRoles] = providers.Singleton(
        RememberedStaffRoles, providers.Singleton(SqlStaffRoles, database)
    )
    identity_provider: providers.Provider[IdentityProvider | None] = providers.Singleton(_identity_provider, settings)
    stopping: providers.Provider[asyncio.Event] = providers.Singleton(asyncio.Event)
    guard: providers.Provider[SqlLoginGuard] = providers.Singleton(
        SqlLoginGuard, database, clock, per_minute=settings.provided.logins_per_minute
    )
    mail: providers.Provider[SmsProvider] = providers.Singleton(_mail, settings, clock)
    sms_providers: providers.Provider[Mapping[str, SmsProvider]] = providers.Singleton(
        _by_name,
        sandbox=providers.Singleton(SandboxProvider),
        twilio=providers.Singleton(_twilio, settings, remembered_accounts, observer),
        vonage=providers.Singleton(_vonage, settings, remembered_accounts, observer),
        mail=mail,
    )
    credentials_checkers: providers.Provider[Mapping[str, CredentialsChecker]] = providers.Singleton(
        _by_name,
        sandbox=providers.Singleton(SandboxChecker),
        twilio=providers.Singleton(_twilio_checker, settings),
        vonage=providers.Singleton(_vonage_checker, settings),
    )
    callback_readers: providers.Provider[Mapping[str, CallbackReader]] = providers.Singleton(
        _readers, remembered_accounts
    )
    peppers: providers.Provider[Mapping[str, bytes]] = providers.Singleton(key_ring, settings.provided.key_peppers)

    issue_token: providers.Provider[IssueToken] = providers.Singleton(
        IssueToken,
        programs=programs,
        keys=program_keys,
        tokens=tokens,
        guard=guard,
        clock=clock,
        lifetime=settings.provided.token_lifetime,
        peppers=peppers,
    )
    sign_in_staff: providers.Provider[SignInStaff | None] = providers.Singleton(
        _sign_in_staff,
        identity_provider,
        settings.provided.oidc_session_lifetime,
        tokens=staff_tokens,
        roles=staff_roles,
        clock=clock,
    )
    check_staff: providers.Provider[CheckStaff] = providers.Singleton(
        CheckStaff, roles=staff_roles, programs=programs, issuer=settings.provided.oidc_issuer
    )
    operate_staff_roles: providers.Provider[OperateStaffRoles] = providers.Singleton(
        OperateStaffRoles, roles=staff_roles
    )
    check_access: providers.Provider[CheckAccess] = providers.Singleton(
        CheckAccess, standings=key_standings, clock=clock
    )
    send_text: providers.Provider[SendText] = providers.Singleton(
        SendText,
        programs=remembered_programs,
        templates=templates,
        contacts=contacts,
        intake=intake,
        backlog=remembered_backlog,
        wakeups=wakeups,
        clock=clock,
        default_region=settings.provided.default_region,
    )
    await_outcome: providers.Provider[AwaitOutcome] = providers.Singleton(
        AwaitOutcome, texts=texts, clock=clock, stopping=stopping
    )
    cancel_text: providers.Provider[CancelText] = providers.Singleton(CancelText, texts=texts, clock=clock)
    preview_text: providers.Provider[PreviewText] = providers.Singleton(
        PreviewText,
        programs=remembered_programs,
        templates=templates,
        opt_outs=opt_outs,
        contacts=contacts,
        backlog=backlog,
        clock=clock,
        default_region=settings.provided.default_region,
        segment_price=providers.Singleton(_segment_price, settings),
    )
    read_usage: providers.Provider[ReadUsage] = providers.Singleton(
        ReadUsage,
        programs=programs,
        usage=usage,
        prices=prices,
        clock=clock,
        segment_price=providers.Singleton(_segment_price, settings),
    )
    find_text: providers.Provider[FindText] = providers.Singleton(FindText, texts=texts)
    list_texts: providers.Provider[ListTexts] = providers.Singleton(
        ListTexts, texts=texts, programs=remembered_programs, default_region=settings.provided.default_region
    )
    export_texts: providers.Provider[ExportTexts] = providers.Singleton(
        ExportTexts, texts=texts, programs=remembered_programs, default_region=settings.provided.default_region
    )
    export_opt_outs: providers.Provider[ExportOptOuts] = providers.Singleton(
        ExportOptOuts, opt_outs=opt_outs, programs=remembered_programs
    )
    import_opt_outs: providers.Provider[ImportOptOuts] = providers.Singleton(
        ImportOptOuts,
        opt_outs=opt_outs,
        programs=remembered_programs,
        clock=clock,
        default_region=settings.provided.default_region,
    )
    opt_out_by_page: providers.Provider[OptOutByPage] = providers.Singleton(
        OptOutByPage,
        programs=remembered_programs,
        opt_outs=opt_outs,
        clock=clock,
        guard=providers.Singleton(InProcessLoginGuard, per_minute=_OPT_OUTS_PER_MINUTE),
        default_region=settings.provided.default_region,
    )
    list_opt_outs: providers.Provider[ListOptOuts] = providers.Singleton(
        ListOptOuts, opt_outs=opt_outs, programs=remembered_programs, default_region=settings.provided.default_region
    )
    list_consent_events: providers.Provider[ListConsentEvents] = providers.Singleton(
        ListConsentEvents,
        opt_outs=opt_outs,
        programs=remembered_programs,
        default_region=settings.provided.default_region,
    )
    list_inbound_messages: providers.Provider[ListInboundMessages] = providers.Singleton(
        ListInboundMessages,
        messages=inbound_messages,
        programs=remembered_programs,
        default_region=settings.provided.default_region,
    )
    list_deliveries: providers.Provider[ListDeliveries] = providers.Singleton(ListDeliveries, texts=texts)
    set_opt_out: providers.Provider[SetOptOut] = providers.Singleton(
        SetOptOut,
        programs=remembered_programs,
        opt_outs=opt_outs,
        clock=clock,
        default_region=settings.provided.default_region,
    )
    create_program: providers.Provider[CreateProgram] = providers.Singleton(
        CreateProgram,
        programs=programs,
        clock=clock,
        providers=sms_providers,
        new_id=providers.Object(uuid7),
        pepper=providers.Singleton(_newest_pepper, peppers),
    )
    import_programs: providers.Provider[ImportPrograms] = providers.Singleton(
        ImportPrograms, create=create_program, programs=programs, senders=senders, providers=sms_providers
    )
    operate_keys: providers.Provider[OperateKeys] = providers.Singleton(
        OperateKeys, keys=program_keys, clock=clock, pepper=providers.Singleton(_newest_pepper, peppers)
    )
    add_sender: providers.Provider[AddSender] = providers.Singleton(
        AddSender, programs=programs, providers=sms_providers
    )
    remove_sender: providers.Provider[RemoveSender] = providers.Singleton(
        RemoveSender, programs=programs, senders=senders
    )
    list_audit_events: providers.Provider[ListAuditEvents] = providers.Singleton(ListAuditEvents, audit_log=audit_log)
    list_programs: providers.Provider[ListPrograms] = providers.Singleton(ListPrograms, programs=programs)
    change_program: providers.Provider[ChangeProgram] = providers.Singleton(ChangeProgram, programs=programs)
    delete_program: providers.Provider[DeleteProgram] = providers.Singleton(
        DeleteProgram, deletions=deletions, clock=clock
    )
    show_program: providers.Provider[ShowProgram] = providers.Singleton(ShowProgram, programs=programs)
    list_senders: providers.Provider[ListSenders] = providers.Singleton(ListSenders, senders=senders)
    change_sender: providers.Provider[ChangeSender] = providers.Singleton(ChangeSender, senders=senders, clock=clock)
    pause: providers.Provider[Pause] = providers.Singleton(Pause, pauses=pauses, senders=senders, clock=clock)
    survey_senders: providers.Provider[SurveySenders] = providers.Singleton(
        SurveySenders, senders=senders, programs=programs, workload=workload, clock=clock
    )
    operate_accounts: providers.Provider[OperateAccounts] = providers.Singleton(
        OperateAccounts,
        accounts=known_accounts,
        kept=accounts,
        providers=sms_providers,
        checkers=credentials_checkers,
    )
    operate_prices: providers.Provider[OperatePrices] = providers.Singleton(OperatePrices, prices=prices)
    operate_limits: providers.Provider[OperateLimits] = providers.Singleton(
        OperateLimits, limits=limits, senders=senders, accounts=known_accounts, clock=clock
    )

    search_subject: providers.Provider[SearchSubject] = providers.Singleton(
        SearchSubject, subjects=subjects, default_region=settings.provided.default_region
    )
    erase_subject: providers.Provider[EraseSubject] = providers.Singleton(
        EraseSubject, erasures=erasures, clock=clock, default_region=settings.provided.default_region
    )

    recover_from_backup: providers.Provider[RecoverFromBackup] = providers.Singleton(
        RecoverFromBackup, copy=restored_copy, pauses=pauses, clock=clock, retry=retry
    )

    receive_callback: providers.Provider[ReceiveCallback] = providers.Singleton(
        ReceiveCallback, readers=callback_readers, callbacks=callbacks, clock=clock, observer=callback_observer
    )

    hold_membership: providers.Provider[HoldMembership] = providers.Singleton(
        HoldMembership, dispatchers=dispatchers, clock=clock, observer=observer, terms=terms
    )
    prepare_providers: providers.Provider[PrepareProviders] = providers.Singleton(
        PrepareProviders, senders=senders, providers=sms_providers
    )
    dispatch_deliveries: providers.Provider[DispatchDeliveries] = providers.Singleton(
        DispatchDeliveries,
        queue=queue,
        providers=sms_providers,
        clock=clock,
        wakeups=wakeups,
        observer=observer,
        retry=retry,
        most_in_flight=settings.provided.most_in_flight,
        grace_s=settings.provided.stop_grace.total_seconds.call(),
    )
    settle_deliveries: providers.Provider[SettleDeliveries] = providers.Singleton(
        SettleDeliveries,
        due=due,
        queue=queue,
        providers=sms_providers,
        clock=clock,
        observer=observer,
        retry=retry,
        wakeups=wakeups,
    )
    join_inbound_parts: providers.Provider[JoinInboundParts] = providers.Singleton(
        JoinInboundParts, callbacks=callbacks, readers=callback_readers, clock=clock, observer=callback_observer
    )
    take_in_texts: providers.Provider[TakeInTexts] = providers.Singleton(
        TakeInTexts,
        messages=inbound_messages,
        readers=callback_readers,
        clock=clock,
        observer=callback_observer,
        scope=providers.Factory(Scope, settings.provided.opt_out_scope),
    )
    reply_to_keywords: providers.Provider[ReplyToKeywords] = providers.Singleton(
        ReplyToKeywords,
        messages=inbound_messages,
        programs=remembered_programs,
        intake=intake,
        wakeups=wakeups,
        clock=clock,
    )
    work_off_receipts: providers.Provider[WorkOffReceipts] = providers.Singleton(
        WorkOffReceipts, callbacks=callbacks, readers=callback_readers, clock=clock, observer=callback_observer
    )
    rescue_deliveries: providers.Provider[RescueDeliveries] = providers.Singleton(
        RescueDeliveries,
        dispatchers=dispatchers,
        queue=queue,
        clock=clock,
        observer=observer,
        retry=retry,
        terms=terms,
    )
    fail_over: providers.Provider[FailOver] = providers.Singleton(
        FailOver, failovers=failovers, clock=clock, observer=observer, wakeups=wakeups
    )
    keep_templates: providers.Provider[KeepTemplates] = providers.Singleton(
        KeepTemplates, templates=templates, clock=clock
    )
    keep_webhooks: providers.Provider[KeepWebhooks] = providers.Singleton(
        KeepWebhooks, webhooks=webhooks, transport=webhook_transport, clock=clock
    )
    deliver_webhooks: providers.Provider[DeliverWebhooks] = providers.Singleton(
        DeliverWebhooks,
        outbox=webhook_outbox,
        webhooks=webhooks,
        transport=webhook_transport,
        clock=clock,
        observer=webhook_observer,
    )
    dispatcher: providers.Provider[Dispatcher] = providers.Singleton(
        Dispatcher,
        hold=hold_membership,
        dispatch=dispatch_deliveries,
        settle=settle_deliveries,
        work_off=work_off_receipts,
        join_parts=join_inbound_parts,
        take_in=take_in_texts,
        reply=reply_to_keywords,
        rescue=rescue_deliveries,
        fail_over=fail_over,
        due=due,
        intake=intake,
        retention=retention,
        erase=erase_subject,
        deletions=deletions,
        callbacks=callbacks,
        kept=settings.provided.retention,
        receipts_kept=settings.provided.receipt_retention,
        deliver_webhooks=deliver_webhooks,
        outbox=webhook_outbox,
        events_kept=settings.provided.webhook_retention,
        wakeups=wakeups,
        clock=clock,
        observer=observer,
    )

    contract: providers.Provider[Contract] = providers.Singleton(Contract.load, public_url=settings.provided.public_url)
    handlers: providers.Provider[Handlers] = providers.Singleton(
        Handlers,
        issue_token=issue_token,
        send_text=send_text,
        await_outcome=await_outcome,
        cancel_text=cancel_text,
        preview_text=preview_text,
        find_text=find_text,
        list_texts=list_texts,
        export_texts=export_texts,
        list_inbound_messages=list_inbound_messages,
        list_opt_outs=list_opt_outs,
        export_opt_outs=export_opt_outs,
        import_opt_outs=import_opt_outs,
        list_consent_events=list_consent_events,
        list_deliveries=list_deliveries,
        set_opt_out=set_opt_out,
        read_usage=read_usage,
        keep_webhooks=keep_webhooks,
    )
    callback_handlers: providers.Provider[CallbackHandlers] = providers.Singleton(
        CallbackHandlers, receive=receive_callback
    )
    operator_handlers: providers.Provider[OperatorHandlers] = providers.Singleton(
        OperatorHandlers,
        list_programs=list_programs,
        pause=pause,
        operate_keys=operate_keys,
        list_audit_events=list_audit_events,
    )
    subject_handlers: providers.Provider[SubjectHandlers] = providers.Singleton(
        SubjectHandlers, search_subject=search_subject, erase_subject=erase_subject
    )
    template_handlers: providers.Provider[TemplateHandlers] = providers.Singleton(
        TemplateHandlers, keep_templates=keep_templates, preview_text=preview_text
    )
    sender_handlers: providers.Provider[SenderHandlers] = providers.Singleton(
        SenderHandlers,
        survey=survey_senders,
        add=add_sender,
        change=change_sender,
        pause=pause,
        accounts=operate_accounts,
    )
    limit_handlers: providers.Provider[LimitHandlers] = providers.Singleton(
        LimitHandlers, limits=operate_limits, prices=operate_prices
    )
    staff_handlers: providers.Provider[StaffHandlers] = providers.Singleton(
        StaffHandlers, operate_staff_roles=operate_staff_roles
    )
    program_handlers: providers.Provider[ProgramHandlers] = providers.Singleton(
        ProgramHandlers,
        create_program=create_program,
        show_program=show_program,
        change_program=change_program,
        delete_program=delete_program,
        remove_sender=remove_sender,
    )
    console: providers.Provider[ConsoleUseCases] = providers.Singleton(
        ConsoleUseCases,
        tokens=tokens,
        clock=clock,
        check_access=check_access,
        issue_token=issue_token,
        show_program=show_program,
        read_usage=read_usage,
        list_texts=list_texts,
        find_text=find_text,
        list_deliveries=list_deliveries,
        cancel_text=cancel_text,
        export_texts=export_texts,
        send_text=send_text,
        preview_text=preview_text,
        keep_templates=keep_templates,
        list_inbound_messages=list_inbound_messages,
        list_opt_outs=list_opt_outs,
        export_opt_outs=export_opt_outs,
        import_opt_outs=import_opt_outs,
        set_opt_out=set_opt_out,
        keep_webhooks=keep_webhooks,
        list_programs=list_programs,
        create_program=create_program,
        change_program=change_program,
        add_sender=add_sender,
        remove_sender=remove_sender,
        change_sender=change_sender,
        operate_keys=operate_keys,
        pause=pause,
        survey_senders=survey_senders,
        list_audit_events=list_audit_events,
        staff_tokens=staff_tokens,
        sign_in_staff=sign_in_staff,
        check_staff=check_staff,
        operate_staff_roles=operate_staff_roles,
    )
    app = providers.Singleton(
        _app,
        tracing,
        contract=contract,
        handlers=providers.List(
            handlers,
            template_handlers,
            operator_handlers,
            sender_handlers,
            limit_handlers,
            subject_handlers,
            staff_handlers,
            program_handlers,
            callback_handlers,
        ),
        tokens=tokens,
        key_set=signed_tokens.provided.key_set,
        check_access=check_access,
        metrics=metrics,
        cors_origins=settings.provided.cors_origins,
        token_lifetime=settings.provided.token_lifetime,
        contact=settings.provided.contact,
        opt_out_by_page=opt_out_by_page,
        console=console,
    )
    health: providers.Provider[Health] = providers.Singleton(Health, schema, standstills, clock, metrics, gauges)
    internal_app = providers.Singleton(create_internal_app, health, metrics)


async def close(container: Container) -> None:
    """Finishes what was begun, and lets go of the database."""
    await container.sql_intake().drained()
    await container.callbacks().drained()
    await container.guard().drained()
    await container.wakeups().drained()
    await container.webhook_transport().close()
    identity_provider = container.identity_provider()
    if identity_provider is not None:
        await identity_provider.close()
    await container.database().close()

"""What every adapter of a database says when the database is away, and what it does not say."""

import asyncio
import sqlite3
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text as sql

import adapters.sql.database
from adapters.sql.database import Database, DatabaseFault
from adapters.sql.login_guard import SqlLoginGuard
from domain.errors import (
    InvalidValue,
    ProgramNotFound,
    SenderNotFound,
    StaffRoleNotFound,
    StoreUnavailable,
    TemplateNotFound,
)
from domain.model.access import KeyKind
from domain.model.credentials import Credentials
from domain.model.delivery import DeliveryState
from domain.model.failover import Failover
from domain.model.idempotency import IdempotencyKey
from domain.model.limit import Limit
from domain.model.message_body import MessageBody
from domain.model.pace import Pace
from domain.model.phone_number import PhoneNumber
from domain.model.price import Price
from domain.model.program import Program
from domain.model.program_key import KeyHash, KeyTerms
from domain.model.sender import Sender
from domain.model.staff import Role, StaffRole
from domain.model.template import TemplateName, TemplateText
from domain.model.terms import USUAL_TERMS
from domain.model.text_message import NewText, TextMessage
from domain.ports.text_log import TextFilter
from tests.builders import NOW_US, SENDER, Store, a_delivery, a_program, a_text, an_opt_in, an_opt_out
from tests.conftest import PostgresServer, close, migrate

NUMBER = PhoneNumber("+19705559876")
BODY = MessageBody("Your verification code is 314159")
PASSWORD = "correct-horse"

PROGRAM = Program(
    id="city-hall",
    sid="SID-city-hall",
    name="City Hall",
    sender=Sender(id=1, provider="sandbox", address=SENDER, pace=Pace.parse("1/s")),
)
FAILOVER = Failover(
    program_id="city-hall", from_sender_id=1, to_sender_id=2, provider="sandbox", reason="credentials-refused"
)
TEST_KEY = KeyTerms(kind=KeyKind.TEST, expires_us=NOW_US + 1)
KEY = IdempotencyKey("a-key", b"fingerprint")
PROVIDER_CREDENTIALS = Credentials({"auth_token": PASSWORD})
BEING_SENT = a_delivery(NUMBER, delivery_id=1, state=DeliveryState.SENDING, attempt=1)


def a_private_text() -> NewText:
    text = a_text(PROGRAM, NUMBER)
    message = TextMessage(
        id=text.message.id,
        program_id=PROGRAM.id,
        sender_id=PROGRAM.sender.id,
        sender=PROGRAM.sender.address,
        body=BODY,
        recipients=1,
        created_us=NOW_US,
    )
    return NewText(message=message, deliveries=text.deliveries)


TEMPLATE_TEXT = TemplateText("Hello {{Name}}")


async def missing(call: Awaitable[object]) -> None:
    with suppress(TemplateNotFound):
        await call


def a_login_guard(store: Store) -> SqlLoginGuard:
    return SqlLoginGuard(store.database, store.clock, per_minute=60)


async def log_in_twice(store: Store) -> None:
    """The first is read, both are written."""
    guard = a_login_guard(store)
    logins = (guard.admit("SID-city-hall", "192.0.2.1") for _ in range(2))
    for result in await asyncio.gather(*logins, return_exceptions=True):
        if result is not None:
            raise result


async def removed(store: Store) -> None:
    """A sender that the program does not have is not taken from it."""
    with suppress(SenderNotFound):
        await store.programs.remove_sender("city-hall", 999)


async def begun(store: Store) -> None:
    """Of one that is not there nothing is deleted, as of one that was deleted before."""
    with suppress(ProgramNotFound):
        await store.deletions.begin("museum", now_us=NOW_US)


# Every way into the database.
async def taken_away(store: Store) -> None:
    """A role that nobody has, if another was taken away before."""
    with suppress(StaffRoleNotFound):
        await store.staff_roles.remove(1)


CALLS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "programs.add": lambda store: store.programs.add(a_program(f"program-{uuid4()}")),
    "programs.add_sender": lambda store: store.programs.add_sender(
        "city-hall", provider="sandbox", sender=SENDER, pace=None
    ),
    "programs.remove_sender": removed,
    "programs.change": lambda store: store.set_terms("city-hall", USUAL_TERMS),
    "accounts.credentials": lambda store: store.accounts.credentials(1),
    "accounts.seal_anew": lambda store: store.accounts.seal_anew(),
    "known_accounts.all": lambda store: store.known_accounts.all(),
    "known_accounts.set_credentials": lambda store: store.known_accounts.set_credentials(1, PROVIDER_CREDENTIALS),
    "senders.all": lambda store: store.senders.all(),
    "senders.change": lambda store: store.senders.change(1, pace=Pace.parse("1/s"), backlog_us=0, now_us=NOW_US),
    "limits.put": lambda store: store.limits.put(Limit(name="campaign", pace=Pace.parse("1/s"))),
    "limits.remove": lambda store: store.limits.remove("campaign"),
    "limits.attach_sender": lambda store: store.limits.attach_sender(1, None),
    "limits.attach_account": lambda store: store.limits.attach_account("sandbox", "sandbox", None),
    "limits.all": lambda store: store.limits.all(now_us=NOW_US),
    "prices.put": lambda store: store.prices.put("US", Price.parse("0.0083 USD")),
    "prices.remove": lambda store: store.prices.remove("US"),
    "prices.all": lambda store: store.prices.all(),
    "staff_roles.put": lambda store: store.staff_roles.put(StaffRole(group="staff", role=Role.OPERATOR)),
    "staff_roles.remove": taken_away,
    "staff_roles.all": lambda store: store.staff_roles.all(),
    "pauses.set_hub": lambda store: store.pauses.set_hub(paused=True, now_us=NOW_US),
    "pauses.set_program": lambda store: store.pauses.set_program("city-hall", paused=True, now_us=NOW_US),
    "pauses.set_sender": lambda store: store.pauses.set_sender(1, paused=True, now_us=NOW_US),
    "pauses.suspend_program": lambda store: store.pauses.suspend_program("city-hall", suspended=True, now_us=NOW_US),
    "deletions.begin": begun,
    "deletions.cancel_waiting": lambda store: store.deletions.cancel_waiting(now_us=NOW_US),
    "deletions.finish": lambda store: store.deletions.finish(now_us=NOW_US, kept_us=1),
    "keys.add": lambda store: store.keys.add("city-hall", KeyHash(b"k"), TEST_KEY, hint="", now_us=NOW_US),
    "keys.of_program": lambda store: store.keys.of_program("city-hall"),
    "keys.revoke": lambda store: store.keys.revoke("city-hall", 1, now_us=NOW_US),
    "keys.used": lambda store: store.keys.used(1, now_us=NOW_US),
    "login_guard.admit": lambda store: a_login_guard(store).admit("SID-city-hall", "192.0.2.1"),
    "login_guard.admit again": log_in_twice,
    "standings.of_key": lambda store: store.standings.of_key(1),
    "standings.of_keyless": lambda store: store.standings.of_keyless("city-hall", issued_us=NOW_US),
    "usage.hours": lambda store: store.usage.hours(
        "city-hall", first=date(2030, 3, 14), last=date(2030, 3, 14), zone="UTC"
    ),
    "audit_log.page": lambda store: store.audit_log.page(before=None, limit=10),
    "contacts.among": lambda store: store.contacts.among("city-hall", [NUMBER]),
    "inbound.due_replies": lambda store: store.inbound.due_replies(now_us=NOW_US, limit=10),
    "inbound.replied": lambda store: store.inbound.replied(1, sent=True),
    "inbound.page": lambda store: store.inbound.page("city-hall", before=None, limit=10),
    "opt_outs.page": lambda store: store.opt_outs.page("city-hall", after=None, limit=10),
    "opt_outs.events": lambda store: store.opt_outs.events(NUMBER, limit=10),
    "templates.add": lambda store: store.templates.add(
        "city-hall", TemplateName(f"t-{uuid4()}"), TEMPLATE_TEXT, now_us=NOW_US
    ),
    "templates.change": lambda store: missing(
        store.templates.change("city-hall", TemplateName("gone"), TEMPLATE_TEXT, now_us=NOW_US)
    ),
    "templates.retire": lambda store: missing(store.templates.retire("city-hall", TemplateName("gone"), now_us=NOW_US)),
    "templates.all": lambda store: store.templates.all("city-hall"),
    "templates.versions": lambda store: store.templates.versions("city-hall", TemplateName("gone")),
    "templates.find": lambda store: store.templates.find("city-hall", TemplateName("gone"), None),
    "retention.forget": lambda store: store.retention.forget(now_us=NOW_US, kept_us=1),
    "subjects.page": lambda store: store.subjects.page(NUMBER, after=(0, 0), limit=10),
    "erasures.ask": lambda store: store.erasures.ask(NUMBER, keep_opt_outs=True, now_us=NOW_US),
    "erasures.carry_out": lambda store: store.erasures.carry_out(NUMBER, now_us=NOW_US, everywhere=True),
    "erasures.asked_for": lambda store: store.erasures.asked_for(),
    "standstills.now": lambda store: store.standstills.now(now_us=NOW_US),
    "programs.find": lambda store: store.programs.find("city-hall"),
    "programs.find_with_keys": lambda store: store.programs.find_with_keys("SID-city-hall"),
    "programs.all": lambda store: store.programs.all(),
    "opt_outs.set": lambda store: store.opt_outs.record([an_opt_out("city-hall", NUMBER)]),
    "opt_outs.lift": lambda store: store.opt_outs.record([an_opt_in("city-hall", NUMBER)]),
    "opt_outs.among": lambda store: store.opt_outs.among("city-hall", [NUMBER], sender_id=1),
    "intake.add": lambda store: store.intake.add(a_private_text()),
    "intake.add with a key": lambda store: store.intake.add(replace(a_private_text(), key=KEY)),
    "intake.answered": lambda store: store.intake.answered("city-hall", KEY, now_us=NOW_US),
    "intake.forget_keys": lambda store: store.intake.forget_keys(now_us=NOW_US),
    "texts.cancel": lambda store: store.texts.cancel("city-hall", uuid4(), now_us=NOW_US),
    "texts.find": lambda store: store.texts.find("city-hall", uuid4()),
    "texts.page": lambda store: store.texts.page("city-hall", before=None, limit=10),
    "texts.page by state": lambda store: store.texts.page(
        "city-hall", wanted=TextFilter(state=DeliveryState.SENT, number=NUMBER), before=None, limit=10
    ),
    "texts.deliveries": lambda store: store.texts.deliveries("city-hall", uuid4(), after=0, limit=10),
    "queue.claim": lambda store: store.claim(1),
    "queue.record": lambda store: store.queue.record([BEING_SENT.released(now_us=NOW_US)]),
    "queue.take_over": lambda store: store.queue.take_over([BEING_SENT.released(now_us=NOW_US)]),
    "queue.strays": lambda store: store.queue.strays(1, slots_before_us=NOW_US),
    "queue.next_due_us": lambda store: store.queue.next_due_us(),
    "queue.bar": lambda store: store.queue.bar(1, "credentials-refused", now_us=NOW_US),
    "queue.unbar": lambda store: store.queue.unbar(1, now_us=NOW_US),
    "queue.delay": lambda store: store.queue.delay(1, 1, now_us=NOW_US),
    "failovers.conditions": lambda store: store.failovers.conditions(now_us=NOW_US),
    "failovers.carry_out": lambda store: store.failovers.carry_out(FAILOVER, now_us=NOW_US, limit=10),
    "due.queue": lambda store: store.due.queue(now_us=NOW_US),
    "due.expire": lambda store: store.due.expire(now_us=NOW_US),
    "due.enquiries": lambda store: store.due.enquiries(now_us=NOW_US, limit=10),
    "due.rouse": lambda store: store.due.rouse(now_us=NOW_US),
    "backlog.at": lambda store: store.backlog.at(1, now_us=NOW_US),
    "dispatchers.join": lambda store: store.dispatchers.join(now_us=NOW_US),
    "dispatchers.beat": lambda store: store.dispatchers.beat(1, now_us=NOW_US, heard_since_us=0),
    "dispatchers.leave": lambda store: store.dispatchers.leave(1),
    "dispatchers.orphans": lambda store: store.dispatchers.orphans(silent_since_us=NOW_US, limit=10),
    "dispatchers.dismiss": lambda store: store.dispatchers.dismiss(silent_since_us=NOW_US),
    "schema.migrate": lambda store: store.schema.migrate(),
    "schema.check": lambda store: store.schema.check(),
    # On SQLite the clock is the host's own.
    "clock.synchronise": lambda store: store.clock.synchronise(),
}


@pytest.fixture(scope="module")
def own_postgres_server() -> Iterator[PostgresServer]:
    """One that may be stopped."""
    server = PostgresServer()
    server.run("CREATE DATABASE hub")
    migrate(server.url("hub"))
    yield server
    server.close()


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for a lock is given up soon."""
    pragmas = [pragma for pragma in adapters.sql.database._SQLITE_PRAGMAS if "busy_timeout" not in pragma]
    monkeypatch.setattr(adapters.sql.database, "_SQLITE_PRAGMAS", ["PRAGMA busy_timeout = 20", *pragmas])
    monkeypatch.setattr(adapters.sql.database, "_STATEMENT_TIMEOUT_S", 1)
    monkeypatch.setattr(adapters.sql.database, "_POOL_TIMEOUT_S", 0.05)


@contextmanager
def locked(url: str, *, exclusively: bool) -> Iterator[None]:
    """Another process has the file to itself; or it writes, which keeps no reader out."""
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    if exclusively:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


def everything_said(error: BaseException) -> str:
    """All that a log could show of an error, its causes included."""
    said = "".join(traceback.format_exception(error))
    chain: BaseException | None = error
    while chain is not None:
        said += f"{chain!r} {chain} {chain.args}"
        # What a traceback shows: a suppressed context is not in it.
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
    return said


def keeps_its_secrets(error: BaseException) -> bool:
    said = everything_said(error)
    return not any(secret in said for secret in (NUMBER.e164, NUMBER.e164[1:], BODY.text, "314159", PASSWORD))


@pytest.fixture
async def open_database() -> AsyncIterator[Callable[[str], Database]]:
    """Opens databases that are closed at the end."""
    opened: list[Database] = []

    def open_it(url: str) -> Database:
        opened.append(Database(url))
        return opened[-1]

    yield open_it
    for database in opened:
        await close(database)


class TestSqlite:
    @pytest.mark.parametrize("call", [call for call in CALLS if call != "clock.synchronise"])
    async def test_a_file_that_another_has_locked_is_away(
        self, sqlite_url: str, open_database: Callable[[str], Database], call: str
    ) -> None:
        store = Store.on(open_database(sqlite_url))

        with locked(sqlite_url, exclusively=True), pytest.raises(StoreUnavailable) as raised:
            await CALLS[call](store)

        assert keeps_its_secrets(raised.value)

    @pytest.mark.parametrize("call", ["programs.add", "intake.add", "queue.claim", "queue.record", "dispatchers.join"])
    async def test_one_who_writes_keeps_other_writers_out(
        self, sqlite_url: str, open_database: Callable[[str], Database], call: str
    ) -> None:
        store = Store.on(open_database(sqlite_url))
        await store.add_program()

        with locked(sqlite_url, exclusively=False), pytest.raises(StoreUnavailable):
            await CALLS[call](store)

        await CALLS[call](store)

    async def test_one_who_writes_keeps_no_reader_out(
        self, sqlite_url: str, open_database: Callable[[str], Database]
    ) -> None:
        store = Store.on(open_database(sqlite_url))
        program = await store.add_program()

        with locked(sqlite_url, exclusively=False):
            assert await store.programs.find("city-hall") == program

    async def test_when_the_lock_is_gone_all_goes_on(
        self, sqlite_url: str, open_database: Callable[[str], Database]
    ) -> None:
        store = Store.on(open_database(sqlite_url))

        with locked(sqlite_url, exclusively=True), pytest.raises(StoreUnavailable):
            await store.add_program()
        program = await store.add_program()

        assert await store.programs.find("city-hall") == program

    async def test_a_file_that_cannot_be_opened_is_away(
        self, tmp_path: Path, open_database: Callable[[str], Database]
    ) -> None:
        store = Store.on(open_database(f"sqlite:///{tmp_path / 'no such folder' / 'hub.db'}"))

        with pytest.raises(StoreUnavailable):
            await store.programs.all()

    async def test_our_own_faults_are_not_taken_for_it(
        self, sqlite_url: str, open_database: Callable[[str], Database]
    ) -> None:
        store = Store.on(open_database(sqlite_url))
        await store.add_program()
        async with store.database.writing() as connection:
            await connection.execute(sql("DROP TABLE deliveries"))

        with pytest.raises(DatabaseFault, match="SQLITE_ERROR") as raised:
            await store.intake.add(a_private_text())

        assert keeps_its_secrets(raised.value)


class TestPostgresql:
    @pytest.mark.parametrize("call", CALLS)
    async def test_a_server_that_is_gone_is_away(
        self, tmp_path: Path, open_database: Callable[[str], Database], call: str
    ) -> None:
        store = Store.on(open_database(f"postgresql://hub:{PASSWORD}@/hub?host={tmp_path}"))

        with pytest.raises(StoreUnavailable) as raised:
            await CALLS[call](store)

        assert keeps_its_secrets(raised.value)

    async def test_a_server_that_refuses_connections_is_away(self, open_database: Callable[[str], Database]) -> None:
        store = Store.on(open_database(f"postgresql://hub:{PASSWORD}@127.0.0.1:1/hub"))

        with pytest.raises(StoreUnavailable) as raised:
            await store.programs.all()

        assert keeps_its_secrets(raised.value)

    async def test_a_server_that_is_stopped_is_away_and_all_goes_on_when_it_is_back(
        self, own_postgres_server: PostgresServer, open_database: Callable[[str], Database]
    ) -> None:
        stores = {call: Store.on(open_database(own_postgres_server.url("hub"))) for call in CALLS}
        await stores["programs.add"].add_program()
        for call, store in stores.items():
            await CALLS[call](store)

        own_postgres_server.stop()
        for call, store in stores.items():
            # The first finds its connection cut, the second finds no server.
            for _ in range(2):
                with pytest.raises(StoreUnavailable) as raised:
                    await CALLS[call](store)
                assert keeps_its_secrets(raised.value)

        own_postgres_server.start()
        for call, store in stores.items():
            await CALLS[call](store)

    async def test_after_a_restart_all_the_cut_connections_cost_one_call(
        self, own_postgres_server: PostgresServer, open_database: Callable[[str], Database]
    ) -> None:
        store = Store.on(open_database(own_postgres_server.url("hub")))
        await asyncio.gather(*(store.programs.all() for _ in range(5)))

        own_postgres_server.stop()
        own_postgres_server.start()
        with pytest.raises(StoreUnavailable):
            await store.programs.all()

        for _ in range(10):
            await store.programs.all()

    @pytest.mark.parametrize("call", ["texts.find", "intake.add", "queue.record", "queue.claim"])
    async def test_a_connection_that_is_cut_is_replaced(
        self,
        postgres_server: PostgresServer,
        postgres_url: str,
        open_database: Callable[[str], Database],
        call: str,
    ) -> None:
        store = Store.on(open_database(postgres_url))
        await store.add_program()
        name = postgres_url.split("?", maxsplit=1)[0].rsplit("/", maxsplit=1)[1]

        postgres_server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        with pytest.raises(StoreUnavailable):
            await CALLS[call](store)

        await CALLS[call](store)

    async def test_one_who_waits_too_long_for_a_lock_gives_up(
        self, postgres_url: str, open_database: Callable[[str], Database]
    ) -> None:
        store, other = Store.on(open_database(postgres_url)), open_database(postgres_url)
        program = await store.add_program()

        async with other.writing() as connection:
            await connection.execute(sql("SELECT * FROM senders FOR UPDATE"))
            with pytest.raises(StoreUnavailable):
                await store.queue.delay(program.sender.id, 1, now_us=NOW_US)

        await store.queue.delay(program.sender.id, 1, now_us=NOW_US)

    async def test_a_deadlock_ends_for_both_and_the_loser_may_try_again(
        self, postgres_url: str, open_database: Callable[[str], Database]
    ) -> None:
        store = Store.on(open_database(postgres_url))
        locks = [sql("SELECT pg_advisory_xact_lock(1)"), sql("SELECT pg_advisory_xact_lock(2)")]
        both = asyncio.Barrier(2)

        async def lock(first: int, second: int) -> None:
            async with store.database.writing() as connection:
                await connection.execute(sql("SET LOCAL deadlock_timeout = '10ms'"))
                await connection.execute(locks[first])
                await both.wait()
                await connection.execute(locks[second])

        results = await asyncio.gather(lock(0, 1), lock(1, 0), return_exceptions=True)

        assert sorted(type(result).__name__ for result in results) == ["NoneType", "StoreUnavailable"]

    @pytest.mark.parametrize("url", ["postgresql://postgres@/nowhere", f"postgresql://nobody:{PASSWORD}@/postgres"])
    async def test_a_database_that_does_not_let_us_in_is_away(
        self, postgres_server: PostgresServer, open_database: Callable[[str], Database], url: str
    ) -> None:
        socket = postgres_server.url().split("?", maxsplit=1)[1]
        store = Store.on(open_database(f"{url}?{socket}"))

        with pytest.raises(StoreUnavailable) as raised:
            await store.programs.all()

        assert keeps_its_secrets(raised.value)

    async def test_our_own_faults_are_not_taken_for_it(
        self, postgres_url: str, open_database: Callable[[str], Database]
    ) -> None:
        store = Store.on(open_database(postgres_url))
        await store.add_program()
        async with store.database.writing() as connection:
            await connection.execute(sql("DROP TABLE deliveries"))

        with pytest.raises(DatabaseFault, match="42P01") as raised:
            await store.intake.add(a_private_text())

        assert keeps_its_secrets(raised.value)


class TestBoth:
    async def test_where_all_connections_are_taken_one_waits_no_longer_than_a_while(self, database_url: str) -> None:
        database = Database(database_url, pool_size=1)
        store = Store.on(database)

        async with database.reading() as connection:
            await connection.execute(sql("SELECT 1"))
            with pytest.raises(StoreUnavailable):
                await store.programs.all()

        assert await store.programs.all() == []
        await database.close()

    async def test_what_is_refused_by_the_database_shows_no_texts_and_no_numbers(self, store: Store) -> None:
        await store.add_program()
        text = a_private_text()
        await store.intake.add(text)
        twice = NewText(message=text.message, deliveries=text.deliveries)
        same_place = NewText(message=a_private_text().message, deliveries=[*text.deliveries, *text.deliveries])

        for impossible in (twice, same_place):
            with pytest.raises(DatabaseFault) as raised:
                await store.intake.add(impossible)
            assert keeps_its_secrets(raised.value)

    @pytest.mark.parametrize(
        "statement", ["UPDATE deliveries SET state = 'lost'", "UPDATE text_messages SET program_id = NULL"]
    )
    async def test_what_breaks_a_rule_of_a_table_shows_no_texts_and_no_numbers(
        self, store: Store, statement: str
    ) -> None:
        await store.add_program()
        await store.intake.add(a_private_text())

        with pytest.raises(DatabaseFault) as raised:
            async with store.database.writing() as connection:
                await connection.execute(sql(statement))

        assert keeps_its_secrets(raised.value)

    async def test_a_fault_in_a_transaction_takes_all_of_it_back(self, store: Store) -> None:
        with suppress(ZeroDivisionError):
            async with store.database.writing() as connection:
                await connection.execute(sql("INSERT INTO provider_accounts (provider, account) VALUES ('a', 'a')"))
                raise ZeroDivisionError

        async with store.database.reading() as connection:
            assert (await connection.execute(sql("SELECT count(*) FROM provider_accounts"))).scalar_one() == 0


class TestUrls:
    @pytest.mark.parametrize(
        "url",
        [
            "",
            "hub.db",
            "sqlite://",
            f"mysql://hub:{PASSWORD}@localhost/hub",
            f"postgresql://hub:{PASSWORD}@localhost:port/hub",
            f"://hub:{PASSWORD}@localhost/hub",
            f"hub:{PASSWORD}@localhost/hub",
        ],
    )
    def test_a_url_that_cannot_be_used_is_refused_without_its_password(self, url: str) -> None:
        with pytest.raises(InvalidValue) as raised:
            Database(url)

        assert keeps_its_secrets(raised.value)

    def test_no_description_of_a_database_shows_its_password(self) -> None:
        database = Database(f"postgresql://hub:{PASSWORD}@localhost/hub")

        for shown in (repr(database), repr(database.engine), str(database.engine.url), repr(database.engine.url)):
            assert PASSWORD not in shown

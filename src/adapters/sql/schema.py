"""The database's schema: bringing it to this code's version, and knowing whether it is there."""

import asyncio
import functools
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, LockedElsewhere, carried_through
from adapters.sql.revision import Revision
from domain.errors import SchemaDiffers
from domain.ports.schema import Schema

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).with_name("migrations")

# Any number will do, as long as all processes that migrate use the same.
_ADVISORY_LOCK = text("SELECT pg_advisory_xact_lock(7046905)")

_VERSION_TABLE = "alembic_version"
_REVISION = text(f"SELECT version_num FROM {_VERSION_TABLE}")  # noqa: S608 - the name of a table
# Who waits for a table keeps all others from it meanwhile. This is less than they wait for a lock, and less than after
# which PostgreSQL looks for deadlocks and ends one of those in it: it is the migration that steps back and tries again.
_STEP_BACK = text("SET LOCAL lock_timeout = '500ms'")
_TRIED_FOR_S = 60.0
_TRIED_AGAIN_WITHIN_S = 1.0
# All at once and at first: a migration that came to one table after the other would hold what dispatchers wait for and
# wait for what they hold, again and again.
_TABLES = text("""
    SELECT string_agg(quote_ident(tablename), ', ' ORDER BY tablename = 'senders' DESC, tablename)
    FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'alembic_version'
""")


class SqlSchema(Schema):
    def __init__(self, database: Database) -> None:
        self._database = database

    @carried_through
    async def migrate(self, target: str = "head") -> None:
        """`target` is a revision; the newest if left out."""
        self._database.expect_folder()
        await self._database.write_ahead()
        until = time.monotonic() + _TRIED_FOR_S
        while True:
            try:
                return await self._migrate(target)
            except LockedElsewhere:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(random.uniform(0.2, _TRIED_AGAIN_WITHIN_S))  # noqa: S311 - nobody guesses at it

    async def check(self) -> None:
        self._database.expect_folder()
        async with self._database.reading() as connection:
            _expect_to_run_on(await connection.run_sync(_found))

    async def _migrate(self, target: str) -> None:
        async with self._database.migrating() as connection:
            if not self._database.is_sqlite:
                await connection.execute(_ADVISORY_LOCK)
            found = await connection.run_sync(_found)
            if found is not None and found not in _revisions():
                _expect_to_run_on(found)
            elif found != _revisions()[-1]:
                await self._have_all_tables(connection)
                await connection.run_sync(_upgrade, target)

    async def _have_all_tables(self, connection: AsyncConnection) -> None:
        if self._database.is_sqlite:
            return
        await connection.execute(_STEP_BACK)
        tables = (await connection.execute(_TABLES)).scalar()
        if tables:
            await connection.execute(text(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"))


def _found(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    found: str | None = connection.execute(_REVISION).scalar()
    return found


def _expect_to_run_on(found: str | None) -> None:
    """While an upgrade is under way, and after one that is taken back, the schema is newer than the code."""
    expected = _revisions()[-1]
    schema, code = Revision.parse(found or ""), Revision.parse(expected)
    if code is None or schema is None or not schema.runs(code):
        raise SchemaDiffers(found=found, expected=expected, too_new=found is not None and found > expected)


@functools.cache
def _revisions() -> Sequence[str]:
    """Read once, as every readiness probe asks for it. Files of migrations are called by their revisions, in order."""
    return sorted(file.name.partition("_")[0] for file in _MIGRATIONS.glob("versions/*.py"))


# Alembic takes 9 MB, which processes that do not migrate can do without.
def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _upgrade(connection: Connection, target: str) -> None:
    from alembic import command  # noqa: PLC0415

    command.upgrade(_config(connection), target)

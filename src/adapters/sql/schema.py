"""The database's schema: bringing it to this code's version, and knowing whether it is there."""

import functools
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from adapters.sql.database import Database, carried_through
from domain.errors import SchemaDiffers
from domain.ports.schema import Schema

_MIGRATIONS = Path(__file__).with_name("migrations")

# Any number will do, as long as all processes that migrate use the same.
_ADVISORY_LOCK = text("SELECT pg_advisory_xact_lock(7046905)")


# Who waits for a table keeps all others from it meanwhile.
_HOLD_UP_NOBODY = text("SET LOCAL lock_timeout = '5s'")


class SqlSchema(Schema):
    def __init__(self, database: Database) -> None:
        self._database = database

    @carried_through
    async def migrate(self, target: str = "head") -> None:
        """`target` is a revision; the newest if left out."""
        self._database.expect_folder()
        await self._database.write_ahead()
        async with self._database.migrating() as connection:
            if not self._database.is_sqlite:
                await connection.execute(_ADVISORY_LOCK)
                await connection.execute(_HOLD_UP_NOBODY)
            await connection.run_sync(_upgrade, target)

    async def check(self) -> None:
        self._database.expect_folder()
        async with self._database.reading() as connection:
            found = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
        expected = _newest_revision()
        if found != expected:
            raise SchemaDiffers(found=found, expected=expected)


@functools.cache
def _newest_revision() -> str:
    """Read once: it is asked for by every readiness probe, and comes from a folder of files."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _upgrade(connection: Connection, target: str) -> None:
    command.upgrade(_config(connection), target)

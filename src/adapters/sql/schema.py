"""The database's schema: bringing it to this code's version, and knowing whether it is there."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from adapters.sql.database import Database, carried_through
from domain.errors import SchemaDiffers
from domain.ports.schema import Schema

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).with_name("migrations")

# Any number will do, as long as all processes that migrate use the same.
_ADVISORY_LOCK = text("SELECT pg_advisory_xact_lock(7046905)")

_VERSION_TABLE = "alembic_version"
_REVISION = text(f"SELECT version_num FROM {_VERSION_TABLE}")  # noqa: S608 - the name of a table
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
            there = await connection.run_sync(lambda sync: inspect(sync).has_table(_VERSION_TABLE))
            found = (await connection.execute(_REVISION)).scalar() if there else None
        expected = _newest_revision()
        if found != expected:
            raise SchemaDiffers(found=found, expected=expected)


@functools.cache
def _newest_revision() -> str:
    """Read once, as every readiness probe asks for it. Files of migrations are called by their revisions, in order."""
    return max(file.name.partition("_")[0] for file in _MIGRATIONS.glob("versions/*.py"))


# Alembic takes 9 MB, which processes that do not migrate can do without.
def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _upgrade(connection: Connection, target: str) -> None:
    from alembic import command  # noqa: PLC0415

    command.upgrade(_config(connection), target)

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy import text as sql

from adapters.sql import schema as schema_module
from adapters.sql.database import Database
from adapters.sql.schema import SqlSchema
from adapters.sql.tables import metadata
from domain.errors import SchemaDiffers
from tests.builders import Store, numbers
from tests.conftest import PostgresServer, close

REVISIONS = [
    script.revision for script in ScriptDirectory.from_config(schema_module._config()).walk_revisions("base", "head")
][::-1]

MIGRATE = """
import asyncio, sys
from adapters.sql.database import Database
from adapters.sql.schema import SqlSchema

async def main():
    database = Database(sys.argv[1])
    await SqlSchema(database).migrate()
    await SqlSchema(database).check()
    await database.close()

asyncio.run(main())
"""


@pytest.fixture
async def empty(empty_database_url: str) -> Any:  # noqa: ANN401 - a fixture's own type says nothing
    database = Database(empty_database_url)
    yield database
    await database.close()


async def downgrade(database: Database, target: str) -> None:
    async with database.writing() as connection:
        await connection.run_sync(lambda sync: command.downgrade(schema_module._config(sync), target))


async def read(database: Database, look: Callable[[Connection], Any]) -> Any:  # noqa: ANN401
    async with database.reading() as connection:
        return await connection.run_sync(look)


async def revision_of(database: Database) -> Any:  # noqa: ANN401
    return await read(database, lambda sync: MigrationContext.configure(sync).get_current_revision())


def _differences(connection: Connection) -> Any:  # noqa: ANN401
    # On SQLite, Alembic takes an identity for a default that the table lacks.
    options = {"compare_type": True, "compare_server_default": connection.dialect.name != "sqlite"}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def _as_it_is(connection: Connection) -> dict[str, object]:
    """All that SQLAlchemy can read of the hub's tables, conditions of indexes and constraints included."""
    inspector = inspect(connection)
    return {
        table: {
            "columns": _described(inspector.get_columns(table)),
            "primary key": _described(inspector.get_pk_constraint(table)),
            "foreign keys": sorted(_described(inspector.get_foreign_keys(table)), key=str),
            "unique": sorted(_described(inspector.get_unique_constraints(table)), key=str),
            "checks": sorted(_described(inspector.get_check_constraints(table)), key=str),
            "indexes": sorted(_described(inspector.get_indexes(table)), key=str),
        }
        for table in metadata.tables
    }


def _described(item: Any) -> Any:  # noqa: ANN401
    match item:
        case dict():
            return {key: _described(value) for key, value in item.items()}
        case list() | tuple():
            return [_described(value) for value in item]
        case _:
            return str(item)


async def test_an_empty_database_is_told_apart(empty: Database) -> None:
    with pytest.raises(SchemaDiffers) as refused:
        await SqlSchema(empty).check()

    assert (refused.value.found, refused.value.expected) == (None, REVISIONS[-1])
    assert "smshub migrate" in str(refused.value)


async def test_a_migrated_database_is_at_this_codes_version(empty: Database) -> None:
    await SqlSchema(empty).migrate()

    await SqlSchema(empty).check()
    assert await revision_of(empty) == REVISIONS[-1]


async def _at(database: Database, revision: str) -> None:
    async with database.writing() as connection:
        await connection.execute(sql("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


@pytest.mark.parametrize("revision", ["9999", "9999for0001", f"9999for{REVISIONS[-1]}"])
async def test_on_a_newer_hubs_schema_this_one_runs_and_leaves_it_as_it_is(database: Database, revision: str) -> None:
    await _at(database, revision)

    await SqlSchema(database).check()
    await SqlSchema(database).migrate()

    assert await revision_of(database) == revision


@pytest.mark.parametrize("revision", ["9999for9998", "9999before", "9999for", "something-else"])
async def test_a_schema_that_takes_something_from_this_hub_is_told_apart(database: Database, revision: str) -> None:
    await _at(database, revision)

    with pytest.raises(SchemaDiffers, match="start a newer one") as refused:
        await SqlSchema(database).check()
    with pytest.raises(SchemaDiffers):
        await SqlSchema(database).migrate()

    assert refused.value.found == revision


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    before = await read(database, _as_it_is)

    await SqlSchema(database).migrate()

    assert await read(database, _as_it_is) == before


async def test_every_revision_can_be_walked_up_and_down(empty: Database) -> None:
    for revision in REVISIONS:
        await SqlSchema(empty).migrate(revision)
        assert await revision_of(empty) == revision
    for revision in [*REVISIONS[:-1][::-1], "base"]:
        await downgrade(empty, revision)

    assert await revision_of(empty) is None
    assert await read(empty, lambda sync: set(inspect(sync).get_table_names())) == {"alembic_version"}

    await SqlSchema(empty).migrate()
    await SqlSchema(empty).check()
    assert await read(empty, _differences) == []


async def test_every_revision_can_be_taken_back_and_done_again(empty: Database) -> None:
    for before, revision in zip(["base", *REVISIONS], REVISIONS, strict=False):
        await SqlSchema(empty).migrate(revision)
        as_it_was = await read(empty, lambda sync: set(inspect(sync).get_table_names()))
        await downgrade(empty, before)
        await SqlSchema(empty).migrate(revision)
        assert await read(empty, lambda sync: set(inspect(sync).get_table_names())) == as_it_was


def test_the_newest_revision_is_the_one_that_alembic_takes_for_it() -> None:
    script = ScriptDirectory.from_config(schema_module._config())
    assert schema_module._revisions()[-1] == script.get_current_head()


async def test_alembic_finds_nothing_to_migrate_any_more(database: Database) -> None:
    assert await read(database, _differences) == []


async def test_the_migrated_schema_is_the_declared_one(empty: Database) -> None:
    async with empty.writing() as connection:
        await connection.run_sync(metadata.create_all)
        declared = await connection.run_sync(_as_it_is)
        await connection.run_sync(metadata.drop_all)

    await SqlSchema(empty).migrate()

    assert await read(empty, _as_it_is) == declared


async def test_storage_options_and_definitions_are_the_declared_ones_on_postgresql(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    declared_as = sql("""
        SELECT c.relname, c.reloptions, pg_get_indexdef(c.oid), (
            SELECT array_agg(pg_get_constraintdef(k.oid) ORDER BY pg_get_constraintdef(k.oid))
            FROM pg_constraint k WHERE k.conrelid = c.oid
        )
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relname NOT LIKE 'alembic%' ORDER BY c.relname
    """)

    async def definitions(url: str, *, declared: bool) -> Any:  # noqa: ANN401
        database = Database(url)
        async with database.writing() as connection:
            if declared:
                await connection.run_sync(metadata.create_all)
            found = (await connection.execute(declared_as)).all()
        await database.close()
        return found

    with postgres_server.database() as empty_url:
        declared = await definitions(empty_url, declared=True)
    migrated = await definitions(postgres_url, declared=False)

    assert migrated == declared
    assert any("WHERE (state = 'queued'::text)" in (row[2] or "") for row in migrated)
    assert any("fillfactor=85" in (row[1] or []) for row in migrated)


async def test_definitions_are_the_declared_ones_on_sqlite(sqlite_url: str, tmp_path: Any) -> None:  # noqa: ANN401
    async def conditions(url: str, *, declared: bool) -> Any:  # noqa: ANN401
        database = Database(url)
        async with database.writing() as connection:
            if declared:
                await connection.run_sync(metadata.create_all)
            indexes = (
                await connection.execute(sql("SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"))
            ).all()
            counting_up = (
                await connection.execute(
                    sql("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%' ORDER BY name")
                )
            ).all()
        await database.close()
        return [(name, (text or "").split()) for name, text in indexes if "alembic" not in name], counting_up

    migrated = await conditions(sqlite_url, declared=False)

    assert migrated == await conditions(f"sqlite:///{tmp_path / 'declared.db'}", declared=True)
    assert migrated[1] == [("dispatchers",), ("webhook_events",)]


async def test_a_failed_migration_leaves_nothing_behind(empty: Database) -> None:
    async with empty.writing() as connection:
        await connection.execute(sql("CREATE TABLE deliveries (in_the_way INTEGER)"))

    with pytest.raises(Exception, match="deliveries"):
        await SqlSchema(empty).migrate()

    assert await revision_of(empty) is None
    assert await read(empty, lambda sync: set(inspect(sync).get_table_names())) <= {"deliveries"}


async def test_a_migration_that_cannot_have_a_table_steps_back_until_it_can(
    postgres_server: PostgresServer,
) -> None:
    """Who waits for a table as a migration does keeps all others from it, who give up after two seconds."""
    with postgres_server.database() as url:
        database = Database(url)
        await SqlSchema(database).migrate("0004")
        async with database.writing() as connection:
            await connection.execute(sql("SELECT count(*) FROM programs"))
            # Less than the three seconds that a transaction may stand idle.
            until_s = time.monotonic() + 1.5
            migrating = asyncio.create_task(SqlSchema(database).migrate())
            while time.monotonic() < until_s:
                await asyncio.sleep(0.1)
                await read(database, lambda sync: sync.execute(sql("SELECT count(*) FROM programs")).scalar())
            assert not migrating.done()
        await migrating

        await SqlSchema(database).check()
        await database.close()


async def test_migrating_keeps_what_is_stored(store: Store) -> None:
    program = await store.add_program()
    message = await store.add_text(program, *numbers(3))
    before = await store.deliveries(program, message)

    await store.schema.migrate()

    assert await store.deliveries(program, message) == before


async def test_many_tasks_may_migrate_at_once(empty_database_url: str) -> None:
    databases = [Database(empty_database_url) for _ in range(4)]

    try:
        await asyncio.gather(*(SqlSchema(database).migrate() for database in databases))
        for database in databases:
            await SqlSchema(database).check()
    finally:
        for database in databases:
            await close(database)


async def test_many_processes_may_migrate_at_once(empty_database_url: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", MIGRATE, empty_database_url, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]

    complaints = [(await process.communicate())[1] for process in processes]

    assert [(process.returncode, complaint) for process, complaint in zip(processes, complaints, strict=True)] == [
        (0, b"")
    ] * 3

"""While an upgrade is under way the old code works on the new schema, and after one that is taken back, too: what a
migration takes away from older code is found by doing it, and its revision has to say so.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, inspect
from sqlalchemy import text as sql

from adapters.sql.database import Database
from adapters.sql.revision import Revision
from adapters.sql.schema import SqlSchema, _revisions
from tests.conftest import PostgresServer

_VERSIONS = "alembic_version"


@dataclass(frozen=True, slots=True)
class Form:
    """A table as older code meets it. `columns`: type, whether it must be given, and what it is otherwise. `rules` are
    what rows must keep, and what upserts lean on.
    """

    columns: Mapping[str, tuple[str, bool, str]]
    rules: frozenset[str]


def forms(connection: Connection) -> Mapping[str, Form]:
    found = inspect(connection)
    return {table: _form(found, table) for table in found.get_table_names() if table != _VERSIONS}


def _form(found: Any, table: str) -> Form:  # noqa: ANN401 - SQLAlchemy's inspector has gaps in its types
    columns = {
        each["name"]: (
            str(each["type"]),
            not (each["nullable"] or each["default"] or each.get("identity")),
            str(each["default"]),
        )
        for each in found.get_columns(table)
    }
    rules = [
        found.get_pk_constraint(table),
        *found.get_unique_constraints(table),
        *found.get_check_constraints(table),
        *found.get_foreign_keys(table),
        *(each for each in found.get_indexes(table) if each["unique"]),
    ]
    return Form(columns, frozenset(str(sorted(rule.items(), key=str)) for rule in rules))


def taken_away(before: Mapping[str, Form], after: Mapping[str, Form]) -> Iterator[str]:
    """What code that was made for `before` misses in `after`. A rename is a loss, too."""
    for table, was in before.items():
        if table not in after:
            yield f"the table {table}"
            continue
        now = after[table]
        for column, form in was.columns.items():
            if column not in now.columns:
                yield f"the column {table}.{column}"
            elif form != now.columns[column] and not _is_eased(form, now.columns[column]):
                yield f"what {table}.{column} was"
        for column in now.columns.keys() - was.columns.keys():
            if now.columns[column][1]:
                yield f"rows of {table} without {column}"
        if was.rules != now.rules:
            yield f"the rules of {table}"


def _is_eased(was: tuple[str, bool, str], now: tuple[str, bool, str]) -> bool:
    """It had to be given, and need not be any more."""
    return was[0] == now[0] and was[1] and not now[1]


def run(url: str, work: Callable[[Database], Any]) -> Any:  # noqa: ANN401
    async def opened() -> Any:  # noqa: ANN401
        database = Database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(opened())


async def forms_in(database: Database) -> Mapping[str, Form]:
    async with database.reading() as connection:
        return await connection.run_sync(forms)


def test_what_a_migration_takes_from_older_code_its_revision_says(empty_database_url: str) -> None:
    async def walk(database: Database) -> Sequence[list[str]]:
        all_forms = [await forms_in(database)]
        for revision in _revisions():
            await SqlSchema(database).migrate(revision)
            all_forms.append(await forms_in(database))
        return [sorted(taken_away(*pair)) for pair in pairwise(all_forms)]

    losses: Sequence[list[str]] = run(empty_database_url, walk)
    assert refusals(_revisions(), losses) == []


def refusals(revisions: Sequence[str], losses: Sequence[list[str]]) -> list[str]:
    """What is wrong with the ids of the revisions, each of which took so much away."""
    found = []
    before = Revision(0, 0)
    for text, lost in zip(revisions, losses, strict=True):
        revision = Revision.parse(text)
        if revision is None:
            return [f"{text} is no id of a revision"]
        if lost and revision.oldest <= before.oldest:
            found.append(f"{text} takes {', '.join(lost)}: its id has to say from which code on that is not needed")
        if not lost and revision.oldest != before.oldest:
            found.append(f"{text} takes nothing away, so code of {before.oldest} runs on it as on the one before")
        if revision.oldest > before.number:
            found.append(f"{text}: the code right before it must run on it, or no upgrade is without downtime")
        before = revision
    return found


@pytest.mark.parametrize(
    ("revisions", "losses", "number"),
    [
        (["0001", "0002", "0003for0002", "0004for0002"], [[], [], ["a column"], []], 0),
        (["0001", "0002", "0003"], [[], [], ["a column"]], 1),
        (["0001", "0002", "0003for0002", "0004"], [[], [], ["a column"], []], 1),
        (["0001", "0002", "0003for0003"], [[], [], ["a column"]], 1),
        (["0001", "0002for0001", "0003for0001"], [[], ["a column"], ["another"]], 1),
        (["0001", "second"], [[], []], 1),
    ],
)
def test_the_check_of_ids_sees_those_that_do_not_say_it(
    revisions: Sequence[str], losses: Sequence[list[str]], number: int
) -> None:
    assert len(refusals(revisions, losses)) == number


@pytest.mark.parametrize(
    ("statement", "missed"),
    [
        ("DROP TABLE opt_outs", "the table opt_outs"),
        ("ALTER TABLE opt_outs RENAME TO refusals", "the table opt_outs"),
        ("ALTER TABLE programs DROP COLUMN first_hub", "the column programs.first_hub"),
        ("ALTER TABLE programs RENAME name TO title", "the column programs.name"),
        ("ALTER TABLE programs ADD colour text NOT NULL", "rows of programs without colour"),
        ("ALTER TABLE programs ALTER retention_s SET NOT NULL", "what programs.retention_s was"),
        ("ALTER TABLE programs ALTER failover DROP DEFAULT", "what programs.failover was"),
        ("ALTER TABLE programs ALTER segment_cap TYPE bigint", "what programs.segment_cap was"),
        ("ALTER TABLE programs ADD CHECK (segment_cap < 5)", "the rules of programs"),
        ("ALTER TABLE programs DROP CONSTRAINT uq_programs_sid", "the rules of programs"),
        ("CREATE UNIQUE INDEX one_name ON programs (name)", "the rules of programs"),
    ],
)
def test_the_check_of_migrations_sees_what_older_code_misses(
    postgres_server: PostgresServer, migrated_postgres: str, statement: str, missed: str
) -> None:
    assert missed in lost_by(statement, postgres_server, migrated_postgres)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE colours (id bigint PRIMARY KEY)",
        "ALTER TABLE programs ADD colour text",
        "ALTER TABLE programs ADD colour text NOT NULL DEFAULT 'blue'",
        "ALTER TABLE programs ALTER name DROP NOT NULL",
        "ALTER TABLE programs ALTER name SET DEFAULT 'nobody'",
        "CREATE INDEX by_name ON programs (name)",
        "DROP INDEX ix_deliveries_number",
    ],
)
def test_the_check_of_migrations_sees_nothing_where_older_code_misses_nothing(
    postgres_server: PostgresServer, migrated_postgres: str, statement: str
) -> None:
    assert list(lost_by(statement, postgres_server, migrated_postgres)) == []


def lost_by(statement: str, server: PostgresServer, template: str) -> Iterator[str]:
    async def work(database: Database) -> tuple[Mapping[str, Form], Mapping[str, Form]]:
        before = await forms_in(database)
        async with database.writing() as connection:
            await connection.execute(sql(statement))
        return before, await forms_in(database)

    with server.database(template=template) as url:
        before, after = run(url, work)
    return taken_away(before, after)

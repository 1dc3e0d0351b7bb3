from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, carried_through
from adapters.sql.rows import AnyRow
from adapters.sql.tables import programs, template_versions, templates
from domain.errors import TemplateExists, TemplateNotFound, TooManyTemplates, TooManyTemplateVersions
from domain.model.template import MOST_TEMPLATES, MOST_VERSIONS, TemplateName, TemplateText, TemplateVersion
from domain.ports.templates import Templates

_THEIRS = and_(
    template_versions.c.program_id == templates.c.program_id,
    template_versions.c.folded_name == templates.c.folded_name,
)
_IN_USE = templates.c.retired_us.is_(None)
_NEWEST = template_versions.c.number == templates.c.versions


class SqlTemplates(Templates):
    def __init__(self, database: Database) -> None:
        self._database = database

    @carried_through
    async def add(self, program_id: str, name: TemplateName, text: TemplateText, *, now_us: int) -> TemplateVersion:
        its_program = select(programs.c.id).where(programs.c.id == program_id)
        in_use = select(func.count()).select_from(templates).where(templates.c.program_id == program_id, _IN_USE)
        own = _own(program_id, name)
        async with self._database.writing() as connection:
            # One after the other, or two that look at once would each add the last one, or both the same.
            await connection.execute(its_program.with_for_update(key_share=True))
            there = (await connection.execute(select(templates.c.versions, templates.c.retired_us).where(own))).first()
            if there is not None and there.retired_us is None:
                raise TemplateExists
            if (await connection.execute(in_use)).scalar_one() >= MOST_TEMPLATES:
                raise TooManyTemplates(limit=MOST_TEMPLATES)
            if there is None:
                row = {"program_id": program_id, "folded_name": name.folded, "name": name.value, "versions": 0}
                await connection.execute(insert(templates).values(row))
            else:
                await connection.execute(update(templates).where(own).values(name=name.value, retired_us=None))
            return await _add_version(connection, program_id, name, there.versions if there else 0, text, now_us)

    @carried_through
    async def change(self, program_id: str, name: TemplateName, text: TemplateText, *, now_us: int) -> TemplateVersion:
        own = _own(program_id, name)
        async with self._database.writing() as connection:
            # Whoever changes it at the same time waits for this one, and makes the version after it.
            await connection.execute(select(templates.c.name).where(own).with_for_update())
            newest = (await connection.execute(_versions(program_id).where(own, _NEWEST))).first()
            if newest is None:
                raise TemplateNotFound
            if newest.body == text.text:
                return _as_version(newest)
            return await _add_version(connection, program_id, TemplateName(newest.name), newest.number, text, now_us)

    @carried_through
    async def retire(self, program_id: str, name: TemplateName, *, now_us: int) -> None:
        retired = update(templates).where(_own(program_id, name), _IN_USE).values(retired_us=now_us)
        async with self._database.writing() as connection:
            if not (await connection.execute(retired)).rowcount:
                raise TemplateNotFound

    async def all(self, program_id: str) -> Sequence[TemplateVersion]:
        newest = _versions(program_id).where(_NEWEST).order_by(templates.c.folded_name)
        async with self._database.reading() as connection:
            return [_as_version(row) for row in await connection.execute(newest)]

    async def versions(self, program_id: str, name: TemplateName) -> Sequence[TemplateVersion]:
        its = _versions(program_id).where(_own(program_id, name)).order_by(template_versions.c.number.desc())
        async with self._database.reading() as connection:
            return [_as_version(row) for row in await connection.execute(its)]

    async def find(self, program_id: str, name: TemplateName, version: int | None) -> TemplateVersion | None:
        wanted = _NEWEST if version is None else template_versions.c.number == version
        async with self._database.reading() as connection:
            row = (await connection.execute(_versions(program_id).where(_own(program_id, name), wanted))).first()
        return None if row is None else _as_version(row)


async def _add_version(
    connection: AsyncConnection, program_id: str, name: TemplateName, versions: int, text: TemplateText, now_us: int
) -> TemplateVersion:
    """The one after so many."""
    if versions >= MOST_VERSIONS:
        raise TooManyTemplateVersions(limit=MOST_VERSIONS)
    number = versions + 1
    row = {"program_id": program_id, "folded_name": name.folded, "number": number}
    await connection.execute(insert(template_versions).values({**row, "body": text.text, "created_us": now_us}))
    await connection.execute(update(templates).where(_own(program_id, name)).values(versions=number))
    return TemplateVersion(name=name.value, number=number, text=text, created_us=now_us)


def _own(program_id: str, name: TemplateName) -> ColumnElement[bool]:
    return and_(templates.c.program_id == program_id, templates.c.folded_name == name.folded)


def _versions(program_id: str) -> Select[str, int, str, int]:
    """Of all of the program's templates that are in use."""
    return (
        select(
            templates.c.name,
            template_versions.c.number,
            template_versions.c.body,
            template_versions.c.created_us,
        )
        .join(template_versions, _THEIRS)
        .where(templates.c.program_id == program_id, _IN_USE)
    )


def _as_version(row: AnyRow) -> TemplateVersion:
    return TemplateVersion(name=row.name, number=row.number, text=TemplateText(row.body), created_us=row.created_us)

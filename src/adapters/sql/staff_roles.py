from collections.abc import Mapping, Sequence

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.audit import audit
from adapters.sql.database import Database, carried_through
from adapters.sql.rows import AnyRow
from adapters.sql.tables import hub, not_deleted, programs, staff_roles
from domain.errors import ProgramNotFound, StaffRoleNotFound
from domain.model.staff import Role, StaffRole
from domain.ports.staff_roles import StaffRoles


class SqlStaffRoles(StaffRoles):
    def __init__(self, database: Database) -> None:
        self._database = database

    @carried_through
    async def put(self, role: StaffRole) -> StaffRole:
        async with self._database.writing() as connection:
            # One after the other, or two at once would each add the same.
            await connection.execute(select(hub.c.id).with_for_update())
            program_id = await _program_id(connection, role.program_id)
            its = (staff_roles.c.group_name == role.group) & staff_roles.c.program_id.is_not_distinct_from(program_id)
            before = (await connection.execute(select(staff_roles).where(its))).first()
            row = {"group_name": role.group, "program_id": program_id, "role": role.role.value}
            write = insert(staff_roles) if before is None else update(staff_roles).where(its)
            after = (await connection.execute(write.values(row).returning(staff_roles))).one()
            if before is None or before.role != after.role:
                await _audit(connection, "staff-role.granted", after, before=_told(before), after=_told(after))
            return _as_role(after)

    @carried_through
    async def remove(self, role_id: int) -> StaffRole:
        gone = delete(staff_roles).where(staff_roles.c.id == role_id).returning(staff_roles)
        async with self._database.writing() as connection:
            row = (await connection.execute(gone)).first()
            if row is None:
                raise StaffRoleNotFound
            await _audit(connection, "staff-role.removed", row, before=_told(row))
            return _as_role(row)

    async def all(self) -> Sequence[StaffRole]:
        there = (
            select(staff_roles)
            .outerjoin(programs, programs.c.id == staff_roles.c.program_id)
            .where(not_deleted)
            .order_by(staff_roles.c.group_name, staff_roles.c.program_id.nulls_first())
        )
        async with self._database.reading() as connection:
            return [_as_role(row) for row in await connection.execute(there)]


async def _program_id(connection: AsyncConnection, program_id: str | None) -> str | None:
    """As it is written in the program itself. Raises `ProgramNotFound`."""
    if program_id is None:
        return None
    its = select(programs.c.id).where(programs.c.folded_id == program_id.casefold(), not_deleted)
    found = (await connection.execute(its.with_for_update(key_share=True))).scalar_one_or_none()
    if found is None:
        raise ProgramNotFound
    return str(found)


async def _audit(
    connection: AsyncConnection,
    action: str,
    row: AnyRow,
    *,
    before: Mapping[str, object],
    after: Mapping[str, object] | None = None,
) -> None:
    subject = f"group {row.group_name}"
    await audit(connection, action, subject, program_id=row.program_id, before=before, after=after or {})


def _told(row: AnyRow | None) -> Mapping[str, object]:
    return {} if row is None else {"Role": row.role}


def _as_role(row: AnyRow) -> StaffRole:
    return StaffRole(id=row.id, group=row.group_name, role=Role(row.role), program_id=row.program_id)

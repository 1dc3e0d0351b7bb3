from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import StaffRoleNotFound
from domain.model.program import same_program_id
from domain.model.staff import StaffRole
from domain.ports.staff_roles import StaffRoles


@dataclass(frozen=True, kw_only=True)
class OperateStaffRoles:
    """What operators say that groups of the identity provider's may do."""

    roles: StaffRoles

    async def all(self) -> Sequence[StaffRole]:
        """By group."""
        return await self.roles.all()

    async def put(self, role: StaffRole) -> StaffRole:
        """In place of the one that the group has in the program. Raises `ProgramNotFound`."""
        return await self.roles.put(role)

    async def remove(self, role_id: int) -> StaffRole:
        """As it was; it ends within five seconds. Raises `StaffRoleNotFound`."""
        return await self.roles.remove(role_id)

    async def remove_of(self, group: str, program_id: str | None) -> StaffRole:
        """The group's in the program, or as operators for None. Raises `StaffRoleNotFound`."""
        for each in await self.roles.all():
            # An operator's role has no program, and no program has an empty id.
            if each.group == group and same_program_id(each.program_id or "", program_id or ""):
                return await self.roles.remove(each.id)
        raise StaffRoleNotFound

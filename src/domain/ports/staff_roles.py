from collections.abc import Sequence
from typing import Protocol

from domain.model.staff import StaffRole


class StaffRoles(Protocol):
    """What groups may do. A group has one role in a program, and beside those that of an operator or not."""

    async def put(self, role: StaffRole) -> StaffRole:
        """In place of the one that the group has in the program; the program's id may be in any letter case. Raises
        `ProgramNotFound`.
        """
        ...

    async def remove(self, role_id: int) -> StaffRole:
        """As it was. Raises `StaffRoleNotFound`."""
        ...

    async def all(self) -> Sequence[StaffRole]:
        """By group, in each that of an operator first. Those of programs that are deleted are not among them."""
        ...

"""Operators' page about what groups of persons may do."""

from contextlib import suppress
from dataclasses import dataclass

from starlette.responses import Response

from domain.errors import InvalidValue, ProgramNotFound, StaffRoleNotFound
from domain.model.staff import Role, StaffRole
from entrypoints.http.console.acting import acting_as
from entrypoints.http.console.frame import Visit
from entrypoints.http.console.use_cases import UseCases


@dataclass(frozen=True)
class StaffPages:
    hub: UseCases

    async def all(self, visit: Visit) -> Response:
        return await self._page(visit)

    async def grant(self, visit: Visit) -> Response:
        fields = visit.fields
        try:
            role = next((each for each in Role if each.value == fields.get("Role")), Role.READER)
            program_id = fields.get("Program", "") or None
            granted = StaffRole(group=fields.get("Group", "").strip(), role=role, program_id=program_id)
            with acting_as(visit):
                await self.hub.operate_staff_roles.put(granted)
        except InvalidValue as fault:
            return await self._page(visit, fault=str(fault))
        except ProgramNotFound:
            return await self._page(visit, fault="There is no such program any more.")
        return visit.go("staff")

    async def remove(self, visit: Visit) -> Response:
        # Somebody else may have been faster.
        with suppress(StaffRoleNotFound), acting_as(visit):
            await self.hub.operate_staff_roles.remove(visit.number_in_path("role_id"))
        return visit.go("staff")

    async def _page(self, visit: Visit, *, fault: str | None = None) -> Response:
        programs = {each.id: each.name for each in await self.hub.list_programs()}
        return visit.show(
            "staff.html",
            status=200 if fault is None else 422,
            fault=fault,
            roles=await self.hub.operate_staff_roles.all(),
            programs=programs,
            kinds=Role,
            provider=None if self.hub.sign_in_staff is None else self.hub.sign_in_staff.provider.name,
            group=visit.fields.get("Group", ""),
        )

"""What operators call about the roles of staff."""

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from domain.errors import ProgramNotFound
from domain.model.staff import Role, StaffRole
from domain.use_cases.operate_staff_roles import OperateStaffRoles
from entrypoints.http.answers import as_json, as_list
from entrypoints.http.call import Call
from entrypoints.http.operators import acting_for
from entrypoints.http.problems import RequestFault


@dataclass(frozen=True, kw_only=True)
class StaffHandlers:
    operate_staff_roles: OperateStaffRoles

    async def listStaffRoles(self, _call: Call) -> Response:  # noqa: N802 - the contract's own name
        return as_list([shown(each) for each in await self.operate_staff_roles.all()])

    async def putStaffRole(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        role = StaffRole(group=body["Group"], role=Role(body["Role"]), program_id=body.get("ProgramId"))
        try:
            with acting_for(call):
                stored = await self.operate_staff_roles.put(role)
        except ProgramNotFound:
            detail = "There is no program with this id."
            fault = {"pointer": "#/ProgramId", "detail": detail}
            raise RequestFault(422, "unknown-program", "Unknown program", detail, [fault]) from None
        return as_json(shown(stored))

    async def deleteStaffRole(self, call: Call) -> Response:  # noqa: N802
        with acting_for(call):
            removed = await self.operate_staff_roles.remove(call.parameters["RoleId"])
        return as_json(shown(removed))


def shown(role: StaffRole) -> dict[str, Any]:
    return {"Id": role.id, "Group": role.group, "Role": role.role.value, "ProgramId": role.program_id}

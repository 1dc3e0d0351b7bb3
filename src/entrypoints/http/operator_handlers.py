"""What operators call: a method for each of these operations of the contract, named by its operationId."""

from dataclasses import dataclass

from starlette.responses import Response

from domain.model.access import KeyKind
from domain.model.phone_number import PhoneNumber
from domain.model.program_key import KeyTerms
from domain.use_cases.list_audit_events import ListAuditEvents
from domain.use_cases.list_programs import ListPrograms
from domain.use_cases.operate_keys import OperateKeys
from domain.use_cases.operate_senders import Pause
from entrypoints.http import cursors, representations
from entrypoints.http.answers import as_json, as_list
from entrypoints.http.call import Call
from entrypoints.http.operators import acting_on_program
from entrypoints.http.times import optional_microseconds


@dataclass(frozen=True, kw_only=True)
class OperatorHandlers:
    list_programs: ListPrograms
    pause: Pause
    operate_keys: OperateKeys
    list_audit_events: ListAuditEvents

    async def listPrograms(self, call: Call) -> Response:  # noqa: N802 - the contract's own name
        found = await self.list_programs(deleted=call.parameters["Deleted"])
        return as_list([representations.program(each) for each in found])

    async def suspendProgram(self, call: Call) -> Response:  # noqa: N802
        return await self._suspended(call, suspended=True)

    async def reinstateProgram(self, call: Call) -> Response:  # noqa: N802
        return await self._suspended(call, suspended=False)

    async def listKeys(self, call: Call) -> Response:  # noqa: N802
        with acting_on_program(call):
            keys = await self.operate_keys.of(call.parameters["ProgramId"])
        return as_list([representations.program_key(each) for each in keys])

    async def issueKey(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        terms = KeyTerms(
            kind=KeyKind(body.get("Kind", KeyKind.LIVE.value)),
            name=body.get("Name", ""),
            numbers=frozenset(map(PhoneNumber, body.get("Numbers", ()))),
            networks=tuple(body.get("Networks", ())),
            expires_us=optional_microseconds(body.get("ExpiresAt")),
        )
        with acting_on_program(call):
            issued, key = await self.operate_keys.issue(call.parameters["ProgramId"], terms)
        answer = {**representations.program_key(issued), "ProgramKey": key.value}
        return as_json(answer, headers={"Cache-Control": "no-store"})

    async def revokeKey(self, call: Call) -> Response:  # noqa: N802
        with acting_on_program(call):
            revoked = await self.operate_keys.revoke(call.parameters["ProgramId"], call.parameters["KeyId"])
        return as_json(representations.program_key(revoked))

    async def listAuditEvents(self, call: Call) -> Response:  # noqa: N802
        page = await self.list_audit_events(
            program_id=call.parameters.get("ProgramId"),
            before=cursors.id_of(call.parameters.get("Cursor")),
            limit=call.parameters["Limit"],
        )
        following = None if page.end is None else cursors.after_id(page.end)
        return as_list([representations.audit_event(each) for each in page.items], following)

    async def _suspended(self, call: Call, *, suspended: bool) -> Response:
        program_id = call.parameters["ProgramId"]
        with acting_on_program(call):
            await self.pause.suspend(program_id, suspended=suspended)
        return as_json({"ProgramId": program_id, "Suspended": suspended})

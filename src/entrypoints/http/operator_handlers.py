"""What operators call: a method for each of these operations of the contract, named by its operationId."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import orjson
from starlette.responses import Response

from domain.errors import ProgramNotFound
from domain.model.access import KeyKind
from domain.model.phone_number import PhoneNumber
from domain.model.program_key import KeyTerms
from domain.use_cases.list_audit_events import ListAuditEvents
from domain.use_cases.list_programs import ListPrograms
from domain.use_cases.operate_keys import OperateKeys
from domain.use_cases.operate_senders import Pause
from entrypoints.http import cursors, representations
from entrypoints.http.call import Call
from entrypoints.http.operators import acting_for
from entrypoints.http.problems import RequestFault
from entrypoints.http.times import optional_microseconds


@dataclass(frozen=True, kw_only=True)
class OperatorHandlers:
    list_programs: ListPrograms
    pause: Pause
    operate_keys: OperateKeys
    list_audit_events: ListAuditEvents

    async def listPrograms(self, call: Call) -> Response:  # noqa: N802 - the contract's own name
        found = await self.list_programs(deleted=call.parameters["Deleted"])
        return _json({"Items": [representations.program(each) for each in found], "NextCursor": None})

    async def suspendProgram(self, call: Call) -> Response:  # noqa: N802
        return await self._suspended(call, suspended=True)

    async def reinstateProgram(self, call: Call) -> Response:  # noqa: N802
        return await self._suspended(call, suspended=False)

    async def listKeys(self, call: Call) -> Response:  # noqa: N802
        with by(call):
            keys = await self.operate_keys.of(call.parameters["ProgramId"])
        return _json({"Items": [representations.program_key(each) for each in keys], "NextCursor": None})

    async def issueKey(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        terms = KeyTerms(
            kind=KeyKind(body.get("Kind", KeyKind.LIVE.value)),
            name=body.get("Name", ""),
            numbers=frozenset(map(PhoneNumber, body.get("Numbers", ()))),
            networks=tuple(body.get("Networks", ())),
            expires_us=optional_microseconds(body.get("ExpiresAt")),
        )
        with by(call):
            issued, key = await self.operate_keys.issue(call.parameters["ProgramId"], terms)
        answer = {**representations.program_key(issued), "ProgramKey": key.value}
        return _json(answer, headers={"Cache-Control": "no-store"})

    async def revokeKey(self, call: Call) -> Response:  # noqa: N802
        with by(call):
            revoked = await self.operate_keys.revoke(call.parameters["ProgramId"], call.parameters["KeyId"])
        return _json(representations.program_key(revoked))

    async def listAuditEvents(self, call: Call) -> Response:  # noqa: N802
        page = await self.list_audit_events(
            program_id=call.parameters.get("ProgramId"),
            before=cursors.id_of(call.parameters.get("Cursor")),
            limit=call.parameters["Limit"],
        )
        following = None if page.end is None else cursors.after_id(page.end)
        return _json({"Items": [representations.audit_event(each) for each in page.items], "NextCursor": following})

    async def _suspended(self, call: Call, *, suspended: bool) -> Response:
        program_id = call.parameters["ProgramId"]
        with by(call):
            await self.pause.suspend(program_id, suspended=suspended)
        return _json({"ProgramId": program_id, "Suspended": suspended})


@contextmanager
def by(call: Call) -> Iterator[None]:
    """Whoever calls is in the record as the one who does it. A program that there is not, is named by them."""
    try:
        with acting_for(call):
            yield
    except ProgramNotFound:
        detail = "There is no program with this id."
        raise RequestFault(404, ProgramNotFound.slug, "No such program", detail) from None


def _json(value: object, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(value), media_type="application/json", headers=headers)

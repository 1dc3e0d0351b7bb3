"""What operators do with programs: a method for each of these operations of the contract, named by its operationId."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from domain.errors import PropertyRefused, naming
from domain.model.instant import instant
from domain.model.program_key import ProgramKey
from domain.model.terms import USUAL_TERMS
from domain.use_cases.change_program import ChangeProgram
from domain.use_cases.create_program import CreateProgram, FirstHubIdentity
from domain.use_cases.delete_program import DeleteProgram
from domain.use_cases.list_programs import ShowProgram
from domain.use_cases.remove_sender import RemoveSender
from entrypoints.http import representations
from entrypoints.http.answers import as_json
from entrypoints.http.call import Call
from entrypoints.http.operators import acting_on_program, credentials_of, pace_of, sender_of
from entrypoints.terms import changed

_IDENTITY = ("ProgramId", "ProgramSID", "ProgramKey")


@dataclass(frozen=True, kw_only=True)
class ProgramHandlers:
    create_program: CreateProgram
    show_program: ShowProgram
    change_program: ChangeProgram
    delete_program: DeleteProgram
    remove_sender: RemoveSender

    async def createProgram(self, call: Call) -> Response:  # noqa: N802 - the contract's own name
        body = call.posted_by(call.grant)
        sender, pace = sender_of(body), pace_of(body)
        with acting_on_program(call):
            program, key = await self.create_program(
                name=body["Name"],
                provider=body["Provider"],
                sender=sender,
                pace=pace,
                credentials=credentials_of(body),
                terms=changed(USUAL_TERMS, body),
                first_hub=_first_hub_identity(body),
            )
        answer = {**representations.program(program), "SenderId": program.sender.id, "ProgramKey": key.value}
        location = f"{call.base_path}/api/Programs/{quote(program.id, safe='')}"
        return as_json(answer, headers={"Cache-Control": "no-store", "Location": location})

    async def getProgram(self, call: Call) -> Response:  # noqa: N802
        with acting_on_program(call):
            program = await self.show_program(call.parameters["ProgramId"])
        return as_json(representations.program(program))

    async def changeProgram(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        with acting_on_program(call):
            program = await self.change_program(
                call.parameters["ProgramId"], lambda terms: changed(terms, body), name=body.get("Name")
            )
        return as_json(representations.program(program))

    async def deleteProgram(self, call: Call) -> Response:  # noqa: N802
        with acting_on_program(call):
            deleted = await self.delete_program(call.parameters["ProgramId"], by=call.grant.program_id)
        return as_json(
            {"ProgramId": deleted.id, "DeletedAt": instant(deleted.deleted_us), "Canceled": deleted.canceled}
        )

    async def removeSender(self, call: Call) -> Response:  # noqa: N802
        with acting_on_program(call):
            program = await self.remove_sender(call.parameters["ProgramId"], call.parameters["SenderId"])
        return as_json(representations.program(program))


def _first_hub_identity(body: Mapping[str, Any]) -> FirstHubIdentity | None:
    given = [name for name in _IDENTITY if name in body]
    if not given:
        return None
    for name in _IDENTITY:
        if name not in body:
            raise PropertyRefused(name, "ProgramId, ProgramSID and ProgramKey go together.")
    with naming("ProgramKey"):
        key = ProgramKey(body["ProgramKey"])
    return FirstHubIdentity(program_id=body["ProgramId"], program_sid=body["ProgramSID"], key=key)

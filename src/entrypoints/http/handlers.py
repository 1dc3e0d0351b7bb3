"""One method for each operation of the contract, named by its operationId: parse, call one use case, render."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import orjson
from starlette.responses import Response

from domain.model.program import ProgramKey
from domain.use_cases.issue_token import IssueToken
from domain.use_cases.read_texts import FindText, ListDeliveries, ListTexts
from domain.use_cases.send_text import SendText, SendTextCommand
from domain.use_cases.set_opt_out import SetOptOut
from entrypoints.http import cursors, representations
from entrypoints.http.call import Call


@dataclass(frozen=True, kw_only=True)
class Handlers:
    issue_token: IssueToken
    send_text: SendText
    find_text: FindText
    list_texts: ListTexts
    list_deliveries: ListDeliveries
    set_opt_out: SetOptOut

    async def logIn(self, call: Call) -> Response:  # noqa: N802 - the contract's own name
        token, grant = await self.issue_token(
            call.body["ProgramSID"], ProgramKey(call.body["ProgramKey"]), address=call.address
        )
        call.posted_by(grant)
        return _json(token, headers={"Cache-Control": "no-store"})

    async def sendTextMessage(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        command = SendTextCommand(
            text=body["Message"],
            recipients=body["PhoneNumber"],
            program_id=body.get("ProgramId"),
            client_date_sent=body.get("DateSent"),
        )
        summary = await self.send_text(call.grant, command)
        location = f"{call.base_path}/api/TextMessages/{summary.message.id}"
        return _json(representations.accepted_text(summary), headers={"Location": location})

    async def listTextMessages(self, call: Call) -> Response:  # noqa: N802
        before = cursors.message_of(call.parameters.get("Cursor"))
        page = await self.list_texts(call.grant, before=before, limit=call.parameters["Limit"])
        following = cursors.after_message(page.items[-1].message.id) if page.more else None
        return _json({"Items": [representations.text(each) for each in page.items], "NextCursor": following})

    async def getTextMessage(self, call: Call) -> Response:  # noqa: N802
        summary = await self.find_text(call.grant, UUID(call.parameters["Id"]))
        return _json(representations.text(summary))

    async def listDeliveries(self, call: Call) -> Response:  # noqa: N802
        page = await self.list_deliveries(
            call.grant,
            UUID(call.parameters["Id"]),
            after=cursors.position_of(call.parameters.get("Cursor")),
            limit=call.parameters["Limit"],
        )
        following = cursors.after_position(page.items[-1].position) if page.more else None
        return _json({"Items": [representations.delivery(each) for each in page.items], "NextCursor": following})

    async def setSubscriber(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        number = await self.set_opt_out(
            call.grant, body["PhoneNumber"], do_not_text=body["DoNotText"], program_id=body.get("ProgramId")
        )
        return _json({"PhoneNumber": number.e164, "DoNotText": body["DoNotText"]})


def _json(value: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(value), media_type="application/json", headers=dict(headers or {}))

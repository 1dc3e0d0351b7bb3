"""What operators call about whoever has a phone number: a method for each operation, named by its operationId.

Both are posted, so that the number stands in no address and in no proxy's log.
"""

from dataclasses import dataclass

import orjson
from starlette.responses import Response

from domain.model.audit import Actor, acting
from domain.use_cases.erase_subject import EraseSubject
from domain.use_cases.search_subject import SearchSubject
from entrypoints.http import cursors, representations
from entrypoints.http.call import Call

_RECORDS_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class SubjectHandlers:
    search_subject: SearchSubject
    erase_subject: EraseSubject

    async def searchSubject(self, call: Call) -> Response:  # noqa: N802 - the contract's own name
        body = call.posted_by(call.grant)
        number, page = await self.search_subject(
            body["PhoneNumber"],
            after=cursors.place_of(body.get("Cursor")),
            limit=body.get("Limit", _RECORDS_AT_ONCE),
        )
        answer = {
            "PhoneNumber": number.e164,
            "Items": [representations.subject_record(each) for each in page.items],
            "NextCursor": None if page.end is None else cursors.after_place(page.end),
        }
        return _json(answer)

    async def eraseSubject(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        token = acting.set(Actor(name=call.grant.program_id, via="api", address=call.address or None))
        try:
            erasure = await self.erase_subject(body["PhoneNumber"], keep_opt_outs=body.get("KeepOptOuts", True))
        finally:
            acting.reset(token)
        return _json(representations.erasure(erasure))


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), media_type="application/json", headers={"Cache-Control": "no-store"})

"""What operators call about whoever has a phone number: a method for each operation, named by its operationId.

Both are posted, so that the number stands in no address and in no proxy's log.
"""

from dataclasses import dataclass

from starlette.responses import Response

from domain.use_cases.erase_subject import EraseSubject
from domain.use_cases.search_subject import SearchSubject
from entrypoints.http import cursors, representations
from entrypoints.http.answers import as_json
from entrypoints.http.call import Call
from entrypoints.http.operators import acting_for

_RECORDS_AT_ONCE = 100
_NOT_TO_BE_KEPT = {"Cache-Control": "no-store"}


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
        return as_json(answer, headers=_NOT_TO_BE_KEPT)

    async def eraseSubject(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        with acting_for(call):
            erasure = await self.erase_subject(body["PhoneNumber"], keep_opt_outs=body.get("KeepOptOuts", True))
        return as_json(representations.erasure(erasure), headers=_NOT_TO_BE_KEPT)

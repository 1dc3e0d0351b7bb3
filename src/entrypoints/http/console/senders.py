"""Operators' page about senders, which keeps itself up to date."""

from dataclasses import dataclass

from starlette.responses import Response

from entrypoints.http.console.acting import acting_as
from entrypoints.http.console.frame import Visit
from entrypoints.http.console.use_cases import UseCases


@dataclass(frozen=True)
class SenderPages:
    hub: UseCases

    async def all(self, visit: Visit) -> Response:
        return visit.show("senders.html", senders=await self.hub.survey_senders())

    async def pause(self, visit: Visit) -> Response:
        with acting_as(visit):
            await self.hub.pause.sender(visit.number_in_path("sender_id"), paused=visit.fields.get("do") == "pause")
        return visit.go("senders")

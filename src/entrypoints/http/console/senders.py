"""Operators' pages about senders: how fast they send, what waits there, and who sends from them."""

from dataclasses import dataclass

from starlette.responses import Response

from domain.errors import PropertyRefused, naming
from domain.model.pace import SECOND_US, Pace
from domain.model.sender import OptOutReplies
from entrypoints.durations import read_duration
from entrypoints.http.console.acting import acting_as
from entrypoints.http.console.frame import Visit
from entrypoints.http.console.use_cases import UseCases


@dataclass(frozen=True)
class SenderPages:
    hub: UseCases

    async def all(self, visit: Visit) -> Response:
        """It keeps itself up to date."""
        return visit.show("senders.html", senders=await self.hub.survey_senders())

    async def pause(self, visit: Visit) -> Response:
        with acting_as(visit):
            await self.hub.pause.sender(visit.number_in_path("sender_id"), paused=visit.fields.get("do") == "pause")
        return visit.go("senders")

    async def one(self, visit: Visit) -> Response:
        return await self._form(visit)

    async def change(self, visit: Visit) -> Response:
        try:
            with naming("Rate"):
                pace = Pace.parse(visit.fields.get("Rate", ""))
            with naming("Backlog"):
                backlog = read_duration(visit.fields.get("Backlog", "").strip() or "PT0S")
                with acting_as(visit):
                    await self.hub.change_sender(
                        visit.number_in_path("sender_id"),
                        pace=pace,
                        backlog=backlog,
                        opt_out_replies=_replies(visit.fields.get("OptOutReplies", "")),
                    )
        except PropertyRefused as refused:
            return await self._form(visit, refused)
        return visit.go("senders")

    async def _form(self, visit: Visit, fault: PropertyRefused | None = None) -> Response:
        used = await self.hub.survey_senders.one(visit.number_in_path("sender_id"))
        its = used.sender
        now = {
            "Rate": str(its.pace),
            "Backlog": f"PT{its.backlog_us // SECOND_US}S",
            "OptOutReplies": its.opt_out_replies.value,
        }
        return visit.show(
            "sender.html",
            status=200 if fault is None else 422,
            fault=None if fault is None else str(fault),
            about=None if fault is None else fault.name,
            sender=its,
            programs=used.programs,
            replies=OptOutReplies,
            typed={**now, **visit.fields},
        )


def _replies(name: str) -> OptOutReplies | None:
    """None, which is as it is now, for what nobody picks."""
    return next((each for each in OptOutReplies if each.value == name), None)

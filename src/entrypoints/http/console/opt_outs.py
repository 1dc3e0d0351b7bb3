"""Who is not to be texted."""

import io
from dataclasses import dataclass

from starlette.responses import Response

from domain.errors import InvalidValue, NumberRefused
from domain.model.consent import Consent, Scope
from entrypoints.http import cursors, spreadsheets
from entrypoints.http.console.frame import Visit
from entrypoints.http.console.use_cases import UseCases
from entrypoints.http.downloads import CsvDownload
from entrypoints.http.problems import Problem

_AT_ONCE = 50
_BAD_LINES_SHOWN = 50
_LONGEST_WORDING = 1_600


@dataclass(frozen=True)
class OptOutPages:
    hub: UseCases

    async def all(self, visit: Visit) -> Response:
        return await self._page(visit)

    async def export(self, visit: Visit) -> Response:
        opt_outs = self.hub.export_opt_outs(visit.grant.program_id)
        file = await CsvDownload.of(spreadsheets.written(spreadsheets.OPT_OUTS, opt_outs), name="opt-outs.csv")
        return visit.hand_over(file)

    async def record(self, visit: Visit) -> Response:
        consent = Consent.GIVEN if visit.fields.get("do") == "lift" else Consent.WITHDRAWN
        wording = visit.fields.get("Wording", "").strip()[:_LONGEST_WORDING] or None
        try:
            recorded = await self.hub.set_opt_out.told(
                visit.grant, visit.fields.get("Number", ""), consent, wording=wording, actor=_actor(visit)
            )
        except NumberRefused as refused:
            about = "number" if consent is Consent.GIVEN else "new"
            return await self._page(visit, fault=f"This number {refused.reason}.", about=about, status=422)
        number = recorded.event.number.e164
        if consent is Consent.WITHDRAWN:
            return await self._page(visit, done=f"{number} gets no more texts from you.")
        if recorded.still_bound:
            return await self._page(
                visit, done=f"{number} has opted out elsewhere, too, which you cannot lift: it still gets no texts."
            )
        return await self._page(visit, done=f"{number} may be texted again.")

    async def import_list(self, visit: Visit) -> Response:
        lines = io.StringIO(visit.fields.get("List", ""), newline="")
        try:
            imported = await self.hub.import_opt_outs(
                visit.grant.program_id, lines, actor=_actor(visit), bad_at_most=_BAD_LINES_SHOWN
            )
        except InvalidValue as fault:
            return await self._page(visit, fault=str(fault), about="list", status=Problem.of(fault).status)
        done = f"{imported.added:,} added, {imported.known:,} were there already."
        return await self._page(visit, done=done, bad=[f"Line {each.line} {each.reason}." for each in imported.bad])

    async def _page(
        self,
        visit: Visit,
        *,
        status: int = 200,
        done: str | None = None,
        fault: str | None = None,
        about: str | None = None,
        bad: list[str] | None = None,
    ) -> Response:
        number, cursor, page = visit.asked("number"), visit.asked("cursor"), None
        try:
            page = await self.hub.list_opt_outs(
                visit.grant, number=number, after=cursors.opt_out_of(cursor), limit=_AT_ONCE
            )
        except NumberRefused as refused:
            status, fault, about = 422, f"This number {refused.reason}.", "number"
        return visit.show(
            "opt_outs.html",
            status=status,
            done=done,
            fault=fault,
            about=about,
            # What is refused stays where it was typed.
            typed=visit.fields if about == "new" else {},
            bad=bad or [],
            number=number or "",
            items=page.items if page else [],
            following=cursors.after_opt_out(page.end) if page and page.end else None,
            is_first=cursor is None,
            own=Scope.PROGRAM,
        )


def _actor(visit: Visit) -> str:
    person = visit.grant.person
    by = f"program {visit.program.id}, by its console"
    return by if person is None else f"{person} for {by}"

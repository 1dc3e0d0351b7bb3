"""Operators' pages about programs and their keys."""

from dataclasses import dataclass
from urllib.parse import quote

from starlette.responses import Response

from domain.errors import InvalidValue, TooManyKeys
from domain.model.access import KeyKind
from domain.model.program_key import KeyTerms, ProgramKey
from entrypoints.http.console.acting import acting_as
from entrypoints.http.console.frame import Visit
from entrypoints.http.console.use_cases import UseCases
from entrypoints.terms import written

_KINDS = (KeyKind.LIVE, KeyKind.TEST)


@dataclass(frozen=True)
class ProgramPages:
    hub: UseCases

    async def all(self, visit: Visit) -> Response:
        found = [(each, quote(each.id, safe="")) for each in await self.hub.list_programs()]
        return visit.show("programs.html", programs=found)

    async def one(self, visit: Visit) -> Response:
        return await self._page(visit)

    async def pause(self, visit: Visit) -> Response:
        with acting_as(visit):
            await self.hub.pause.program(visit.program.id, paused=visit.fields.get("do") == "pause")
        return visit.go("program")

    async def suspend(self, visit: Visit) -> Response:
        with acting_as(visit):
            await self.hub.pause.suspend(visit.program.id, suspended=visit.fields.get("do") == "suspend")
        return visit.go("program")

    async def issue_key(self, visit: Visit) -> Response:
        try:
            kind = next((each for each in _KINDS if each.value == visit.fields.get("Kind")), KeyKind.LIVE)
            terms = KeyTerms(kind=kind, name=visit.fields.get("Name", "").strip())
            with acting_as(visit):
                _, key = await self.hub.operate_keys.issue(visit.program.id, terms)
        except (InvalidValue, TooManyKeys) as fault:
            return await self._page(visit, fault=str(fault), status=422)
        return await self._page(visit, issued=key)

    async def revoke_key(self, visit: Visit) -> Response:
        with acting_as(visit):
            await self.hub.operate_keys.revoke(visit.program.id, visit.number_in_path("key_id"))
        return visit.go("program")

    async def _page(
        self, visit: Visit, *, issued: ProgramKey | None = None, fault: str | None = None, status: int = 200
    ) -> Response:
        return visit.show(
            "program.html",
            status=status,
            keys=await self.hub.operate_keys.of(visit.program.id),
            now_us=self.hub.clock.now_us(),
            terms=written(visit.program.terms),
            kinds=_KINDS,
            issued=issued,
            fault=fault,
        )

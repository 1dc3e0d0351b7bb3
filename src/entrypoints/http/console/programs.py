"""Operators' pages about programs, their keys and their senders."""

from dataclasses import dataclass, replace
from urllib.parse import quote

from starlette.responses import Response

from domain.errors import HubError, InvalidValue, OwnSender, ProgramNotFound, StoreUnavailable, TooManyKeys
from domain.model.access import KeyKind
from domain.model.program import Program
from domain.model.program_key import KeyTerms, ProgramKey
from entrypoints.http.console.acting import acting_as
from entrypoints.http.console.asked_senders import AskedSender, field_of
from entrypoints.http.console.frame import Visit
from entrypoints.http.console.use_cases import UseCases
from entrypoints.http.problems import Problem
from entrypoints.terms import told

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

    async def made(self, visit: Visit, program: Program, key: ProgramKey) -> Response:
        """The page of another program, which is new."""
        seen = program, visit.session.as_operator(program)
        there = replace(visit, seen=seen, at=f"{visit.home}/programs/{quote(program.id, safe='')}", fields={})
        return await self._page(there, issued=key)

    async def add_sender(self, visit: Visit) -> Response:
        try:
            asked = AskedSender.read(visit.fields, providers=self.hub.providers)
            with acting_as(visit):
                await self.hub.add_sender(
                    visit.program.id,
                    provider=asked.provider,
                    sender=asked.address,
                    pace=asked.pace,
                    credentials=asked.credentials,
                )
        except (StoreUnavailable, ProgramNotFound):
            raise
        except HubError as fault:
            return await self._page(visit, fault=str(fault), about=field_of(fault), status=Problem.of(fault).status)
        return visit.go("program")

    async def remove_sender(self, visit: Visit) -> Response:
        try:
            with acting_as(visit):
                await self.hub.remove_sender(visit.program.id, visit.number_in_path("sender_id"))
        except OwnSender as fault:
            return await self._page(visit, fault=str(fault), status=Problem.of(fault).status)
        return visit.go("program")

    async def _page(
        self,
        visit: Visit,
        *,
        issued: ProgramKey | None = None,
        fault: str | None = None,
        about: str | None = None,
        status: int = 200,
    ) -> Response:
        return visit.show(
            "program.html",
            status=status,
            keys=await self.hub.operate_keys.of(visit.program.id),
            now_us=self.hub.clock.now_us(),
            terms=told(visit.program.terms).splitlines(),
            kinds=_KINDS,
            issued=issued,
            fault=fault,
            about=about,
            providers=self.hub.providers,
            typed=visit.fields,
        )

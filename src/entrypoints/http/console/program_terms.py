"""Operators' pages that make programs, and change what is agreed with them."""

from dataclasses import dataclass

from starlette.responses import Response

from domain.errors import HubError, PropertyRefused, StoreUnavailable, naming
from entrypoints.http.console.acting import acting_as
from entrypoints.http.console.asked_senders import AskedSender, field_of
from entrypoints.http.console.asked_terms import SECTIONS, as_typed, with_typed
from entrypoints.http.console.frame import Visit
from entrypoints.http.console.programs import ProgramPages
from entrypoints.http.console.use_cases import UseCases
from entrypoints.http.problems import Problem


@dataclass(frozen=True)
class TermsPages:
    hub: UseCases

    async def form(self, visit: Visit) -> Response:
        return self._form(visit)

    async def change(self, visit: Visit) -> Response:
        name = visit.fields.get("Name", "").strip()
        try:
            with acting_as(visit):
                await self.hub.change_program(
                    visit.program.id, lambda terms: with_typed(terms, visit.fields), name=name or visit.program.name
                )
        except PropertyRefused as refused:
            return self._form(visit, refused)
        return visit.go("program")

    def _form(self, visit: Visit, fault: PropertyRefused | None = None) -> Response:
        return visit.show(
            "terms.html",
            status=200 if fault is None else 422,
            fault=None if fault is None else str(fault),
            about=None if fault is None else fault.name,
            sections=SECTIONS,
            typed={"Name": visit.program.name, **as_typed(visit.program.terms), **visit.fields},
        )


@dataclass(frozen=True)
class NewProgramPages:
    hub: UseCases

    async def form(self, visit: Visit) -> Response:
        return self._form(visit)

    async def create(self, visit: Visit) -> Response:
        """The page of the new program has its key, which is shown this once."""
        try:
            asked = AskedSender.read(visit.fields, providers=self.hub.providers)
            with acting_as(visit), naming("Name"):
                program, key = await self.hub.create_program(
                    name=visit.fields.get("Name", "").strip(),
                    provider=asked.provider,
                    sender=asked.address,
                    pace=asked.pace,
                    credentials=asked.credentials,
                )
        except StoreUnavailable:
            raise
        except HubError as fault:
            return self._form(visit, fault)
        return await ProgramPages(self.hub).made(visit, program, key)

    def _form(self, visit: Visit, fault: HubError | None = None) -> Response:
        return visit.show(
            "program_new.html",
            status=200 if fault is None else Problem.of(fault).status,
            fault=None if fault is None else str(fault),
            about=None if fault is None else field_of(fault),
            providers=self.hub.providers,
            typed=visit.fields,
        )

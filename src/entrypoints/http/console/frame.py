"""What all pages of the console have in common: who looks, whether they may, and how it is answered."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hmac import compare_digest
from urllib.parse import quote, urlsplit
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from domain.errors import HubError, ProgramNotFound, ScopeMissing, TokenRefused
from domain.model.access import Grant, Scope
from domain.model.program import Program
from domain.model.staff import StaffStanding
from domain.model.terms import USUAL_TERMS
from domain.use_cases.check_staff import grant_in
from entrypoints.http.console.forms import read_fields, refuse_other_origins
from entrypoints.http.console.session import Session, Sessions, address_of
from entrypoints.http.console.templates import TEMPLATES
from entrypoints.http.console.use_cases import UseCases
from entrypoints.http.problems import Problem, RequestFault
from entrypoints.http.telemetry import PROBLEM

FORM_KEY = "FormKey"
_NUMBER = re.compile("[0-9]{1,18}")

# What is said in other words to people than to programs, by the problem's slug.
_IN_WORDS = {
    "no-such-path": ("Not found", "There is no such page."),
    "method-not-allowed": (
        "Not possible",
        "This address cannot be used like this: go back to the page.",
    ),
}

# Nothing comes from elsewhere, and what is typed in goes nowhere else. Without the referrer browsers would not say
# whose page posts a form.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Somebody at one of the pages. `seen` is the program that it is about, and what they may do there; a person is
    also at pages that are about none. `at` is where that program's pages are. `fields` are what they posted.
    """

    request: Request
    session: Session
    seen: tuple[Program, Grant] | None
    base: str
    at: str
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def program(self) -> Program:
        return self._seen[0]

    @property
    def grant(self) -> Grant:
        return self._seen[1]

    @property
    def _seen(self) -> tuple[Program, Grant]:
        if self.seen is None:
            raise HTTPException(404)
        return self.seen

    @property
    def home(self) -> str:
        return f"{self.base}/console"

    @property
    def is_own(self) -> bool:
        """Whether they belong to the program, and do not look at it as operators."""
        staff = self.session.staff
        return bool(staff.scopes_in(self.program.id)) if staff else self.at == self.home

    @property
    def signature(self) -> tuple[str, str]:
        """Who they are in the record, and by which way."""
        staff, own = self.session.staff, self.session.own
        if staff is not None:
            return staff.person.signature, "console-oidc"
        return "" if own is None else own.program_id, "console"

    @property
    def address(self) -> str:
        return address_of(self.request)

    @property
    def zone(self) -> str:
        return (USUAL_TERMS if self.seen is None else self.program.terms).budget_zone

    def may(self, scope: str) -> bool:
        return self.grant.allows(Scope(scope))

    @property
    def is_operator(self) -> bool:
        return self.session.is_operator

    def asked(self, name: str) -> str | None:
        """A parameter of the address, None where nothing stands in it."""
        return self.request.query_params.get(name, "").strip() or None

    def id_in_path(self) -> UUID:
        """Of what the page is about. Raises `HTTPException`, for nothing has an id that is none."""
        try:
            return UUID(self.request.path_params["id"])
        except ValueError:
            raise HTTPException(404) from None

    def number_in_path(self, name: str) -> int:
        written: str = self.request.path_params[name]
        if not _NUMBER.fullmatch(written):
            raise HTTPException(404)
        return int(written)

    def show(self, page: str, /, *, status: int = 200, **values: object) -> Response:
        html = TEMPLATES.get_template(page).render(visit=self, base=self.base, **values)
        return HTMLResponse(html, status_code=status, headers=_HEADERS)

    def hand_over(self, file: Response) -> Response:
        file.headers.update(_HEADERS)
        return file

    def go(self, to: str) -> Response:
        """To another page of the same program, which is asked for with GET."""
        return RedirectResponse(f"{self.at}/{to}", status_code=303, headers=_HEADERS)


@dataclass(frozen=True, slots=True)
class Page:
    """`path` is below the console; `scope` is what somebody needs for it, None where
    it is enough to be signed in. What can be read or sent is a program's: persons have
    its page below that program's path, and operators have it there for each program with
    `of_any_program`. With `method` POST it takes a form.
    """

    path: str
    answer: Callable[[Visit], Awaitable[Response]]
    scope: Scope | None
    method: str = "GET"
    of_any_program: bool = False

    @property
    def of_a_program(self) -> bool:
        return self.scope in {Scope.READ, Scope.SEND}


async def _nothing(_visit: Visit) -> Response:
    raise HTTPException(404)


_NOWHERE = Page("", _nothing, None)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """`base` is the path under which the hub lives, `public_url` its address."""

    base: str
    public_url: str
    use_cases: UseCases

    @property
    def sessions(self) -> Sessions:
        return Sessions(
            tokens=self.use_cases.tokens,
            check_access=self.use_cases.check_access,
            staff_tokens=self.use_cases.staff_tokens,
            check_staff=self.use_cases.check_staff,
            path=f"{self.base}/console",
            secure=urlsplit(self.public_url).scheme == "https",
        )

    def routes(self, page: Page) -> Iterator[Route]:
        home = f"{self.base}/console"
        yield Route(f"{home}/{page.path}", self._endpoint(page), methods=[page.method])
        if page.of_a_program:
            yield Route(f"{home}/programs/{{program_id}}/{page.path}", self._endpoint(page), methods=[page.method])

    def show(self, page: str, /, *, status: int = 200, **values: object) -> Response:
        """A page for whoever is not signed in."""
        html = TEMPLATES.get_template(page).render(base=self.base, **values)
        return HTMLResponse(html, status_code=status, headers=_HEADERS)

    def refused(self, request: Request, error: Exception, visit: Visit | None = None) -> Response:
        """With the way to the other pages for whoever is at one already."""
        problem = Problem.of(error)
        request.scope.setdefault("extensions", {})[PROBLEM] = problem.slug
        title, detail = _IN_WORDS.get(problem.slug, (problem.title, problem.detail))
        response = self.show("refused.html", status=problem.status, title=title, detail=detail, visit=visit)
        response.headers.update({**problem.headers, **(getattr(error, "headers", None) or {})})
        return response

    async def elsewhere(self, request: Request, error: HTTPException) -> Response:
        """For an address that is none of the pages'."""
        visit = None
        if request.method == "GET":
            with suppress(HubError):
                visit = await self._visit(request, _NOWHERE, await self.sessions.of(request), None)
        return self.refused(request, error, visit)

    def to_sign_in(self, request: Request) -> Response:
        """And back, if it was a page that they asked for."""
        home = f"{self.base}/console"
        wanted = request.url.path.removeprefix(f"{home}/") + (f"?{request.url.query}" if request.url.query else "")
        back = f"?next={quote(wanted, safe='')}" if request.method != "POST" and wanted else ""
        return RedirectResponse(f"{home}/sign-in{back}", status_code=303, headers=_HEADERS)

    def _endpoint(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            visit = None
            try:
                session = await self.sessions.of(request)
                program_id = request.path_params.get("program_id")
                if session.staff is not None and page.of_a_program and program_id is None:
                    # Persons may have several programs: which one they mean stands in the address.
                    return self._to_a_program(request, session.staff)
                visit = await self._visit(request, page, session, program_id)
                return await page.answer(visit)
            except TokenRefused:
                return self.to_sign_in(request)
            except (HubError, RequestFault, HTTPException) as error:
                return self.refused(request, error, visit)

        return endpoint

    async def _visit(self, request: Request, page: Page, session: Session, program_id: str | None) -> Visit:
        at = f"{self.base}/console"
        noted = request.scope.setdefault("extensions", {}).setdefault("connexion_context", {})
        noted["token_info"] = {"grant": session.own}
        if session.staff is not None:
            seen = await self._seen_by_staff(session.staff, page, program_id)
        else:
            seen = await self._seen_with_key(session, page, program_id)
        if seen is not None and session.own is None:
            noted["token_info"] = {"grant": seen[1]}
        if seen is not None and program_id is not None:
            at += f"/programs/{quote(seen[0].id, safe='')}"
        fields: Mapping[str, str] = {}
        if request.method == "POST":
            refuse_other_origins(request, self.public_url)
            fields = await read_fields(request)
            if not compare_digest(fields.get(FORM_KEY, "").encode(), session.form_key.encode()):
                raise RequestFault(403, "form-outdated", "The form is out of date", "Open the page anew and try again.")
        return Visit(request=request, session=session, seen=seen, base=self.base, at=at, fields=fields)

    async def _seen_with_key(self, session: Session, page: Page, program_id: str | None) -> tuple[Program, Grant]:
        own = session.own
        if own is None:
            raise TokenRefused("no session")
        scope = page.scope if program_id is None else Scope.OPERATOR
        if scope is not None and not own.allows(scope):
            raise ScopeMissing(scope=scope.value)
        if program_id is None:
            return await self._own(own), own
        if page.of_a_program and not page.of_any_program:
            raise HTTPException(404)
        program = await self._program(program_id)
        return program, session.as_operator(program)

    async def _seen_by_staff(
        self, staff: StaffStanding, page: Page, program_id: str | None
    ) -> tuple[Program, Grant] | None:
        if page.scope is Scope.OPERATOR and not staff.is_operator:
            raise ScopeMissing(scope=page.scope.value)
        if program_id is None:
            return None
        program = await self._program(program_id)
        grant = grant_in(program, staff)
        if not grant.scopes:
            if program.suspended and staff.scopes_in(program.id):
                raise RequestFault(403, "program-suspended", "The program is suspended", "Operators can reinstate it.")
            raise HTTPException(404)
        by_operator = staff.is_operator and (page.of_any_program or not page.of_a_program)
        own = frozenset() if program.suspended else staff.scopes_in(program.id)
        if page.scope is not None and not by_operator and page.scope not in own:
            raise ScopeMissing(scope=page.scope.value)
        return program, grant

    def _to_a_program(self, request: Request, staff: StaffStanding) -> Response:
        """The same page of the only one that they have, or else the first page."""
        home, theirs = f"{self.base}/console", staff.program_ids
        path = request.url.path.removeprefix(f"{home}/") + (f"?{request.url.query}" if request.url.query else "")
        one = len(theirs) == 1 and not staff.is_operator and request.method == "GET"
        to = f"programs/{quote(theirs[0], safe='')}/{path}" if one else ""
        return RedirectResponse(f"{home}/{to}", status_code=303, headers=_HEADERS)

    async def _program(self, program_id: str) -> Program:
        try:
            return await self.use_cases.show_program(program_id)
        except ProgramNotFound:
            raise HTTPException(404) from None

    async def _own(self, grant: Grant) -> Program:
        try:
            return await self.use_cases.show_program(grant.program_id)
        except ProgramNotFound:
            raise TokenRefused("its program is gone") from None

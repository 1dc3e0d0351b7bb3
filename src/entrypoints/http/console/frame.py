"""What all pages of the console have in common: who looks, whether they may, and how it is answered."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
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
    """Somebody at one of the pages. `grant` is their own, or as an operator that of the `program` that they look at;
    `at` is where that program's pages are. `fields` are what they posted.
    """

    request: Request
    session: Session
    grant: Grant
    program: Program
    base: str
    at: str
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def home(self) -> str:
        return f"{self.base}/console"

    @property
    def is_own(self) -> bool:
        return self.at == self.home

    @property
    def address(self) -> str:
        return address_of(self.request)

    @property
    def zone(self) -> str:
        return self.program.terms.budget_zone

    def may(self, scope: str) -> bool:
        return self.grant.allows(Scope(scope))

    @property
    def is_operator(self) -> bool:
        return self.session.grant.allows(Scope.OPERATOR)

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
    it is enough to be signed in. With `of_any_program` operators have it for
    each program, below that program's path. With `method` POST it takes a form.
    """

    path: str
    answer: Callable[[Visit], Awaitable[Response]]
    scope: Scope | None
    method: str = "GET"
    of_any_program: bool = False


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
            path=f"{self.base}/console",
            secure=urlsplit(self.public_url).scheme == "https",
        )

    def routes(self, page: Page) -> Iterator[Route]:
        home = f"{self.base}/console"
        yield Route(f"{home}/{page.path}", self._endpoint(page), methods=[page.method])
        if page.of_any_program:
            of_program = replace(page, scope=Scope.OPERATOR)
            yield Route(
                f"{home}/programs/{{program_id}}/{page.path}", self._endpoint(of_program), methods=[page.method]
            )

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
                visit = await self._visit(request, None)
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
                visit = await self._visit(request, page.scope)
                return await page.answer(visit)
            except TokenRefused:
                return self.to_sign_in(request)
            except (HubError, RequestFault, HTTPException) as error:
                return self.refused(request, error, visit)

        return endpoint

    async def _visit(self, request: Request, scope: Scope | None) -> Visit:
        session = await self.sessions.of(request)
        noted = request.scope.setdefault("extensions", {}).setdefault("connexion_context", {})
        noted["token_info"] = {"grant": session.grant}
        if scope is not None and not session.grant.allows(scope):
            raise ScopeMissing(scope=scope.value)
        fields: Mapping[str, str] = {}
        if request.method == "POST":
            refuse_other_origins(request, self.public_url)
            fields = await read_fields(request)
            if not compare_digest(fields.get(FORM_KEY, "").encode(), session.form_key.encode()):
                raise RequestFault(403, "form-outdated", "The form is out of date", "Open the page anew and try again.")
        grant, at = session.grant, f"{self.base}/console"
        program_id = request.path_params.get("program_id")
        if program_id is not None:
            program = await self._program(program_id)
            grant = replace(grant, program_id=program.id, program_sid=program.sid, scopes=grant.scopes | {Scope.READ})
            at += f"/programs/{quote(program.id, safe='')}"
        else:
            program = await self._own(grant)
        return Visit(
            request=request, session=session, grant=grant, program=program, base=self.base, at=at, fields=fields
        )

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

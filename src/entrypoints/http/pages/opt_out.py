"""A program's public page, on which anybody can opt a number out from its texts."""

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from domain.errors import NumberRefused, ProgramNotFound, TooManyLogins
from domain.model.program import Program
from domain.use_cases.opt_out_by_page import OptOutByPage
from entrypoints.http.bodies import FORM, form, read_body
from entrypoints.http.pages.templates import TEMPLATES

MOST_BYTES = 4_096

# Nothing comes from elsewhere, and what is typed in goes nowhere else.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class OptOutPage:
    """Without any session, so that no other page can do here what its visitor could not do anyway."""

    opt_out: OptOutByPage

    async def __call__(self, request: Request) -> Response:
        try:
            program = await self.opt_out.program(request.path_params["program_id"])
        except ProgramNotFound:
            raise HTTPException(404) from None
        if request.method != "POST":
            return _page(program)
        _, raw = await read_body(request.scope, request.receive, media_types=[FORM], max_body=MOST_BYTES)
        number = dict(form(raw)).get("PhoneNumber", "")
        address = request.client.host if request.client else ""
        try:
            await self.opt_out(program.id, number, wording=_wording(program), address=address)
        except NumberRefused as refused:
            fault = f"This number {refused.reason}. Type it as you would dial it."
            return _page(program, status=422, fault=fault, number=number)
        except TooManyLogins as many:
            fault = "Too many numbers were typed in here. Try again in a minute."
            return _page(
                program, status=429, fault=fault, number=number, headers={"Retry-After": str(many.retry_after_s)}
            )
        return _page(program, done=True)


def _wording(program: Program) -> str:
    return f"I do not want any more texts from {program.name} to this number."


def _page(
    program: Program,
    *,
    status: int = 200,
    done: bool = False,
    fault: str | None = None,
    number: str = "",
    headers: dict[str, str] | None = None,
) -> Response:
    html = TEMPLATES.get_template("opt_out.html").render(
        program=program.name, wording=_wording(program), done=done, fault=fault, number=number
    )
    return HTMLResponse(html, status_code=status, headers=_HEADERS | (headers or {}))

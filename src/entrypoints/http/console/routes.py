"""The console at `/console`: what is where, and who may look at it."""

from collections.abc import Iterator, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from domain.model.access import Scope
from entrypoints.http.console.audit import AuditPage
from entrypoints.http.console.frame import Frame, Page
from entrypoints.http.console.inbound import InboundPage
from entrypoints.http.console.kept_templates import TemplatePages
from entrypoints.http.console.keys import KeysPage
from entrypoints.http.console.messages import MessagePages
from entrypoints.http.console.opt_outs import OptOutPages
from entrypoints.http.console.overview import OverviewPage
from entrypoints.http.console.program_terms import NewProgramPages, TermsPages
from entrypoints.http.console.programs import ProgramPages
from entrypoints.http.console.send import SendPages
from entrypoints.http.console.senders import SenderPages
from entrypoints.http.console.sign_in import SignIn
from entrypoints.http.console.staff import StaffPages
from entrypoints.http.console.use_cases import UseCases
from entrypoints.http.console.webhooks import WebhookPages


def console_routes(base: str, public_url: str, use_cases: UseCases, *, contact: str) -> Iterator[BaseRoute]:
    """`base` is the path under which the hub lives, `contact` whom staff ask."""
    frame = Frame(base=base, public_url=public_url, use_cases=use_cases)
    sign_in = SignIn(frame)

    async def to_first(_request: Request) -> Response:
        return RedirectResponse(f"{base}/console/", status_code=303)

    yield Route(f"{base}/console", to_first)
    of_pages = [*sign_in.routes()]
    for page in (*_pages(use_cases, sign_in, contact), *_operators_pages(use_cases)):
        of_pages += frame.routes(page)
    yield from of_pages
    yield Mount(f"{base}/console", _elsewhere(frame, of_pages))


def _elsewhere(frame: Frame, routes: Sequence[Route]) -> ASGIApp:
    """What is no page is told on one, to whoever comes by whatever method."""

    async def elsewhere(scope: AsgiScope, receive: Receive, send: Send) -> None:
        # A mount takes its part of the path for the root.
        asked = {**scope, "root_path": "", "path_params": {}}
        partly = (each for each in routes if each.matches(asked)[0] is Match.PARTIAL)
        methods = sorted({method for each in partly for method in each.methods or ()})
        allowed = {"Allow": ", ".join(methods)}
        error = HTTPException(405, headers=allowed) if methods else HTTPException(404)
        response = await frame.elsewhere(Request(scope, receive), error)
        await response(scope, receive, send)

    return elsewhere


def _pages(hub: UseCases, sign_in: SignIn, contact: str) -> Iterator[Page]:
    overview, messages, sending, opt_outs = (
        OverviewPage(hub, contact),
        MessagePages(hub),
        SendPages(hub),
        OptOutPages(hub),
    )
    yield Page("", overview.first, None)
    yield Page("choose", overview.choose, None)
    yield Page("sign-out", sign_in.out, None, "POST")
    yield Page("overview", overview.overview, Scope.READ, of_any_program=True)
    yield Page("messages", messages.log, Scope.READ, of_any_program=True)
    yield Page("messages.csv", messages.export, Scope.READ, of_any_program=True)
    yield Page("messages/{id}", messages.message, Scope.READ, of_any_program=True)
    yield Page("messages/{id}/progress", messages.progress, Scope.READ, of_any_program=True)
    yield Page("messages/{id}/cancel", messages.cancel, Scope.SEND, "POST")
    yield Page("send", sending.form, Scope.SEND)
    yield Page("send", sending.posted, Scope.SEND, "POST")
    yield Page("send/measure", sending.measure, Scope.SEND, "POST")
    templates = TemplatePages(hub)
    yield Page("templates", templates.all, Scope.READ, of_any_program=True)
    yield Page("templates", templates.create, Scope.SEND, "POST")
    yield Page("new-template", templates.new, Scope.SEND)
    yield Page("new-template/measure", templates.measure, Scope.SEND, "POST")
    yield Page("templates/{name}", templates.one, Scope.READ, of_any_program=True)
    yield Page("templates/{name}", templates.change, Scope.SEND, "POST")
    yield Page("templates/{name}/preview", templates.preview, Scope.READ, "POST", of_any_program=True)
    yield Page("templates/{name}/retire", templates.retire, Scope.SEND, "POST")
    yield Page("inbound", InboundPage(hub).all, Scope.READ, of_any_program=True)
    yield Page("opt-outs", opt_outs.all, Scope.READ, of_any_program=True)
    yield Page("opt-outs.csv", opt_outs.export, Scope.READ, of_any_program=True)
    yield Page("opt-outs", opt_outs.record, Scope.SEND, "POST")
    yield Page("opt-outs/import", opt_outs.import_list, Scope.SEND, "POST")
    yield Page("keys", KeysPage(hub).all, Scope.READ)
    webhooks = WebhookPages(hub)
    yield Page("webhooks", webhooks.all, Scope.READ, of_any_program=True)
    yield Page("webhooks/{id}", webhooks.one, Scope.READ, of_any_program=True)
    yield Page("webhooks/{id}/replay", webhooks.replay, Scope.SEND, "POST", of_any_program=True)


def _operators_pages(hub: UseCases) -> Iterator[Page]:
    programs, senders = ProgramPages(hub), SenderPages(hub)
    terms, new = TermsPages(hub), NewProgramPages(hub)
    yield Page("programs", programs.all, Scope.OPERATOR)
    yield Page("new-program", new.form, Scope.OPERATOR)
    yield Page("programs", new.create, Scope.OPERATOR, "POST")
    yield Page("programs/{program_id}/program", programs.one, Scope.OPERATOR)
    yield Page("programs/{program_id}/pause", programs.pause, Scope.OPERATOR, "POST")
    yield Page("programs/{program_id}/suspend", programs.suspend, Scope.OPERATOR, "POST")
    yield Page("programs/{program_id}/terms", terms.form, Scope.OPERATOR)
    yield Page("programs/{program_id}/terms", terms.change, Scope.OPERATOR, "POST")
    yield Page("programs/{program_id}/senders", programs.add_sender, Scope.OPERATOR, "POST")
    yield Page("programs/{program_id}/senders/{sender_id}/remove", programs.remove_sender, Scope.OPERATOR, "POST")
    yield Page("programs/{program_id}/keys", programs.issue_key, Scope.OPERATOR, "POST")
    yield Page("programs/{program_id}/keys/{key_id}/revoke", programs.revoke_key, Scope.OPERATOR, "POST")
    yield Page("senders", senders.all, Scope.OPERATOR)
    yield Page("senders/{sender_id}/pause", senders.pause, Scope.OPERATOR, "POST")
    yield Page("senders/{sender_id}", senders.one, Scope.OPERATOR)
    yield Page("senders/{sender_id}", senders.change, Scope.OPERATOR, "POST")
    yield Page("audit", AuditPage(hub).all, Scope.OPERATOR)
    staff = StaffPages(hub)
    yield Page("staff", staff.all, Scope.OPERATOR)
    yield Page("staff", staff.grant, Scope.OPERATOR, "POST")
    yield Page("staff/{role_id}/remove", staff.remove, Scope.OPERATOR, "POST")

"""In and out of the console."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.errors import (
    CredentialsRefused,
    HubError,
    IdentityProviderAway,
    InvalidValue,
    SignInRefused,
    TooManyLogins,
)
from domain.model.program_key import ProgramKey
from domain.use_cases.sign_in_staff import SignInStaff
from entrypoints.http.console.forms import read_fields, refuse_other_origins
from entrypoints.http.console.frame import Frame, Visit
from entrypoints.http.console.paths import SIGNED_IN_PATH
from entrypoints.http.console.session import address_of
from entrypoints.http.problems import CHALLENGE, Problem, RequestFault

_log = structlog.get_logger("smshub.console")

# Pages of the console, below its own path: there is no way out of it.
_WITHIN = re.compile(r"(?!.*%2[eE])(?:[\w-]+(?:/[\w%-]+)*)?(?:\?[\w=&%.+:-]*)?", re.ASCII)


@dataclass(frozen=True)
class SignIn:
    frame: Frame

    def routes(self) -> Iterator[Route]:
        home = f"{self.frame.base}/console"
        yield Route(f"{home}/sign-in", self._form, methods=["GET"])
        yield Route(f"{home}/sign-in", self._signed_in, methods=["POST"])
        if self._staff is not None:
            yield Route(f"{home}/sign-in/begin", partial(self._begin, self._staff), methods=["GET"])
            yield Route(f"{self.frame.base}{SIGNED_IN_PATH}", partial(self._come_back, self._staff), methods=["GET"])

    @property
    def _staff(self) -> SignInStaff | None:
        return self.frame.use_cases.sign_in_staff

    async def out(self, visit: Visit) -> Response:
        """Persons also go where they end what their identity provider remembers: by a page of its own, for a form
        leads to no other site.
        """
        provider = self._staff.provider if self._staff and visit.session.staff else None
        address = None if provider is None else await provider.sign_out_address()
        if provider is None or address is None:
            response = _redirect(f"{visit.home}/sign-in")
        else:
            response = self.frame.show("signed_out.html", provider=provider.name, address=address)
        self.frame.sessions.end(response)
        return response

    async def _begin(self, staff: SignInStaff, request: Request) -> Response:
        following = within(request.query_params.get("next", ""))
        try:
            address, pending = await staff.begin(following)
        except IdentityProviderAway as away:
            return self._not_signed_in(following, away)
        response = _redirect(address)
        self.frame.sessions.keep_pending(response, pending)
        return response

    async def _come_back(self, staff: SignInStaff, request: Request) -> Response:
        try:
            signed_in = await staff.finish(self.frame.sessions.pending(request), request.query_params)
        except (SignInRefused, IdentityProviderAway) as fault:
            response = self._not_signed_in("", fault)
        except HubError as error:
            response = self.frame.refused(request, error)
        else:
            response = _redirect(f"{self.frame.base}/console/{signed_in.following}")
            ends_at = datetime.fromtimestamp(signed_in.session.ends_s, UTC)
            self.frame.sessions.begin(response, signed_in.token, ends_at)
        self.frame.sessions.drop_pending(response)
        return response

    def _not_signed_in(self, following: str, fault: SignInRefused | IdentityProviderAway) -> Response:
        _log.warning("staff_not_signed_in", problem=fault.slug, reason=fault.reason)
        problem = Problem.of(fault)
        return self._page(following, fault=problem.detail, status=problem.status, headers=problem.headers)

    async def _form(self, request: Request) -> Response:
        return self._page(within(request.query_params.get("next", "")))

    async def _signed_in(self, request: Request) -> Response:
        try:
            refuse_other_origins(request, self.frame.public_url)
            fields = await read_fields(request)
        except RequestFault as other:
            return self.frame.refused(request, other)
        following, sid = within(fields.get("next", "")), fields.get("ProgramSID", "").strip()
        try:
            key = ProgramKey(fields.get("ProgramKey", "").strip())
            token, grant = await self.frame.use_cases.issue_token(sid, key, address=address_of(request))
        except (CredentialsRefused, InvalidValue):
            fault = "ProgramSID and ProgramKey do not belong together."
            return self._page(following, sid=sid, fault=fault, status=401, headers={"WWW-Authenticate": CHALLENGE})
        except TooManyLogins as many:
            fault = "Too many have tried to sign in. Try again in a minute."
            return self._page(
                following, sid=sid, fault=fault, status=429, headers={"Retry-After": str(many.retry_after_s)}
            )
        except HubError as error:
            return self.frame.refused(request, error)
        response = _redirect(f"{self.frame.base}/console/{following}")
        self.frame.sessions.begin(response, token, grant.expires_at)
        return response

    def _page(
        self,
        following: str,
        *,
        sid: str = "",
        fault: str | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        provider = None if self._staff is None else self._staff.provider.name
        begin = f"{self.frame.base}/console/sign-in/begin" + (f"?next={quote(following, safe='')}" if following else "")
        response = self.frame.show(
            "sign_in.html", status=status, following=following, sid=sid, fault=fault, provider=provider, begin=begin
        )
        response.headers.update(headers or {})
        return response


def _redirect(to: str) -> Response:
    return RedirectResponse(to, status_code=303, headers={"Cache-Control": "no-store"})


def within(following: str) -> str:
    """Where to go on after signing in, as it is below the console; its first page for what lies elsewhere."""
    return following if _WITHIN.fullmatch(following) and not following.startswith("sign-") else ""

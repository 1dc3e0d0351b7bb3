"""In and out of the console."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.errors import CredentialsRefused, HubError, InvalidValue, TooManyLogins
from domain.model.program_key import ProgramKey
from entrypoints.http.console.forms import read_fields, refuse_other_origins
from entrypoints.http.console.frame import Frame, Visit
from entrypoints.http.console.session import address_of
from entrypoints.http.problems import CHALLENGE, RequestFault

# Pages of the console, below its own path: there is no way out of it.
_WITHIN = re.compile(r"(?!.*%2[eE])(?:[\w-]+(?:/[\w%-]+)*)?(?:\?[\w=&%.+:-]*)?", re.ASCII)


@dataclass(frozen=True)
class SignIn:
    frame: Frame

    def routes(self) -> Iterator[Route]:
        home = f"{self.frame.base}/console"
        yield Route(f"{home}/sign-in", self._form, methods=["GET"])
        yield Route(f"{home}/sign-in", self._signed_in, methods=["POST"])

    async def out(self, visit: Visit) -> Response:
        response = visit.go("sign-in")
        self.frame.sessions.end(response)
        return response

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
        response = RedirectResponse(f"{self.frame.base}/console/{following}", status_code=303)
        response.headers["Cache-Control"] = "no-store"
        self.frame.sessions.begin(response, token, grant)
        return response

    def _page(
        self,
        following: str,
        *,
        sid: str = "",
        fault: str | None = None,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:
        response = self.frame.show("sign_in.html", status=status, following=following, sid=sid, fault=fault)
        response.headers.update(headers or {})
        return response


def within(following: str) -> str:
    """Where to go on after signing in, as it is below the console; its first page for what lies elsewhere."""
    return following if _WITHIN.fullmatch(following) and not following.startswith("sign-") else ""

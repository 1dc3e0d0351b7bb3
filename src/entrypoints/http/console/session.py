"""Who is signed in. The browser keeps a token of the hub's own in a cookie; the hub itself keeps nothing."""

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from domain.errors import TokenRefused
from domain.model.access import Grant, Scope
from domain.model.program import Program
from domain.model.staff import StaffStanding
from domain.ports.staff_tokens import StaffTokens
from domain.ports.tokens import Tokens
from domain.use_cases.check_access import CheckAccess
from domain.use_cases.check_staff import CheckStaff, grant_in
from domain.use_cases.sign_in_staff import PENDING_FOR_S

_SESSION, _PENDING = "smshub-console", "smshub-sign-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`own` is what a program's key grants; who has signed in as a person has `staff` instead."""

    token: str = field(repr=False)
    own: Grant | None = None
    staff: StaffStanding | None = None

    @property
    def is_operator(self) -> bool:
        return self.staff.is_operator if self.staff else self.own is not None and self.own.allows(Scope.OPERATOR)

    def as_operator(self, program: Program) -> Grant:
        """What they may do in any program as an operator: look at it. Raises `TokenRefused`."""
        if self.staff is not None:
            return grant_in(program, self.staff)
        if self.own is None:
            raise TokenRefused("no session")
        scopes = self.own.scopes | {Scope.READ}
        return replace(self.own, program_id=program.id, program_sid=program.sid, scopes=scopes)

    @property
    def form_key(self) -> str:
        """What each form of the session brings along. Other sites' pages cannot read the cookie that it is made of."""
        return hmac.digest(self.token.encode(), b"forms of the console", hashlib.sha256).hex()


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """`path` is the console's; `secure`: browsers send the cookie over TLS alone."""

    tokens: Tokens
    check_access: CheckAccess
    staff_tokens: StaffTokens
    check_staff: CheckStaff
    path: str
    secure: bool

    async def of(self, request: Request) -> Session:
        """Raises `TokenRefused` where nobody is signed in, or not any more."""
        token = request.cookies.get(self._name(_SESSION))
        if token is None:
            raise TokenRefused("no session")
        try:
            own = self.tokens.verify(token)
        except TokenRefused:
            return Session(token=token, staff=await self.check_staff(self.staff_tokens.read_session(token)))
        return Session(token=token, own=await self.check_access(own, address=address_of(request)))

    def begin(self, response: Response, token: str, ends_at: datetime) -> None:
        """In place of any that the browser had."""
        max_age = max(int((ends_at - datetime.now(UTC)).total_seconds()), 0)
        self._set(response, _SESSION, token, max_age=max_age)

    def end(self, response: Response) -> None:
        self._delete(response, _SESSION)

    def pending(self, request: Request) -> str | None:
        """What was kept of a sign-in that is under way at the identity provider."""
        return request.cookies.get(self._name(_PENDING))

    def keep_pending(self, response: Response, token: str) -> None:
        self._set(response, _PENDING, token, max_age=PENDING_FOR_S)

    def drop_pending(self, response: Response) -> None:
        self._delete(response, _PENDING)

    def _set(self, response: Response, name: str, token: str, *, max_age: int) -> None:
        response.set_cookie(
            self._name(name),
            token,
            max_age=max_age,
            path=self.path,
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def _delete(self, response: Response, name: str) -> None:
        response.delete_cookie(self._name(name), path=self.path, secure=self.secure, httponly=True, samesite="lax")

    def _name(self, name: str) -> str:
        # With this beginning browsers take it over TLS alone, so that nobody on the way can put one in its place.
        return f"__Secure-{name}" if self.secure else name


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""

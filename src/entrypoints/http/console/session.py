"""Who is signed in. The browser keeps a token of the hub's own in a cookie; the hub itself keeps nothing."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from domain.errors import TokenRefused
from domain.model.access import Grant
from domain.ports.tokens import Tokens
from domain.use_cases.check_access import CheckAccess


@dataclass(frozen=True, slots=True)
class Session:
    token: str = field(repr=False)
    grant: Grant

    @property
    def form_key(self) -> str:
        """What each form of the session brings along. Other sites' pages cannot read the cookie that it is made of."""
        return hmac.digest(self.token.encode(), b"forms of the console", hashlib.sha256).hex()


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """`path` is the console's; `secure`: browsers send the cookie over TLS alone."""

    tokens: Tokens
    check_access: CheckAccess
    path: str
    secure: bool

    async def of(self, request: Request) -> Session:
        """Raises `TokenRefused` where nobody is signed in, or not any more."""
        token = request.cookies.get(self._name)
        if token is None:
            raise TokenRefused("no session")
        return Session(token, await self.check_access(self.tokens.verify(token), address=address_of(request)))

    def begin(self, response: Response, token: str, grant: Grant) -> None:
        """In place of any that the browser had."""
        response.set_cookie(
            self._name,
            token,
            max_age=max(int((grant.expires_at - datetime.now(UTC)).total_seconds()), 0),
            path=self.path,
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def end(self, response: Response) -> None:
        response.delete_cookie(self._name, path=self.path, secure=self.secure, httponly=True, samesite="lax")

    @property
    def _name(self) -> str:
        # With this beginning browsers take it over TLS alone, so that nobody on the way can put one in its place.
        return "__Secure-smshub-console" if self.secure else "smshub-console"


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""

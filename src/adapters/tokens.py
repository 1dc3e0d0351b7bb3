"""Tokens as JSON Web Tokens, signed with HS256 by a ring of keys."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from domain.errors import InvalidValue, TokenRefused
from domain.model.access import Grant, Scope
from domain.ports.tokens import Tokens

_ALGORITHM = "HS256"
_SHORTEST_KEY = 32
_REQUIRED = ["exp", "iat", "nbf", "iss", "aud", "sub", "unique_name", "jti", "scope"]

# Replicas' clocks differ a little: a token may be used at once at another than the one that issued it.
_CLOCK_SKEW = timedelta(seconds=10)


class JwtTokens(Tokens):
    """`keys` are secrets by their id; the first signs, all verify. A key is replaced by putting the new one first and
    dropping the old one when the tokens that it signed have expired.
    """

    def __init__(self, keys: Mapping[str, bytes], *, issuer: str, audience: str) -> None:
        if not keys or any(len(key) < _SHORTEST_KEY for key in keys.values()):
            raise InvalidValue(f"Signing keys have {_SHORTEST_KEY} bytes or more, and there is one at least.")
        self._keys = dict(keys)
        self._signing_id = next(iter(self._keys))
        self._issuer = issuer
        self._audience = audience

    def issue(self, grant: Grant) -> str:
        claims: dict[str, Any] = {
            "unique_name": grant.program_sid,
            "sub": grant.program_id,
            "scope": " ".join(sorted(scope.value for scope in grant.scopes)),
            "jti": grant.token_id,
            "iss": self._issuer,
            "aud": self._audience,
            "iat": grant.issued_at,
            "nbf": grant.issued_at,
            "exp": grant.expires_at,
        }
        if grant.key_id is not None:
            claims["key"] = grant.key_id
        return jwt.encode(claims, self._keys[self._signing_id], _ALGORITHM, headers={"kid": self._signing_id})

    def verify(self, token: str) -> Grant:
        try:
            key = self._keys.get(jwt.get_unverified_header(token).get("kid", ""))
            if key is None:
                raise TokenRefused("unknown key")
            claims = jwt.decode(
                token,
                key,
                [_ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                leeway=_CLOCK_SKEW,
                options={"require": _REQUIRED},
            )
            grant = _grant(claims)
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, OSError) as error:
            raise TokenRefused(type(error).__name__) from None
        # The skew is allowed to a token's beginning, not to its end.
        if grant.expires_at <= datetime.now(UTC):
            raise TokenRefused("expired")
        return grant


def _grant(claims: Mapping[str, Any]) -> Grant:
    return Grant(
        program_id=str(claims["sub"]),
        program_sid=str(claims["unique_name"]),
        scopes=frozenset(scope for scope in Scope if scope.value in str(claims["scope"]).split()),
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        token_id=str(claims["jti"]),
        key_id=_key_id(claims.get("key")),
    )


def _key_id(claim: object) -> int | None:
    """None for tokens that were issued before keys had ids. Raises `ValueError`."""
    if claim is not None and (not isinstance(claim, int) or isinstance(claim, bool)):
        raise ValueError
    return claim

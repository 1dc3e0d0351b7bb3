"""Tokens as JSON Web Tokens, signed by a ring of keys."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.token_keys import KeyRing
from domain.errors import TokenRefused
from domain.model.access import Grant, Scope
from domain.ports.tokens import Tokens

_REQUIRED = ["iat", "nbf", "sub", "unique_name", "jti", "scope"]


class JwtTokens(Tokens):
    """Tokens of the hub's interface, by the keys of a `KeyRing`. Raises `InvalidValue`."""

    def __init__(
        self, secrets: Mapping[str, bytes], *, issuer: str, audience: str, private_keys: Sequence[bytes] = ()
    ) -> None:
        self._keys = KeyRing(secrets, private_keys)
        self._issuer = issuer
        self._audience = audience

    @property
    def key_set(self) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """What others verify tokens with: a JSON Web Key Set (RFC 7517), without any secret."""
        return {"keys": self._keys.public}

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
        return self._keys.sign(claims)

    def verify(self, token: str) -> Grant:
        claims = self._keys.verify(token, issuer=self._issuer, audience=self._audience, required=_REQUIRED)
        try:
            return _grant(claims)
        except (ValueError, TypeError, OverflowError, OSError) as error:
            raise TokenRefused(type(error).__name__) from None


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

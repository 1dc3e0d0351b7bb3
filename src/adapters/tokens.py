"""Tokens as JSON Web Tokens, signed by a ring of keys."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from adapters.token_keys import TokenKey
from domain.errors import InvalidValue, TokenRefused
from domain.model.access import Grant, Scope
from domain.ports.tokens import Tokens

_REQUIRED = ["exp", "iat", "nbf", "iss", "aud", "sub", "unique_name", "jti", "scope"]

# Replicas' clocks differ a little: a token may be used at once at another than the one that issued it.
_CLOCK_SKEW = timedelta(seconds=10)


class JwtTokens(Tokens):
    """`secrets` are keys for HS256 by their id, `private_keys` those that others can verify, as PEM. The first of the
    private keys signs, or of the secrets where there is none; all verify. A key is replaced by putting the new one
    first and dropping the old one when the tokens that it signed have expired.

    Raises `InvalidValue`.
    """

    def __init__(
        self, secrets: Mapping[str, bytes], *, issuer: str, audience: str, private_keys: Sequence[bytes] = ()
    ) -> None:
        keys = [TokenKey.of_private_key(pem) for pem in private_keys]
        keys += [TokenKey.of_secret(key_id, secret) for key_id, secret in secrets.items()]
        self._keys = {key.id: key for key in keys}
        if not keys or len(self._keys) < len(keys):
            raise InvalidValue("There is one key for tokens at least, and each once.")
        self._signs = keys[0]
        self._issuer = issuer
        self._audience = audience

    @property
    def key_set(self) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """What others verify tokens with: a JSON Web Key Set (RFC 7517), without any secret."""
        return {"keys": [key.public for key in self._keys.values() if key.public is not None]}

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
        signs = self._signs
        return jwt.encode(claims, signs.signing, signs.algorithm, headers={"kid": signs.id})

    def verify(self, token: str) -> Grant:
        try:
            key = self._keys.get(jwt.get_unverified_header(token).get("kid", ""))
            if key is None:
                raise TokenRefused("unknown key")
            claims = jwt.decode(
                token,
                key.verifying,
                [key.algorithm],
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

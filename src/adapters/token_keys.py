"""Keys that sign tokens. Each verifies with its own algorithm alone, whatever a token's header asks for."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from domain.errors import InvalidValue, TokenRefused

_SHORTEST_SECRET = 32
_SHORTEST_RSA_BITS = 2048

# Replicas' clocks differ a little: a token may be used at once at another than the one that issued it.
_CLOCK_SKEW = timedelta(seconds=10)

# What of a public key its thumbprint is over (RFC 7638, 8037).
_IN_THUMBPRINT = ("crv", "e", "kty", "n", "x")


@dataclass(frozen=True, slots=True, repr=False)
class TokenKey:
    """`public` is what others may know of it, as a JSON Web Key; None where it is a secret that they cannot use."""

    id: str
    algorithm: str
    signing: bytes | RSAPrivateKey | Ed25519PrivateKey
    verifying: bytes | RSAPublicKey | Ed25519PublicKey
    public: Mapping[str, str] | None = None

    @classmethod
    def of_secret(cls, key_id: str, secret: bytes) -> Self:
        """HS256. Raises `InvalidValue`."""
        if len(secret) < _SHORTEST_SECRET:
            raise InvalidValue(f"Every key of SMSHUB_SIGNING_KEYS has {_SHORTEST_SECRET} bytes or more.")
        return cls(key_id, "HS256", secret, secret)

    @classmethod
    def of_private_key(cls, pem: bytes) -> Self:
        """RS256 or EdDSA, as the key is. Its id is its thumbprint. Raises `InvalidValue`."""
        try:
            private = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            private = None
        match private:
            case RSAPrivateKey() if private.key_size >= _SHORTEST_RSA_BITS:
                algorithm, public = "RS256", RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
            case Ed25519PrivateKey():
                algorithm, public = "EdDSA", OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
            case _:
                raise InvalidValue(
                    "Every file of SMSHUB_TOKEN_KEY_FILES holds one private key as PEM, without a passphrase: Ed25519, "
                    f"or RSA of {_SHORTEST_RSA_BITS} bits or more."
                )
        members = {name: str(public[name]) for name in _IN_THUMBPRINT if name in public}
        key_id = _thumbprint(members)
        named = {**members, "kid": key_id, "use": "sig", "alg": algorithm}
        return cls(key_id, algorithm, private, private.public_key(), named)


class KeyRing:
    """`secrets` are keys for HS256 by their id, `private_keys` those that others can verify, as PEM. The first of the
    private keys signs, or of the secrets where there is none; all verify. A key is replaced by putting the new one
    first and dropping the old one when the tokens that it signed have expired.

    Raises `InvalidValue`.
    """

    def __init__(self, secrets: Mapping[str, bytes], private_keys: Sequence[bytes] = ()) -> None:
        keys = [TokenKey.of_private_key(pem) for pem in private_keys]
        keys += [TokenKey.of_secret(key_id, secret) for key_id, secret in secrets.items()]
        self._keys = {key.id: key for key in keys}
        if not keys or len(self._keys) < len(keys):
            raise InvalidValue("There is one key for tokens at least, and each once.")
        self._signs = keys[0]

    @property
    def public(self) -> Sequence[Mapping[str, str]]:
        """Of the keys that others can verify with."""
        return [key.public for key in self._keys.values() if key.public is not None]

    def sign(self, claims: Mapping[str, Any]) -> str:
        signs = self._signs
        return jwt.encode(dict(claims), signs.signing, signs.algorithm, headers={"kid": signs.id})

    def verify(self, token: str, *, issuer: str, audience: str, required: Sequence[str]) -> Mapping[str, Any]:
        """The claims. Raises `TokenRefused`."""
        try:
            key = self._keys.get(jwt.get_unverified_header(token).get("kid", ""))
            if key is None:
                raise TokenRefused("unknown key")
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key.verifying,
                [key.algorithm],
                audience=audience,
                issuer=issuer,
                leeway=_CLOCK_SKEW,
                options={"require": ["exp", "iss", "aud", *required]},
            )
            # The skew is allowed to a token's beginning, not to its end.
            if claims["exp"] <= datetime.now(UTC).timestamp():
                raise TokenRefused("expired")
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, OSError) as error:
            raise TokenRefused(type(error).__name__) from None
        return claims


def _thumbprint(members: Mapping[str, str]) -> str:
    written = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(written).digest()).rstrip(b"=").decode()

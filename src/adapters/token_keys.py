"""Keys that sign tokens. Each verifies with its own algorithm alone, whatever a token's header asks for."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from domain.errors import InvalidValue

_SHORTEST_SECRET = 32
_SHORTEST_RSA_BITS = 2048

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


def _thumbprint(members: Mapping[str, str]) -> str:
    written = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(written).digest()).rstrip(b"=").decode()

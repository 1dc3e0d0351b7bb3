"""What an identity provider says about itself (OpenID Connect Discovery 1.0), and the keys that it signs with."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from authlib.oidc.discovery import get_well_known_url
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from adapters.oidc.answers import Calls
from domain.errors import IdentityProviderAway

# A key that is taken back is not believed for longer than this, one that is new is looked for when it is first seen.
_GOOD_FOR_S = 600.0
# Nobody is to be sent to a provider that is away.
_ALIVE_FOR_S = 10.0
# Signatures that the provider alone can make; none of them is "none".
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")


@dataclass(frozen=True, slots=True)
class Metadata:
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    algorithms: Sequence[str]
    posts_secret: bool
    names_itself: bool


class Discovery:
    """Asked when it is needed, and remembered for a while. All raise `IdentityProviderAway`."""

    def __init__(self, issuer: str, calls: Calls) -> None:
        self._issuer = issuer
        self._calls = calls
        self._metadata: tuple[Metadata, float] | None = None
        self._keys: tuple[KeySet, float] | None = None

    async def metadata(self, *, alive: bool = False) -> Metadata:
        """`alive`: as of a moment ago."""
        good_for_s = _ALIVE_FOR_S if alive else _GOOD_FOR_S
        if self._metadata is None or self._metadata[1] + good_for_s < time.monotonic():
            url = get_well_known_url(self._issuer, external=True)
            self._metadata = _read(await self._calls.get(url), self._issuer), time.monotonic()
        return self._metadata[0]

    async def keys(self, *, anew: bool = False) -> KeySet:
        """`anew`: a token names a key that was not among them."""
        if anew or self._keys is None or self._keys[1] + _GOOD_FOR_S < time.monotonic():
            answer = await self._calls.get((await self.metadata()).jwks_uri)
            self._keys = _usable(answer), time.monotonic()
        return self._keys[0]


def _read(found: Mapping[str, Any], issuer: str) -> Metadata:
    if found.get("issuer") != issuer:
        raise IdentityProviderAway("discovery is of another issuer")
    offered = found.get("id_token_signing_alg_values_supported")
    algorithms = [each for each in _ALGORITHMS if isinstance(offered, list) and each in offered]
    if not algorithms:
        raise IdentityProviderAway("discovery has no signature that the hub takes")
    methods = found.get("token_endpoint_auth_methods_supported")
    return Metadata(
        authorization_endpoint=_needed(found, "authorization_endpoint", issuer),
        token_endpoint=_needed(found, "token_endpoint", issuer),
        jwks_uri=_needed(found, "jwks_uri", issuer),
        userinfo_endpoint=_endpoint(found, "userinfo_endpoint", issuer),
        end_session_endpoint=_endpoint(found, "end_session_endpoint", issuer),
        algorithms=algorithms,
        posts_secret=isinstance(methods, list) and "client_secret_basic" not in methods,
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
    )


def _needed(found: Mapping[str, Any], name: str, issuer: str) -> str:
    url = _endpoint(found, name, issuer)
    if url is None:
        raise IdentityProviderAway(f"discovery has no {name}")
    return url


def _endpoint(found: Mapping[str, Any], name: str, issuer: str) -> str | None:
    """What is asked over TLS leads nowhere without it."""
    url = found.get(name)
    if not isinstance(url, str):
        return None
    parts = urlsplit(url)
    schemes = {"https"} if issuer.startswith("https:") else {"https", "http"}
    if parts.scheme not in schemes or not parts.hostname:
        raise IdentityProviderAway(f"discovery has a {name} that cannot be used")
    return url


def _usable(answer: Mapping[str, Any]) -> KeySet:
    """Without those that this hub cannot read, which it may never meet."""
    written = answer.get("keys")
    keys = []
    for each in written if isinstance(written, list) else []:
        try:
            keys += KeySet.import_key_set({"keys": [each]}).keys
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue
    return KeySet(keys)

"""An organisation's identity provider, by OpenID Connect: the authorization code flow with PKCE."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import encode_basic_auth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError

from adapters.oidc.answers import TIMEOUT_S, Calls
from adapters.oidc.claims import ClaimNames
from adapters.oidc.discovery import Discovery
from domain.errors import IdentityProviderAway, SignInRefused
from domain.model.sign_in import Challenge
from domain.model.staff import Person
from domain.ports.identity_provider import IdentityProvider

# Clocks differ a little.
_LEEWAY_S = 30


class OidcProvider(IdentityProvider):
    """`client_id` and `client_secret` are the hub's at the provider; without a secret it is a public client.
    `redirect_uri` is where browsers come back to, `signed_out_uri` where they do after they have signed out there.
    """

    def __init__(
        self,
        issuer: str,
        *,
        name: str,
        client_id: str,
        client_secret: str,
        scopes: str,
        claim_names: ClaimNames,
        redirect_uri: str,
        signed_out_uri: str,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._issuer = issuer
        self._name = name
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._claim_names = claim_names
        self._redirect_uri = redirect_uri
        self._signed_out_uri = signed_out_uri
        self._calls = Calls(timeout_s=timeout_s)
        self._discovery = Discovery(issuer, self._calls)

    @property
    def name(self) -> str:
        return self._name

    @property
    def issuer(self) -> str:
        return self._issuer

    async def address(self, challenge: Challenge) -> str:
        metadata = await self._discovery.metadata(alive=True)
        address: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            self._client_id,
            "code",
            redirect_uri=self._redirect_uri,
            scope=self._scopes,
            state=challenge.state,
            nonce=challenge.nonce,
            code_challenge=create_s256_code_challenge(challenge.verifier),
            code_challenge_method="S256",
        )
        return address

    async def person(self, challenge: Challenge, answer: Mapping[str, str]) -> Person:
        metadata = await self._discovery.metadata()
        # RFC 9207: an answer of another provider's, whom the code is not to be shown to.
        if answer.get("iss", self._issuer) != self._issuer or (metadata.names_itself and "iss" not in answer):
            raise SignInRefused("another-issuer")
        if "error" in answer:
            raise SignInRefused("access-denied" if answer["error"] == "access_denied" else "provider-refused")
        if not answer.get("code"):
            raise SignInRefused("no-code")
        tokens = await self._redeemed(answer["code"], challenge)
        claims = await self._verified(tokens, challenge)
        if self._claim_names.groups not in claims and metadata.userinfo_endpoint is not None:
            claims = {**await self._more(metadata.userinfo_endpoint, tokens, claims), **claims}
        return self._claim_names.person_of(claims, issuer=self._issuer)

    async def sign_out_address(self) -> str | None:
        with suppress(IdentityProviderAway):
            address = (await self._discovery.metadata()).end_session_endpoint
            if address is not None:
                back = {"client_id": self._client_id, "post_logout_redirect_uri": self._signed_out_uri}
                return f"{address}{'&' if '?' in address else '?'}{urlencode(back)}"
        return None

    async def close(self) -> None:
        await self._calls.close()

    async def _redeemed(self, code: str, challenge: Challenge) -> Mapping[str, Any]:
        metadata = await self._discovery.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": challenge.verifier,
        }
        headers = {}
        if self._client_secret and not metadata.posts_secret:
            # Both as in a form (RFC 6749, section 2.3.1).
            its_id, secret = quote(self._client_id, safe=""), quote(self._client_secret, safe="")
            headers["Authorization"] = encode_basic_auth(its_id, secret)
        else:
            form["client_id"] = self._client_id
            if self._client_secret:
                form["client_secret"] = self._client_secret
        status, tokens = await self._calls.post(metadata.token_endpoint, form, headers=headers)
        if status != 200:
            # `invalid_client` means that the hub's own settings are wrong.
            raise SignInRefused("client-refused" if tokens.get("error") == "invalid_client" else "code-refused")
        return tokens

    async def _verified(self, tokens: Mapping[str, Any], challenge: Challenge) -> Mapping[str, Any]:
        """The claims of the id token. OpenID Connect Core 1.0, section 3.1.3.7."""
        written = tokens.get("id_token")
        if not isinstance(written, str):
            raise SignInRefused("no-id-token")
        try:
            token = await self._decoded(written)
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": self._issuer},
                    "aud": {"essential": True, "value": self._client_id},
                },
                params={
                    "nonce": challenge.nonce,
                    "client_id": self._client_id,
                    "access_token": tokens.get("access_token"),
                },
            )
            claims.validate(leeway=_LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as fault:
            raise SignInRefused(f"id-token: {type(fault).__name__}") from None
        return dict(claims)

    async def _decoded(self, written: str) -> jwt.Token:
        algorithms = list((await self._discovery.metadata()).algorithms)
        try:
            return jwt.decode(written, await self._discovery.keys(), algorithms=algorithms)
        except (InvalidKeyIdError, BadSignatureError):
            # The provider may have new keys, under old names even.
            return jwt.decode(written, await self._discovery.keys(anew=True), algorithms=algorithms)

    async def _more(self, url: str, tokens: Mapping[str, Any], claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the provider tells of the same person beside the id token."""
        token = tokens.get("access_token")
        if not isinstance(token, str):
            return {}
        told = await self._calls.get(url, token=token)
        if told.get("sub") != claims["sub"]:
            raise SignInRefused("another-subject")
        return told

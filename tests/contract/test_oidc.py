"""An identity provider that lies, is slow or talks nonsense. Honest ones are real, in other tests."""

import asyncio
import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from adapters.oidc.claims import ClaimNames
from adapters.oidc.provider import OidcProvider
from domain.errors import IdentityProviderAway, SignInRefused
from domain.model.sign_in import Challenge
from tests.ports import free_port

CLIENT, SECRET = "sms-hub", "a secret of tests" * 3
CHALLENGE = Challenge(state="state", nonce="nonce", verifier="v" * 43)
KEY, OTHERS = (generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


def public(key: RSAPrivateKey, kid: str) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}


@dataclass
class Liar:
    """`metadata`, `tokens` and `told` change what it says; `odd` answers in the place of a path."""

    url: str
    metadata: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=lambda: {"keys": [public(KEY, "one")]})
    id_token: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict)
    odd: dict[str, Callable[[], Awaitable[web.StreamResponse]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def claims(self, **changes: object) -> dict[str, Any]:
        now = int(time.time())
        said = {
            "iss": self.url,
            "sub": "1001",
            "aud": CLIENT,
            "exp": now + 60,
            "iat": now,
            "nonce": CHALLENGE.nonce,
            "preferred_username": "ada",
            "groups": ["staff"],
            **changes,
        }
        return {name: each for name, each in said.items() if each is not None}

    def signed(self, key: Any = KEY, algorithm: str = "RS256", kid: str | None = "one", **changes: object) -> str:  # noqa: ANN401
        return jwt.encode(self.claims(**changes), key, algorithm, headers={"kid": kid} if kid else None)

    def by_public_key(self) -> str:
        """As no library signs any more."""
        head = jwt.encode(self.claims(), SECRET, "HS256", headers={"kid": "one"}).rpartition(".")[0]
        secret = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        signature = urlsafe_b64encode(hmac.digest(secret, head.encode(), "sha256")).rstrip(b"=").decode()
        return f"{head}.{signature}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if request.path in self.odd:
            return await self.odd[request.path]()
        answers: Mapping[str, object] = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/auth",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "userinfo_endpoint": f"{self.url}/me",
                "id_token_signing_alg_values_supported": ["RS256", "none", "HS256"],
                **self.metadata,
            },
            "/jwks": self.keys,
            "/token": {"access_token": "access", "token_type": "Bearer", "id_token": self.id_token or self.signed()},
            "/me": self.told,
        }
        return web.json_response(answers[request.path])


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    port = free_port()
    liar = Liar(f"http://127.0.0.1:{port}")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", liar.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield liar
    await runner.cleanup()


@pytest.fixture
async def provider(liar: Liar) -> AsyncIterator[OidcProvider]:
    provider = a_provider(liar)
    yield provider
    await provider.close()


def a_provider(liar: Liar, *, person: str = "", groups: str = "groups", timeout_s: float = 5.0) -> OidcProvider:
    return OidcProvider(
        liar.url,
        name="Campus login",
        client_id=CLIENT,
        client_secret=SECRET,
        scopes="openid",
        claim_names=ClaimNames(person=person, groups=groups),
        redirect_uri="https://hub.example/console/sign-in/callback",
        signed_out_uri="https://hub.example/console/sign-in",
        timeout_s=timeout_s,
    )


ANSWER = {"code": "code", "state": "state"}


async def test_a_good_answer_is_taken(liar: Liar, provider: OidcProvider) -> None:
    person = await provider.person(CHALLENGE, ANSWER)

    assert (person.issuer, person.subject, person.name, person.groups) == (liar.url, "1001", "ada", ("staff",))
    assert await provider.sign_out_address() is None


TOKENS: Mapping[str, Callable[[Liar], str]] = {
    "of another issuer": lambda liar: liar.signed(iss="https://evil.example"),
    "for another client": lambda liar: liar.signed(aud="payroll"),
    "for several, and for none of them": lambda liar: liar.signed(aud=[CLIENT, "payroll"]),
    "for several, and another": lambda liar: liar.signed(aud=[CLIENT, "payroll"], azp="payroll"),
    "that has expired": lambda liar: liar.signed(exp=int(time.time()) - 3_600),
    "that never expires": lambda liar: liar.signed(exp=None),
    "of nobody": lambda liar: liar.signed(sub=None),
    "of an empty name": lambda liar: liar.signed(sub=""),
    "of another sign-in": lambda liar: liar.signed(nonce="another"),
    "of no sign-in": lambda liar: liar.signed(nonce=None),
    "beside another access token": lambda liar: liar.signed(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "signed by another": lambda liar: liar.signed(OTHERS),
    "signed with an unknown key": lambda liar: liar.signed(OTHERS, kid="two"),
    "signed by nobody": lambda liar: liar.signed("", "none"),
    "signed with the client's secret": lambda liar: liar.signed(SECRET, "HS256"),
    "signed with the public key as a secret": lambda liar: liar.by_public_key(),
    "signed as nobody said": lambda liar: liar.signed(KEY, "PS256"),
    "that is none": lambda _: "nonsense",
    "that is cut": lambda liar: liar.signed()[:-10],
}


@pytest.mark.parametrize("what", TOKENS)
async def test_an_id_token_that_is_no_good_is_refused(liar: Liar, provider: OidcProvider, what: str) -> None:
    liar.id_token = TOKENS[what](liar)

    with pytest.raises(SignInRefused) as refused:
        await provider.person(CHALLENGE, ANSWER)
    assert liar.id_token not in str(refused.value) + refused.value.reason


async def test_a_new_key_is_looked_for_once_and_found(liar: Liar, provider: OidcProvider) -> None:
    await provider.person(CHALLENGE, ANSWER)
    liar.keys = {"keys": [{"kty": "??"}, {"kty": "oct", "k": "AAAA", "kid": "two"}, public(OTHERS, "two")]}
    liar.keys["keys"].pop(1)
    liar.id_token = liar.signed(OTHERS, kid="two")
    await provider.person(CHALLENGE, ANSWER)
    await provider.person(CHALLENGE, ANSWER)

    assert liar.asked.count("/jwks") == 2


async def test_where_the_id_token_tells_no_groups_userinfo_does_for_the_same_person_alone(
    liar: Liar, provider: OidcProvider
) -> None:
    liar.id_token = liar.signed(groups=None)
    liar.told = {"sub": "1001", "groups": ["a", 7, "b\0", "", "x" * 201, "b"], "preferred_username": "mallory"}
    person = await provider.person(CHALLENGE, ANSWER)
    assert (person.name, person.groups) == ("ada", ("a", "b"))

    liar.told = {"sub": "1002", "groups": ["operators"]}
    with pytest.raises(SignInRefused):
        await provider.person(CHALLENGE, ANSWER)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": " Ada\u202e\n "}, "Ada"),
        ({"preferred_username": "x" * 500}, "x" * 200),
        ({"preferred_username": None, "email": "ada@campus.example"}, "ada@campus.example"),
        ({"preferred_username": None, "email": "ada@campus.example", "email_verified": False}, "1001"),
        ({"preferred_username": 7}, "1001"),
    ],
)
async def test_people_are_called_as_they_can_be(
    liar: Liar, provider: OidcProvider, claims: dict[str, Any], name: str
) -> None:
    liar.id_token = liar.signed(**claims)

    assert (await provider.person(CHALLENGE, ANSWER)).name == name


async def test_a_claim_of_ones_own_choice_must_be_there(liar: Liar) -> None:
    provider = a_provider(liar, person="upn", groups="email")
    liar.id_token = liar.signed(upn="ada@campus", email="ada@campus.example")
    person = await provider.person(CHALLENGE, ANSWER)
    liar.id_token = liar.signed()
    liar.told = {"sub": "1001"}
    with pytest.raises(SignInRefused):
        await provider.person(CHALLENGE, ANSWER)
    await provider.close()

    assert (person.name, person.groups) == ("ada@campus", ("ada@campus.example",))


async def nonsense() -> web.StreamResponse:
    return web.Response(text="<html>", content_type="text/html")


async def a_list() -> web.StreamResponse:
    return web.json_response([])


async def too_much() -> web.StreamResponse:
    return web.Response(body=b'{"a": "' + b"x" * 2_000_000 + b'"}')


async def elsewhere() -> web.StreamResponse:
    return web.HTTPFound("http://127.0.0.1:1/")


async def broken() -> web.StreamResponse:
    return web.json_response({}, status=502)


async def never() -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response()


@pytest.mark.parametrize("odd", [nonsense, a_list, too_much, elsewhere, broken, never])
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks", "/me"])
async def test_a_provider_that_talks_nonsense_or_nothing_is_away(
    liar: Liar, path: str, odd: Callable[[], Awaitable[web.StreamResponse]]
) -> None:
    provider = a_provider(liar, timeout_s=0.5 if odd is never else 30)
    liar.id_token = liar.signed(groups=None)
    liar.odd[path] = odd

    with pytest.raises(IdentityProviderAway):
        await provider.person(CHALLENGE, ANSWER)
    await provider.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"jwks_uri": 7},
        {"id_token_signing_alg_values_supported": ["none", "HS256"]},
        {"id_token_signing_alg_values_supported": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "file:///etc/passwd"},
    ],
    ids=str,
)
async def test_a_provider_that_says_so_of_itself_is_not_used(
    liar: Liar, provider: OidcProvider, changes: dict[str, object]
) -> None:
    liar.metadata = changes

    with pytest.raises(IdentityProviderAway):
        await provider.address(CHALLENGE)


async def test_a_refused_code_and_a_refused_client_are_told_apart_in_our_log(
    liar: Liar, provider: OidcProvider
) -> None:
    for error, reason in (("invalid_grant", "code-refused"), ("invalid_client", "client-refused")):

        async def refused(error: str = error) -> web.StreamResponse:
            return web.json_response({"error": error}, status=400)

        liar.odd["/token"] = refused
        with pytest.raises(SignInRefused) as raised:
            await provider.person(CHALLENGE, ANSWER)
        assert raised.value.reason == reason

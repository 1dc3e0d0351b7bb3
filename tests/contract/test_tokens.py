import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as new_rsa_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

import adapters.token_keys
from adapters.remembered import RememberedTokens
from adapters.tokens import JwtTokens
from domain.errors import InvalidValue, TokenRefused
from domain.model.access import Grant, Scope
from domain.ports.tokens import Tokens

OLD_KEY = b"o" * 32
NEW_KEY = b"n" * 48
ISSUER = "https://hub.example"
AUDIENCE = "sms-hub"
PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf
9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==
-----END PUBLIC KEY-----
"""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def the_tokens(keys: Mapping[str, bytes] | None = None, *, issuer: str = ISSUER, audience: str = AUDIENCE) -> Tokens:
    return JwtTokens(keys or {"new": NEW_KEY, "old": OLD_KEY}, issuer=issuer, audience=audience)


def a_grant(*, issued_in: timedelta = timedelta(0), lasts: timedelta = timedelta(minutes=15)) -> Grant:
    issued_at = datetime.now(UTC).replace(microsecond=0) + issued_in
    return Grant(
        program_id="city-hall",
        program_sid="AC-1",
        scopes=frozenset({Scope.SEND, Scope.READ}),
        issued_at=issued_at,
        expires_at=issued_at + lasts,
        token_id="01",
    )


def claims(**changes: object) -> dict[str, Any]:
    """What a token of ours says, with changes; None leaves a claim out."""
    grant = a_grant()
    said = {
        "sub": grant.program_id,
        "unique_name": grant.program_sid,
        "scope": "messages:read messages:send",
        "jti": grant.token_id,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": grant.issued_at,
        "nbf": grant.issued_at,
        "exp": grant.expires_at,
    }
    return {name: value for name, value in (said | changes).items() if value is not None}


def signed(payload: Mapping[str, Any], *, key: bytes = NEW_KEY, algorithm: str = "HS256", kid: object = "new") -> str:
    header = {} if kid is None else {"kid": kid}
    return jwt.encode(dict(payload), key, algorithm, headers=header)


def segment(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def unsigned(header: object, payload: object, signature: str = "") -> str:
    return f"{segment(header)}.{segment(payload)}.{signature}"


def refused(token: str, tokens: Tokens | None = None) -> TokenRefused:
    with pytest.raises(TokenRefused) as raised:
        (tokens or the_tokens()).verify(token)
    return raised.value


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the time at which tokens are verified."""

    def stop_the_clock(moment: datetime) -> None:
        class Stopped(datetime):
            @classmethod
            def now(cls, tz: object = None) -> Self:
                _ = tz
                return cls.fromtimestamp(moment.timestamp(), UTC)

        monkeypatch.setattr(adapters.token_keys, "datetime", Stopped)
        monkeypatch.setattr(jwt.api_jwt, "datetime", Stopped)

    return stop_the_clock


class TestIssuing:
    @pytest.mark.parametrize("scopes", [set(), {Scope.SEND}, {Scope.READ}, set(Scope)])
    def test_a_grant_comes_back_as_it_was(self, scopes: set[Scope]) -> None:
        plain = a_grant()
        grant = Grant(
            program_id=plain.program_id,
            program_sid="  ÄÖ\N{GRINNING FACE} ",
            scopes=frozenset(scopes),
            issued_at=plain.issued_at,
            expires_at=plain.expires_at,
            token_id=plain.token_id,
        )

        assert the_tokens().verify(the_tokens().issue(grant)) == grant

    def test_a_token_says_what_its_readers_look_for(self) -> None:
        grant = a_grant()

        said = jwt.decode(the_tokens().issue(grant), options={"verify_signature": False})

        assert said == {
            "sub": "city-hall",
            "unique_name": "AC-1",
            "scope": "messages:read messages:send",
            "jti": "01",
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": int(grant.issued_at.timestamp()),
            "nbf": int(grant.issued_at.timestamp()),
            "exp": int(grant.expires_at.timestamp()),
        }

    def test_a_token_names_the_key_that_signed_it(self) -> None:
        header = jwt.get_unverified_header(the_tokens().issue(a_grant()))

        assert (header["alg"], header["kid"]) == ("HS256", "new")


class TestKeys:
    def test_tokens_of_the_old_key_are_good_while_it_is_kept(self) -> None:
        before = the_tokens({"old": OLD_KEY})
        after = the_tokens({"new": NEW_KEY, "old": OLD_KEY})

        assert after.verify(before.issue(a_grant())) == a_grant()

    def test_tokens_of_the_new_key_are_good_where_it_is_known_and_does_not_sign_yet(self) -> None:
        ahead = the_tokens({"new": NEW_KEY, "old": OLD_KEY})
        behind = the_tokens({"old": OLD_KEY, "new": NEW_KEY})

        assert behind.verify(ahead.issue(a_grant())) == a_grant()

    def test_tokens_of_a_key_that_was_dropped_are_refused(self) -> None:
        token = the_tokens({"old": OLD_KEY}).issue(a_grant())

        refused(token, the_tokens({"new": NEW_KEY}))

    def test_a_token_that_names_another_key_of_ours_is_refused(self) -> None:
        refused(signed(claims(), key=OLD_KEY, kid="new"))

    @pytest.mark.parametrize("kid", ["", "New", "new ", "../new", "0", None])
    def test_a_token_of_an_unknown_key_is_refused(self, kid: object) -> None:
        refused(signed(claims(), kid=kid))

    @pytest.mark.parametrize("kid", [1, True, [], {}, ["new"], {"new": 1}, None])
    def test_a_key_is_named_by_words(self, kid: object) -> None:
        refused(unsigned({"alg": "HS256", "kid": kid}, {}))

    @pytest.mark.parametrize("length", [0, 1, 31])
    def test_short_keys_are_refused_from_the_start(self, length: int) -> None:
        with pytest.raises(InvalidValue):
            the_tokens({"new": NEW_KEY, "short": b"x" * length})

    def test_there_is_one_key_at_least(self) -> None:
        with pytest.raises(InvalidValue):
            JwtTokens({}, issuer=ISSUER, audience=AUDIENCE)

    def test_refusing_keys_does_not_show_them(self) -> None:
        with pytest.raises(InvalidValue) as raised:
            the_tokens({"short": b"hush"})

        assert "hush" not in repr(raised.value)


class TestTimes:
    def test_a_token_is_good_until_it_expires(self, at: Callable[[datetime], None]) -> None:
        grant = a_grant()
        token = the_tokens().issue(grant)

        at(grant.expires_at - timedelta(milliseconds=1))
        assert the_tokens().verify(token) == grant
        at(grant.expires_at)
        refused(token)
        at(grant.expires_at + timedelta(milliseconds=1))
        refused(token)

    def test_a_token_is_good_a_little_before_it_begins(self, at: Callable[[datetime], None]) -> None:
        grant = a_grant()
        token = the_tokens().issue(grant)

        at(grant.issued_at - timedelta(seconds=10))
        assert the_tokens().verify(token) == grant
        at(grant.issued_at - timedelta(seconds=11))
        refused(token)

    def test_an_expired_token_is_refused_by_the_true_clock(self) -> None:
        refused(the_tokens().issue(a_grant(issued_in=-timedelta(minutes=15))))

    def test_a_token_that_ends_before_it_begins_is_refused(self) -> None:
        refused(the_tokens().issue(a_grant(lasts=-timedelta(seconds=1))))


class TestForgeries:
    @pytest.mark.parametrize(
        "change",
        [
            {"iss": "https://elsewhere.example"},
            {"iss": ISSUER + "/"},
            {"iss": [ISSUER]},
            {"aud": "another"},
            {"aud": AUDIENCE.upper()},
            {"aud": []},
            {"aud": 1},
        ],
    )
    def test_a_token_for_another_purpose_is_refused(self, change: dict[str, object]) -> None:
        refused(signed_as_it_is(claims() | change))

    @pytest.mark.parametrize("claim", sorted(claims()))
    def test_a_token_that_lacks_a_claim_is_refused(self, claim: str) -> None:
        refused(signed(claims(**{claim: None})))

    @pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, 0, ["HS256"], {"HS256": 1}])
    @pytest.mark.parametrize("signature", ["", "AAAA"])
    def test_an_unsigned_token_is_refused(self, alg: object, signature: str) -> None:
        refused(unsigned({"alg": alg, "typ": "JWT", "kid": "new"}, unix_times(claims()), signature))

    def test_a_token_without_an_algorithm_is_refused(self) -> None:
        refused(unsigned({"kid": "new"}, unix_times(claims())))

    @pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
    def test_another_algorithm_is_refused_even_with_our_key(self, algorithm: str) -> None:
        refused(signed(claims(), key=NEW_KEY * 2, algorithm=algorithm))

    @pytest.mark.parametrize("algorithm", ["HS512", "RS256", "ES256", "PS256", "EdDSA"])
    def test_a_header_cannot_choose_the_algorithm(self, algorithm: str) -> None:
        header, payload, signature = signed(claims()).split(".")
        assert header

        refused(f"{segment({'alg': algorithm, 'typ': 'JWT', 'kid': 'new'})}.{payload}.{signature}")

    def test_a_header_cannot_bring_its_own_key(self) -> None:
        own = segment({"kty": "oct", "k": base64.urlsafe_b64encode(b"e" * 32).decode()})
        header = {"kid": "new", "jwk": own, "jku": "https://evil.example/keys", "x5u": "https://evil.example"}

        refused(jwt.encode(claims(), b"e" * 32, "HS256", headers=header))
        refused(jwt.encode(claims(), PUBLIC_KEY.replace("PUBLIC KEY", "NOTHING").encode(), "HS256", headers=header))

    @pytest.mark.parametrize("part", [0, 1, 2])
    def test_a_changed_token_is_refused(self, part: int) -> None:
        parts = the_tokens().issue(a_grant()).split(".")
        for position in range(0, len(parts[part]) - 1, 7):
            changed = list(parts)
            other = "A" if parts[part][position] != "A" else "B"
            changed[part] = parts[part][:position] + other + parts[part][position + 1 :]
            refused(".".join(changed))

    def test_a_refusal_says_nothing_of_the_token(self) -> None:
        token = signed(claims(sub="secret-office"), key=b"e" * 32)

        error = refused(token)

        assert error.__cause__ is None
        assert not any(part in f"{error!r} {error.reason}" for part in [*token.split("."), "secret-office"])


def unix_times(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {name: int(value.timestamp()) if isinstance(value, datetime) else value for name, value in payload.items()}


def signed_as_it_is(payload: object) -> str:
    """Signed with our key, even where PyJWT itself would not issue it."""
    if isinstance(payload, dict):
        payload = unix_times(payload)
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return jwt.PyJWS().encode(content, NEW_KEY, "HS256", headers={"kid": "new"})


class TestGarbage:
    @pytest.mark.parametrize(
        "token",
        [
            "",
            ".",
            "..",
            "...",
            "Bearer x",
            "a.b.c",
            "\0",
            "\ud800.\ud800.\ud800",
            "é.é.é",
            "." * 100_000,
            "A" * 100_000,
            f"{base64.urlsafe_b64encode(b'[' * 100_000).decode()}.e30.e30",
            f"{base64.urlsafe_b64encode(b'1' * 10_000).decode()}.e30.e30",
            unsigned([], {}),
            unsigned("HS256", {}),
            unsigned({"alg": "HS256", "kid": "new", "b64": False, "crit": ["b64"]}, ""),
            unsigned({"alg": "HS256", "kid": "new", "crit": ["exp"]}, {}),
        ],
        ids=lambda token: ascii(token[:20]),
    )
    def test_what_is_no_token_is_refused(self, token: str) -> None:
        refused(token)

    @given(st.text() | st.text(alphabet=".aA_-=eyJ0"))
    def test_any_text_is_refused(self, token: str) -> None:
        refused(token)

    @given(JSON, JSON, st.text(alphabet="abc_-AZ09", max_size=50))
    def test_any_json_with_any_signature_is_refused(self, header: object, payload: object, signature: str) -> None:
        refused(unsigned(header, payload, signature))

    @given(st.fixed_dictionaries({"alg": JSON, "kid": JSON}, optional={"typ": JSON, "crit": JSON, "b64": JSON}))
    def test_any_header_is_refused(self, header: dict[str, object]) -> None:
        refused(unsigned(header, unix_times(claims()), "AAAA"))

    @given(JSON | st.binary())
    def test_any_content_is_refused_even_with_our_signature(self, content: object) -> None:
        refused(signed_as_it_is(content))

    @given(st.sampled_from(sorted(claims())), JSON)
    def test_any_claim_with_our_signature_is_read_or_refused(self, claim: str, value: object) -> None:
        try:
            grant = the_tokens().verify(signed_as_it_is(claims() | {claim: value}))
        except TokenRefused:
            return

        assert grant.expires_at > datetime.now(UTC)

    @pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
    @pytest.mark.parametrize(
        "value",
        [0, -1, True, 1e308, -1e308, float("inf"), float("nan"), 2**31, 2**55, 2**63, 2**64, 10**400],
    )
    def test_any_number_for_a_time_is_read_or_refused(self, claim: str, value: float) -> None:
        with suppress(TokenRefused):
            the_tokens().verify(signed_as_it_is(claims() | {claim: value}))

    @pytest.mark.parametrize("value", [2**56, 2**62])
    def test_an_end_beyond_all_calendars_is_refused(self, value: int) -> None:
        refused(signed_as_it_is(claims() | {"exp": value}))


def pem(key: Any, *, passphrase: bytes | None = None) -> bytes:  # noqa: ANN401 - any kind of private key
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    written: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return written


RSA_KEY = pem(new_rsa_key(65537, 2048))
ED25519_KEY = pem(Ed25519PrivateKey.generate())
PRIVATE_KEYS = {"RS256": RSA_KEY, "EdDSA": ED25519_KEY}


def with_private_keys(*keys: bytes, secrets: Mapping[str, bytes] | None = None) -> JwtTokens:
    return JwtTokens(
        {"new": NEW_KEY} if secrets is None else secrets, issuer=ISSUER, audience=AUDIENCE, private_keys=keys
    )


def private(key: bytes) -> RSAPrivateKey | Ed25519PrivateKey:
    loaded = load_pem_private_key(key, None)
    assert isinstance(loaded, RSAPrivateKey | Ed25519PrivateKey)
    return loaded


def public_forms(key: bytes) -> list[bytes]:
    """All that an attacker might take for the key's bytes."""
    public = private(key).public_key()
    forms = [
        public.public_bytes(encoding, form)
        for encoding, form in (
            (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        )
    ]
    forms += [forms[0].strip(), forms[0].replace(b"\n", b"")]
    if isinstance(private(key), Ed25519PrivateKey):
        forms.append(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
    return forms


def hmac_by(key: bytes, kid: str) -> str:
    """A token signed with HS256 by whatever bytes, which PyJWT itself refuses to sign with."""
    signing_input = f"{segment({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{segment(unix_times(claims()))}"
    signature = hmac.digest(key, signing_input.encode(), "sha256")
    return f"{signing_input}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.parametrize("algorithm", PRIVATE_KEYS)
class TestPrivateKeys:
    def test_a_grant_comes_back_as_it_was(self, algorithm: str) -> None:
        tokens = with_private_keys(PRIVATE_KEYS[algorithm])
        token = tokens.issue(a_grant())

        assert tokens.verify(token) == a_grant()
        assert jwt.get_unverified_header(token)["alg"] == algorithm

    def test_tokens_of_before_are_good_still(self, algorithm: str) -> None:
        before = the_tokens({"old": OLD_KEY}).issue(a_grant())

        assert with_private_keys(PRIVATE_KEYS[algorithm], secrets={"old": OLD_KEY}).verify(before) == a_grant()

    def test_no_secret_is_needed_beside_them(self, algorithm: str) -> None:
        tokens = with_private_keys(PRIVATE_KEYS[algorithm], secrets={})

        assert tokens.verify(tokens.issue(a_grant())) == a_grant()
        refused(signed(claims()), tokens)

    def test_the_first_signs_and_all_verify(self, algorithm: str) -> None:
        one = PRIVATE_KEYS[algorithm]
        other = next(key for key in PRIVATE_KEYS.values() if key != one)
        grant = a_grant()
        token = with_private_keys(one, other).issue(grant)

        assert jwt.get_unverified_header(token)["alg"] == algorithm
        assert with_private_keys(other, one).verify(token) == grant
        refused(token, with_private_keys(other))

    def test_they_are_named_by_their_thumbprints(self, algorithm: str) -> None:
        tokens = with_private_keys(PRIVATE_KEYS[algorithm])
        (published,) = tokens.key_set["keys"]

        required = {"RS256": ("e", "kty", "n"), "EdDSA": ("crv", "kty", "x")}[algorithm]
        canonical = json.dumps({name: published[name] for name in required}, separators=(",", ":"))
        digest = base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()
        assert published["kid"] == jwt.get_unverified_header(tokens.issue(a_grant()))["kid"] == digest

    def test_what_is_published_is_no_secret(self, algorithm: str) -> None:
        tokens = with_private_keys(PRIVATE_KEYS[algorithm], secrets={"new": NEW_KEY, "old": OLD_KEY})
        (published,) = tokens.key_set["keys"]

        allowed = {"kty", "kid", "use", "alg", *(("n", "e") if algorithm == "RS256" else ("crv", "x"))}
        assert set(published) == allowed
        assert (published["use"], published["alg"]) == ("sig", algorithm)

    def test_a_public_key_signs_nothing(self, algorithm: str) -> None:
        tokens = with_private_keys(PRIVATE_KEYS[algorithm])
        kid = tokens.key_set["keys"][0]["kid"]

        for form in public_forms(PRIVATE_KEYS[algorithm]):
            refused(hmac_by(form, kid), tokens)
            refused(hmac_by(form, "new"), tokens)

    def test_a_private_key_signs_in_no_secrets_name_and_a_secret_in_no_private_keys(self, algorithm: str) -> None:
        tokens = with_private_keys(PRIVATE_KEYS[algorithm])
        kid = tokens.key_set["keys"][0]["kid"]

        refused(
            jwt.encode(claims(), private(PRIVATE_KEYS[algorithm]), algorithm, headers={"kid": "new"}),
            tokens,
        )
        refused(signed(claims(), key=NEW_KEY, kid=kid), tokens)

    @pytest.mark.parametrize("alg", ["none", "None", "HS256", "HS512", "RS256", "RS384", "PS256", "ES256", "EdDSA", ""])
    def test_a_header_cannot_choose_the_algorithm(self, algorithm: str, alg: str) -> None:
        tokens = with_private_keys(PRIVATE_KEYS[algorithm])
        header, payload, signature = tokens.issue(a_grant()).split(".")
        changed = json.loads(base64.urlsafe_b64decode(header + "==")) | {"alg": alg}
        if alg == algorithm:
            changed["alg"] = alg.lower()

        refused(f"{segment(changed)}.{payload}.{signature}", tokens)
        refused(f"{segment(changed)}.{payload}.", tokens)

    def test_a_header_cannot_bring_its_own_key(self, algorithm: str) -> None:
        tokens = with_private_keys(PRIVATE_KEYS[algorithm])
        own = {"RS256": pem(new_rsa_key(65537, 2048)), "EdDSA": pem(Ed25519PrivateKey.generate())}[algorithm]
        brought = dict(with_private_keys(own).key_set["keys"][0])
        ours = tokens.key_set["keys"][0]["kid"]

        for kid in (ours, brought["kid"]):
            header = {"kid": kid, "jwk": brought, "jku": "https://evil.example/keys", "x5u": "https://evil.example"}
            header["x5c"] = [base64.b64encode(own).decode()]
            refused(jwt.encode(claims(), private(own), algorithm, headers=header), tokens)

    def test_what_has_to_be_understood_and_is_not_is_refused(self, algorithm: str) -> None:
        tokens = with_private_keys(PRIVATE_KEYS[algorithm])
        kid = tokens.key_set["keys"][0]["kid"]
        header = {"kid": kid, "crit": ["purpose"], "purpose": "another"}

        refused(jwt.encode(claims(), private(PRIVATE_KEYS[algorithm]), algorithm, headers=header), tokens)

    def test_a_dropped_key_is_gone_with_the_restart_and_not_before(self, algorithm: str) -> None:
        running = RememberedTokens(with_private_keys(PRIVATE_KEYS[algorithm]))
        token = running.issue(a_grant())
        assert running.verify(token) == running.verify(token) == a_grant()

        restarted = RememberedTokens(with_private_keys(pem(Ed25519PrivateKey.generate())))
        refused(token, restarted)
        assert running.verify(token) == a_grant()


class TestUnusableKeys:
    @pytest.mark.parametrize(
        "key",
        [
            b"",
            b"no key",
            pem(new_rsa_key(65537, 1024)),
            pem(new_ec_key(SECP256R1())),
            pem(Ed25519PrivateKey.generate(), passphrase=b"open sesame"),
            Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            RSA_KEY[:600],
        ],
        ids=["nothing", "no PEM", "short RSA", "ECDSA", "passphrase", "public", "cut off"],
    )
    def test_they_are_refused_from_the_start_and_not_shown(self, key: bytes) -> None:
        with pytest.raises(InvalidValue, match="SMSHUB_TOKEN_KEY_FILES") as raised:
            with_private_keys(RSA_KEY, key)

        assert raised.value.__cause__ is None
        assert "BEGIN" not in str(raised.value)

    def test_the_same_key_twice_is_a_mistake(self) -> None:
        with pytest.raises(InvalidValue):
            with_private_keys(RSA_KEY, RSA_KEY)

    def test_a_secret_cannot_take_a_private_keys_name(self) -> None:
        kid = with_private_keys(RSA_KEY).key_set["keys"][0]["kid"]

        with pytest.raises(InvalidValue):
            with_private_keys(RSA_KEY, secrets={kid: NEW_KEY})

    def test_with_secrets_alone_nothing_is_published(self) -> None:
        assert with_private_keys().key_set == {"keys": []}


class TestSignedOddities:
    """Signed with our key, and not as we would."""

    @pytest.mark.parametrize("ahead", [timedelta(minutes=1), timedelta(days=1), timedelta(days=36_500)])
    @pytest.mark.parametrize("claim", ["iat", "nbf"])
    def test_what_begins_in_the_future_is_refused(self, claim: str, ahead: timedelta) -> None:
        refused(signed_as_it_is(claims() | {claim: datetime.now(UTC) + ahead}))

    @pytest.mark.parametrize("value", ["", "soon", "9999999999", [9999999999], {"a": 1}, None, 10**30, 1e30])
    def test_an_end_that_is_no_time_is_refused(self, value: object) -> None:
        refused(signed_as_it_is(claims() | {"exp": value}))

    def test_an_end_with_a_fraction_is_a_time(self) -> None:
        ends = int(a_grant().expires_at.timestamp()) + 0.5

        assert the_tokens().verify(signed_as_it_is(claims() | {"exp": ends})).expires_at.timestamp() == ends
        refused(signed_as_it_is(claims() | {"exp": datetime.now(UTC).timestamp() - 0.5}))

    def test_what_has_to_be_understood_and_is_not_is_refused(self) -> None:
        refused(jwt.encode(claims(), NEW_KEY, "HS256", headers={"kid": "new", "crit": ["purpose"], "purpose": "x"}))

    @pytest.mark.parametrize("kid", ["../../etc/passwd", "/dev/null", "new\0", "' OR 1=1 --", "https://evil.example/k"])
    def test_a_key_is_looked_up_by_its_name_and_nowhere_else(self, kid: str) -> None:
        refused(signed(claims(), kid=kid))
        refused(hmac_by(b"", kid))

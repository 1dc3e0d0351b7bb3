import base64
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adapters.tokens
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

        monkeypatch.setattr(adapters.tokens, "datetime", Stopped)
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

"""What the browsers of persons carry about, and what is not taken for it."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from adapters.staff_tokens import JwtStaffTokens
from adapters.tokens import JwtTokens
from domain.errors import TokenRefused
from domain.model.access import Grant, Scope
from domain.model.sign_in import Challenge, PendingSignIn
from domain.model.staff import Person, StaffSession

NEW, OLD = b"n" * 32, b"o" * 32
TOKENS = JwtStaffTokens({"new": NEW, "old": OLD}, issuer="hub")
NOW_S = int(time.time())
# The tests may begin long after this was read.
LATER_S = NOW_S + 86_400
PENDING = PendingSignIn(
    challenge=Challenge(state="s", nonce="n", verifier="v"), following="messages?status=failed", ends_s=LATER_S
)
SESSION = StaffSession(
    id="1",
    person=Person(issuer="https://idp.example", subject="1001", name="Ada Ł", groups=("a, b", "/c")),
    began_s=NOW_S,
    ends_s=LATER_S,
)


def the_api_tokens(audience: str) -> JwtTokens:
    return JwtTokens({"new": NEW}, issuer="hub", audience=audience)


def a_grant() -> Grant:
    now = datetime.now(UTC).replace(microsecond=0)
    return Grant(
        program_id="city-hall",
        program_sid="AC-1",
        scopes=frozenset(Scope),
        issued_at=now,
        expires_at=now + timedelta(minutes=5),
        token_id="1",
    )


def test_each_comes_back_as_it_was() -> None:
    old = JwtStaffTokens({"old": OLD}, issuer="hub")

    assert TOKENS.read_pending(TOKENS.pending(PENDING)) == TOKENS.read_pending(old.pending(PENDING)) == PENDING
    assert TOKENS.read_session(TOKENS.session(SESSION)) == TOKENS.read_session(old.session(SESSION)) == SESSION


def test_one_kind_is_not_the_other() -> None:
    with pytest.raises(TokenRefused):
        TOKENS.read_session(TOKENS.pending(PENDING))
    with pytest.raises(TokenRefused):
        TOKENS.read_pending(TOKENS.session(SESSION))


@pytest.mark.parametrize("audience", ["sms-hub", "smshub:console", "smshub:sign-in"])
def test_neither_is_the_interfaces_nor_the_other_way_round(audience: str) -> None:
    interfaces = the_api_tokens(audience)
    token = interfaces.issue(a_grant())

    for read in (TOKENS.read_session, TOKENS.read_pending):
        with pytest.raises(TokenRefused):
            read(token)
    for written in (TOKENS.session(SESSION), TOKENS.pending(PENDING)):
        with pytest.raises(TokenRefused):
            interfaces.verify(written)


def test_what_is_over_forged_or_of_another_hub_is_refused() -> None:
    good = TOKENS.session(SESSION)
    head, body, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    written = [
        TOKENS.session(replace(SESSION, ends_s=NOW_S)),
        JwtStaffTokens({"new": b"f" * 32}, issuer="hub").session(SESSION),
        JwtStaffTokens({"new": NEW}, issuer="another").session(SESSION),
        jwt.encode(claims, "", algorithm="none", headers={"kid": "new"}),
        jwt.encode({**claims, "groups": "all"}, NEW, headers={"kid": "new"}),
        jwt.encode({**claims, "iat": "now"}, NEW, headers={"kid": "new"}),
        jwt.encode({**claims, "iat": True}, NEW, headers={"kid": "new"}),
        jwt.encode({name: each for name, each in claims.items() if name != "idp"}, NEW, headers={"kid": "new"}),
        f"{head}.{body}.{signature[::-1]}",
        "",
        "..",
    ]
    for each in written:
        with pytest.raises(TokenRefused):
            TOKENS.read_session(each)
    with pytest.raises(TokenRefused):
        TOKENS.read_pending(TOKENS.pending(replace(PENDING, ends_s=NOW_S)))

"""How programs log in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import CredentialsRefused, InvalidValue, TooManyLogins
from domain.model.access import Grant, KeyKind, Scope
from domain.model.pace import SECOND_US
from domain.model.program import Program
from domain.model.program_key import USUAL_KEY, IssuedKey, KeyHash, KeyTerms, ProgramKey
from domain.use_cases.issue_token import IssueToken
from tests.unit.builders import NOON, a_program
from tests.unit.fakes import FakeClock, FakeLoginGuard, FakeTokens, InMemoryProgramKeys, InMemoryPrograms

KEY = ProgramKey("open sesame")
SID = "pharmacy-sid"
PEPPERS = {"2025": b"old pepper", "2026": b"new pepper"}


class Door:
    """A hub with one program that has the given keys."""

    def __init__(self, *stored: KeyHash | IssuedKey, program: Program | None = None, most_logins: int = 1_000) -> None:
        self.tokens = FakeTokens()
        self.guard = FakeLoginGuard(most=most_logins)
        self.keys = InMemoryProgramKeys()
        self.issue = IssueToken(
            keys=self.keys,
            programs=InMemoryPrograms(program or a_program(sid=SID), keys={SID: stored or [KeyHash(KEY.hash())]}),
            tokens=self.tokens,
            guard=self.guard,
            clock=FakeClock(NOON),
            lifetime=timedelta(minutes=15),
            peppers=PEPPERS,
        )

    async def log_in(self, *, sid: str = SID, key: ProgramKey = KEY, address: str = "192.0.2.1") -> tuple[str, Grant]:
        return await self.issue(sid, key, address=address)


async def test_the_right_key_is_answered_by_a_token_for_the_program() -> None:
    door = Door()
    token, grant = await door.log_in()
    assert door.tokens.verify(token) == grant
    assert (grant.program_id, grant.program_sid) == ("PHARMACY", SID)


async def test_a_token_allows_to_send_and_to_read() -> None:
    _, grant = await Door().log_in()
    assert grant.scopes == {Scope.SEND, Scope.READ}
    assert grant.allows(Scope.SEND)
    assert not grant.allows(Scope.FIRST_HUB_MODELS)


async def test_a_program_of_the_first_hub_may_post_its_models_as_well() -> None:
    _, grant = await Door(program=a_program(sid=SID, first_hub=True)).log_in()
    assert grant.allows(Scope.FIRST_HUB_MODELS)


async def test_a_token_is_good_from_this_second_on_for_the_hubs_time() -> None:
    _, grant = await Door().log_in()
    assert grant.issued_at == datetime(2026, 3, 20, 12, 0, 0, tzinfo=UTC)
    assert grant.expires_at == datetime(2026, 3, 20, 12, 15, 0, tzinfo=UTC)


async def test_a_program_may_have_a_time_of_its_own() -> None:
    _, grant = await Door(program=a_program(sid=SID, token_lifetime=timedelta(hours=8))).log_in()
    assert grant.expires_at - grant.issued_at == timedelta(hours=8)


async def test_each_token_has_an_id_of_its_own() -> None:
    door = Door()
    first, second = await door.log_in(), await door.log_in()
    assert first[1].token_id != second[1].token_id


@pytest.mark.parametrize("key", ["open sesame ", "Open sesame", "x", "open\0sesame", "ö" * 500])
async def test_a_wrong_key_is_refused(key: str) -> None:
    door = Door()
    with pytest.raises(CredentialsRefused):
        await door.log_in(key=ProgramKey(key))
    assert not door.tokens.issued


async def test_a_key_that_cannot_be_encoded_is_refused_like_any_other() -> None:
    with pytest.raises((CredentialsRefused, InvalidValue)):
        await Door().log_in(key=ProgramKey("\ud800"))


@pytest.mark.parametrize("sid", ["", "pharmacy", "PHARMACY-SID", " pharmacy-sid", "PHARMACY"])
async def test_an_unknown_program_is_refused_in_the_same_words_as_a_wrong_key(sid: str) -> None:
    with pytest.raises(CredentialsRefused) as unknown:
        await Door().log_in(sid=sid)
    with pytest.raises(CredentialsRefused) as wrong:
        await Door().log_in(key=ProgramKey("x"))
    assert str(unknown.value) == str(wrong.value)


@pytest.mark.parametrize("pepper_id", [None, "2025", "2026"])
async def test_a_key_fits_whatever_pepper_it_was_stored_with(pepper_id: str | None) -> None:
    pepper = None if pepper_id is None else PEPPERS[pepper_id]
    _, grant = await Door(KeyHash(KEY.hash(pepper), pepper_id)).log_in()
    assert grant.program_sid == SID


async def test_any_of_a_programs_keys_fits() -> None:
    stored = [KeyHash(ProgramKey("another").hash()), KeyHash(KEY.hash(PEPPERS["2026"]), "2026")]
    assert await Door(*stored).log_in()
    assert await Door(*reversed(stored)).log_in()


async def test_a_key_whose_pepper_the_hub_has_lost_fits_no_more_and_stands_in_no_other_keys_way() -> None:
    lost = KeyHash(KEY.hash(b"lost pepper"), "2024")
    with pytest.raises(CredentialsRefused):
        await Door(lost).log_in()
    assert await Door(lost, KeyHash(KEY.hash())).log_in()


async def test_a_peppered_hash_is_not_taken_for_one_without_pepper() -> None:
    with pytest.raises(CredentialsRefused):
        await Door(KeyHash(KEY.hash(), "2026")).log_in()


async def test_a_program_without_keys_cannot_log_in() -> None:
    door = Door()
    door.issue = IssueToken(
        keys=door.keys,
        programs=InMemoryPrograms(a_program(sid=SID), keys={SID: []}),
        tokens=door.tokens,
        guard=door.guard,
        clock=FakeClock(NOON),
        lifetime=timedelta(minutes=15),
        peppers=PEPPERS,
    )
    with pytest.raises(CredentialsRefused):
        await door.log_in()


async def test_too_many_logins_are_stopped_even_with_the_right_key() -> None:
    door = Door(most_logins=2)
    await door.log_in()
    await door.log_in()
    with pytest.raises(TooManyLogins):
        await door.log_in()
    assert len(door.tokens.issued) == 2


async def test_guesses_count_before_anything_is_looked_up() -> None:
    door = Door(most_logins=2)
    for _ in range(2):
        with pytest.raises(CredentialsRefused):
            await door.log_in(sid="guessed")
    with pytest.raises(TooManyLogins):
        await door.log_in(sid="guessed")
    assert door.guard.asked == [("guessed", "192.0.2.1")] * 3


async def test_the_guard_is_told_how_each_login_came_out() -> None:
    door = Door()
    await door.log_in()
    with pytest.raises(CredentialsRefused):
        await door.log_in(key=ProgramKey("x"))
    with pytest.raises(CredentialsRefused):
        await door.log_in(sid="guessed")
    assert door.guard.told == [(SID, "192.0.2.1", True), (SID, "192.0.2.1", False), ("guessed", "192.0.2.1", False)]


async def test_another_address_is_not_held_up() -> None:
    door = Door(most_logins=1)
    await door.log_in()
    assert await door.log_in(address="192.0.2.2")


def a_key(
    terms: KeyTerms = USUAL_KEY,
    *,
    key_id: int = 7,
    last_used_us: int | None = None,
    revoked_us: int | None = None,
) -> IssuedKey:
    return IssuedKey(hash=KeyHash(KEY.hash()), id=key_id, terms=terms, last_used_us=last_used_us, revoked_us=revoked_us)


NETWORKS = KeyTerms(networks=("198.51.100.0/24", "2001:db8::/32"))


class TestKeys:
    async def test_a_token_names_its_key_and_has_the_keys_scopes(self) -> None:
        _, grant = await Door(a_key(KeyTerms(scopes=frozenset({Scope.READ}), kind=KeyKind.TEST))).log_in()
        assert (grant.key_id, grant.kind, grant.scopes) == (7, KeyKind.TEST, frozenset({Scope.READ}))

    async def test_a_token_does_not_outlive_its_key(self) -> None:
        _, grant = await Door(a_key(KeyTerms(expires_us=NOON + 60 * SECOND_US))).log_in()
        assert grant.expires_at - grant.issued_at == timedelta(seconds=60)

    @pytest.mark.parametrize("key", [a_key(revoked_us=NOON - 1), a_key(KeyTerms(expires_us=NOON)), a_key(NETWORKS)])
    async def test_a_key_that_is_good_no_more_or_not_from_there_is_refused_like_a_wrong_one(
        self, key: IssuedKey
    ) -> None:
        with pytest.raises(CredentialsRefused):
            await Door(key).log_in(address="192.0.2.1")

    @pytest.mark.parametrize("address", ["198.51.100.7", "::ffff:198.51.100.7", "2001:db8::1"])
    async def test_a_key_is_good_from_its_networks(self, address: str) -> None:
        door = Door(a_key(NETWORKS))
        assert await door.log_in(address=address)

    async def test_the_program_may_have_revoked_one_of_two(self) -> None:
        door = Door(a_key(key_id=1, revoked_us=NOON - 1), a_key(key_id=2))
        _, grant = await door.log_in()
        assert grant.key_id == 2

    async def test_a_suspended_program_is_refused(self) -> None:
        with pytest.raises(CredentialsRefused):
            await Door(program=replace(a_program(sid=SID), suspended=True)).log_in()

    @pytest.mark.parametrize(
        ("last", "noted"), [(None, True), (NOON - 60 * SECOND_US, True), (NOON - SECOND_US, False)]
    )
    async def test_its_use_is_noted_once_a_minute(self, last: int | None, *, noted: bool) -> None:
        door = Door(a_key(last_used_us=last))
        await door.log_in()
        assert door.keys.used_at == ([(7, NOON)] if noted else [])

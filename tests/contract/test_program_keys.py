"""The keys that programs have, and whether what was granted for them is good still."""

import asyncio

import pytest

from domain.errors import KeyNotFound, ProgramNotFound, TooManyKeys
from domain.model.access import KeyKind, Scope
from domain.model.pace import SECOND_US
from domain.model.program_key import IssuedKey, KeyHash, KeyTerms, ProgramKey
from tests.builders import NOW_US, Store, a_number

DAY_US = 86_400 * SECOND_US


async def issue(
    store: Store, program_id: str = "city-hall", *, at_us: int = NOW_US, terms: KeyTerms | None = None
) -> IssuedKey:
    key = ProgramKey.generate()
    return await store.keys.add(program_id, KeyHash(key.hash()), terms or KeyTerms(), hint=key.hint, now_us=at_us)


async def test_a_key_is_kept_as_it_was_issued(store: Store) -> None:
    program = await store.add_program()
    terms = KeyTerms(
        kind=KeyKind.TEAM,
        name="Test phones",
        scopes=frozenset({Scope.SEND}),
        numbers=frozenset({a_number(0), a_number(1)}),
        networks=("198.51.100.0/24", "2001:db8::/32"),
        expires_us=NOW_US + DAY_US,
    )

    issued = await issue(store, "CITY-HALL", terms=terms)

    first, second = await store.keys.of_program(program.id)
    assert (second, second.terms) == (issued, terms)
    assert first.terms == KeyTerms()
    assert (second.created_us, second.last_used_us, second.revoked_us) == (NOW_US, None, None)
    found = await store.programs.find_with_keys(program.sid)
    assert found is not None
    assert list(found[1]) == [first, second]


async def test_two_live_keys_of_a_kind_are_the_most(store: Store) -> None:
    await store.add_program()
    first = await issue(store)
    with pytest.raises(TooManyKeys):
        await issue(store)
    await issue(store, terms=KeyTerms(kind=KeyKind.TEST))

    await store.keys.revoke("city-hall", first.id, now_us=NOW_US)
    ending = await issue(store, terms=KeyTerms(expires_us=NOW_US + DAY_US))
    with pytest.raises(TooManyKeys):
        await issue(store, at_us=NOW_US + DAY_US - 1)

    assert await issue(store, at_us=NOW_US + DAY_US) != ending


async def test_of_many_that_are_issued_at_once_two_live(store: Store) -> None:
    await store.add_program()

    issued = await asyncio.gather(*(issue(store) for _ in range(6)), return_exceptions=True)

    assert sum(isinstance(each, TooManyKeys) for each in issued) == 5
    assert len(await store.keys.of_program("city-hall")) == 2


async def test_a_revoked_key_stays_so_since_it_was_first(store: Store) -> None:
    await store.add_program()
    issued = await issue(store)

    await store.keys.revoke("City-Hall", issued.id, now_us=NOW_US + 1)
    revoked = await store.keys.revoke("city-hall", issued.id, now_us=NOW_US + 2)

    assert revoked.revoked_us == NOW_US + 1
    assert not revoked.is_live(NOW_US + 1)


async def test_no_program_touches_another_s_keys(store: Store) -> None:
    await store.add_program("city-hall")
    await store.add_program("library")
    issued = await issue(store, "library")

    with pytest.raises(KeyNotFound):
        await store.keys.revoke("city-hall", issued.id, now_us=NOW_US)
    for asked in (store.keys.of_program("museum"), issue(store, "museum"), store.keys.revoke("museum", 1, now_us=1)):
        with pytest.raises(ProgramNotFound):
            await asked


async def test_the_last_use_is_noted(store: Store) -> None:
    await store.add_program()
    issued = await issue(store)

    await store.keys.used(issued.id, now_us=NOW_US + 5)

    assert [each.last_used_us for each in await store.keys.of_program("city-hall")] == [None, NOW_US + 5]


class TestStandings:
    async def test_a_key_stands_as_it_is(self, store: Store) -> None:
        await store.add_program()
        issued = await issue(store)

        standing = await store.standings.of_key(issued.id)

        assert standing is not None
        assert (standing.key, standing.suspended) == (issued, False)
        assert await store.standings.of_key(issued.id + 1) is None

    async def test_a_token_without_a_key_ends_when_any_key_of_its_program_is_revoked(self, store: Store) -> None:
        await store.add_program("city-hall")
        await store.add_program("library")
        issued = await issue(store)
        await store.keys.revoke("city-hall", issued.id, now_us=NOW_US + 10)

        async def is_good(program_id: str, issued_us: int) -> bool:
            return await store.standings.of_keyless(program_id, issued_us=issued_us)

        assert not await is_good("city-hall", NOW_US + 10)
        assert await is_good("CITY-HALL", NOW_US + 11)
        assert await is_good("library", NOW_US)
        assert not await is_good("museum", NOW_US)

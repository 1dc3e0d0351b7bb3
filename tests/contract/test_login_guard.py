import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
from sqlalchemy import func, select

import adapters.sql.login_guard
from adapters.login_guard import InProcessLoginGuard
from adapters.sql.database import Database
from adapters.sql.login_guard import SqlLoginGuard
from adapters.sql.tables import login_attempts
from domain.errors import TooManyLogins
from domain.model.pace import SECOND_US
from domain.ports.login_guard import LoginGuard
from tests.conftest import BOTH_DATABASES, close
from tests.unit.fakes import FakeClock

HERE = "192.0.2.1"
ELSEWHERE = "192.0.2.2"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["in process", *BOTH_DATABASES])
async def guard(request: pytest.FixtureRequest, clock: FakeClock) -> AsyncIterator[LoginGuard]:
    if request.param == "in process":
        yield InProcessLoginGuard(per_minute=3)
        return
    database = Database(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))
    yield SqlLoginGuard(database, clock, per_minute=3)
    await close(database)


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> Callable[[float], None]:
    """Moves the time on."""
    moved_s = 0.0
    true_time = time.time

    def move(by_s: float) -> None:
        nonlocal moved_s
        moved_s += by_s
        monkeypatch.setattr(time, "time", lambda: true_time() + moved_s)
        clock.jump(int(by_s * SECOND_US))

    return move


async def admitted(guard: LoginGuard, sid: str, address: str, *, times: int) -> int:
    count = 0
    for _ in range(times):
        with suppress(TooManyLogins):
            await guard.admit(sid, address)
            count += 1
    return count


async def test_so_many_logins_are_admitted_in_a_minute(guard: LoginGuard) -> None:
    assert await admitted(guard, "AC-1", HERE, times=10) == 3


async def test_those_who_are_refused_are_told_when_to_try_again(
    guard: LoginGuard, wait: Callable[[float], None]
) -> None:
    await admitted(guard, "AC-1", HERE, times=3)
    wait(20)

    with pytest.raises(TooManyLogins) as refused:
        await guard.admit("AC-1", HERE)
    assert 30 <= refused.value.retry_after_s <= 41

    wait(refused.value.retry_after_s)
    await guard.admit("AC-1", HERE)


async def test_the_minute_moves_along_where_one_process_counts(wait: Callable[[float], None]) -> None:
    guard = InProcessLoginGuard(per_minute=3)
    assert await admitted(guard, "AC-1", HERE, times=1) == 1
    wait(50)
    assert await admitted(guard, "AC-1", HERE, times=5) == 2
    wait(11)
    assert await admitted(guard, "AC-1", HERE, times=5) == 1
    wait(50)
    assert await admitted(guard, "AC-1", HERE, times=5) == 2


async def test_those_who_keep_trying_are_admitted_again_all_the_same(
    guard: LoginGuard, wait: Callable[[float], None]
) -> None:
    await admitted(guard, "AC-1", HERE, times=3)
    for _ in range(6):
        wait(9)
        assert await admitted(guard, "AC-1", HERE, times=5) == 0
    wait(9)

    assert await admitted(guard, "AC-1", HERE, times=1) == 1


async def test_another_address_is_not_held_up(guard: LoginGuard) -> None:
    await admitted(guard, "AC-1", HERE, times=10)

    assert await admitted(guard, "AC-1", ELSEWHERE, times=10) == 3


async def test_another_program_is_not_held_up(guard: LoginGuard) -> None:
    await admitted(guard, "AC-1", HERE, times=10)

    assert await admitted(guard, "AC-2", HERE, times=10) == 3


async def test_program_and_address_do_not_run_together(guard: LoginGuard) -> None:
    await admitted(guard, "AC-1/x", "y", times=10)

    assert await admitted(guard, "AC-1", "x/y", times=1) == 1


@pytest.mark.parametrize("sid", ["", "\0", "\ud800", "/", "a/b:c", "\N{GRINNING FACE}", "x" * 100_000])
async def test_whatever_is_written_as_a_sid_is_counted(guard: LoginGuard, sid: str) -> None:
    assert await admitted(guard, sid, HERE, times=10) == 3


async def test_logins_at_once_are_counted_one_by_one(guard: LoginGuard) -> None:
    results = await asyncio.gather(*(guard.admit("AC-1", HERE) for _ in range(10)), return_exceptions=True)

    assert sum(result is None for result in results) == 3


class TestReplicas:
    """Guards of several processes, on one database."""

    @pytest.fixture
    def replicas(self, database: Database, clock: FakeClock) -> list[SqlLoginGuard]:
        return [SqlLoginGuard(database, clock, per_minute=6) for _ in range(3)]

    async def test_it_does_not_matter_which_is_asked(self, replicas: list[SqlLoginGuard]) -> None:
        first, second, third = replicas

        assert await admitted(first, "AC-1", HERE, times=4) == 4
        assert await admitted(second, "AC-1", HERE, times=4) == 2
        assert await admitted(third, "AC-1", HERE, times=4) == 0
        assert await admitted(first, "AC-1", HERE, times=4) == 0

    async def test_one_after_the_other_and_all_at_once_are_counted_the_same(
        self, replicas: list[SqlLoginGuard]
    ) -> None:
        asked = [guard.admit("AC-1", HERE) for _ in range(10) for guard in replicas]
        results = await asyncio.gather(*asked, return_exceptions=True)

        assert {type(each) for each in results} == {type(None), TooManyLogins}
        # Of its first attempt in a minute a replica tells with its second.
        assert 6 <= sum(each is None for each in results) <= 6 + len(replicas) - 1

    async def test_all_have_the_same_minute(self, replicas: list[SqlLoginGuard], clock: FakeClock) -> None:
        first, second, _ = replicas
        await admitted(first, "AC-1", HERE, times=2)
        clock.jump(50 * SECOND_US)
        await admitted(second, "AC-1", HERE, times=10)
        with pytest.raises(TooManyLogins) as refused:
            await second.admit("AC-1", HERE)
        assert refused.value.retry_after_s == 10

        clock.jump(10 * SECOND_US)
        assert await admitted(second, "AC-1", HERE, times=10) == 6
        assert await admitted(first, "AC-1", HERE, times=10) == 0

    async def test_so_many_in_any_minute_always_pass(self, replicas: list[SqlLoginGuard], clock: FakeClock) -> None:
        for turn in range(60):
            assert await admitted(replicas[turn % 3], "AC-1", HERE, times=1) == 1
            clock.jump(10 * SECOND_US)

    async def test_a_made_up_sid_and_who_logs_in_now_and_then_are_not_stored(
        self, replicas: list[SqlLoginGuard], database: Database
    ) -> None:
        for number in range(20):
            await replicas[0].admit(f"invented-{number}", HERE)

        assert await stored(database) == 0

    async def test_what_is_over_is_deleted(
        self, replicas: list[SqlLoginGuard], database: Database, clock: FakeClock
    ) -> None:
        for number in range(20):
            await admitted(replicas[0], f"invented-{number}", HERE, times=2)
        assert await stored(database) == 20

        clock.jump(61 * SECOND_US)
        await admitted(replicas[1], "AC-1", HERE, times=2)
        assert await stored(database) == 1

    async def test_much_that_is_over_is_deleted_a_part_at_a_time(
        self, replicas: list[SqlLoginGuard], database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(20):
            await admitted(replicas[0], f"invented-{number}", HERE, times=2)
        monkeypatch.setattr(adapters.sql.login_guard, "_FORGOTTEN_AT_ONCE", 8)
        clock.jump(61 * SECOND_US)

        left = []
        # The first attempt of the minute deletes nothing, as it writes nothing.
        for _ in range(4):
            await replicas[0].admit("AC-1", HERE)
            left.append(await stored(database))

        assert left == [20, 13, 5, 1]

    async def test_who_is_refused_again_and_again_costs_the_database_nothing(
        self, replicas: list[SqlLoginGuard], database: Database
    ) -> None:
        await admitted(replicas[0], "AC-1", HERE, times=7)
        before = await attempts(database)

        await admitted(replicas[0], "AC-1", HERE, times=100)

        assert await attempts(database) == before


class TestGuesses:
    """Ten times as many bad logins as one program may try are let through from an address."""

    @pytest.fixture
    def replicas(self, database: Database, clock: FakeClock) -> list[SqlLoginGuard]:
        return [SqlLoginGuard(database, clock, per_minute=2) for _ in range(2)]

    async def guessed(self, guard: SqlLoginGuard, address: str, *, times: int, of: str = "AC") -> int:
        """How many guesses, each at another program, were let through."""
        count = 0
        for number in range(times):
            with suppress(TooManyLogins):
                await guard.admit(f"{of}-{number}", address)
                count += 1
                await guard.ended(f"{of}-{number}", address, good=False)
        return count

    async def test_who_guesses_at_many_programs_is_held_up(
        self, replicas: list[SqlLoginGuard], clock: FakeClock
    ) -> None:
        # The one too many was let in and found to be wrong.
        assert await self.guessed(replicas[0], HERE, times=50) == 21
        with pytest.raises(TooManyLogins) as refused:
            await replicas[0].admit("AC-77", HERE)
        assert refused.value.retry_after_s == 60

        clock.jump(60 * SECOND_US)
        assert await self.guessed(replicas[0], HERE, times=50) == 21

    async def test_another_replica_learns_of_it_by_one_more(self, replicas: list[SqlLoginGuard]) -> None:
        await self.guessed(replicas[0], HERE, times=50)

        assert await self.guessed(replicas[1], HERE, times=50, of="AX") == 1

    async def test_another_address_is_not_held_up(self, replicas: list[SqlLoginGuard]) -> None:
        await self.guessed(replicas[0], HERE, times=50)

        await replicas[0].admit("AC-77", ELSEWHERE)

    @pytest.mark.parametrize(
        ("address", "neighbour"),
        [("2001:db8:1:2::1", "2001:db8:1:2:ffff::7"), ("::ffff:192.0.2.1", "192.0.2.1"), ("", "")],
    )
    async def test_whoever_has_many_addresses_is_one(
        self, replicas: list[SqlLoginGuard], address: str, neighbour: str
    ) -> None:
        await self.guessed(replicas[0], address, times=50)

        with pytest.raises(TooManyLogins):
            await replicas[0].admit("AC-77", neighbour)
        await replicas[0].admit("AC-77", "2001:db8:1:3::1")

    async def test_a_program_that_has_logged_in_from_there_goes_on_to(self, replicas: list[SqlLoginGuard]) -> None:
        await replicas[0].admit("AC-77", HERE)
        await replicas[0].ended("AC-77", HERE, good=True)
        await self.guessed(replicas[0], HERE, times=50)

        assert await admitted(replicas[0], "AC-77", HERE, times=1) == 1
        assert await admitted(replicas[0], "AC-78", HERE, times=1) == 0

    async def test_good_logins_are_not_counted(self, replicas: list[SqlLoginGuard], database: Database) -> None:
        for number in range(50):
            await replicas[0].admit(f"AC-{number}", HERE)
            await replicas[0].ended(f"AC-{number}", HERE, good=True)

        assert await stored(database) == 0


async def stored(database: Database) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(select(func.count()).select_from(login_attempts))).scalar_one())


async def attempts(database: Database) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(select(func.sum(login_attempts.c.attempts)))).scalar_one())

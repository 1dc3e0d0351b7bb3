import asyncio
import time
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from adapters.sql.clock import DatabaseClock
from adapters.sql.database import Database
from domain.errors import StoreUnavailable
from tests.patience import PATIENCE_S

MINUTE = 60_000_000
HOUR = 60 * MINUTE


@pytest.fixture
async def clock(database: Database) -> DatabaseClock:
    clock = DatabaseClock(database)
    await clock.synchronise()
    return clock


def test_it_tells_the_time_before_it_is_synchronised(database: Database) -> None:
    assert abs(DatabaseClock(database).now_us() - time.time_ns() // 1_000) < MINUTE


async def test_it_tells_the_time(clock: DatabaseClock) -> None:
    assert abs(clock.now_us() - time.time_ns() // 1_000) < MINUTE


async def test_it_does_not_run_backwards(clock: DatabaseClock) -> None:
    readings = [(clock.now_us(), clock.monotonic_us()) for _ in range(1_000)]

    assert readings == sorted(readings)


async def test_its_two_times_run_alike(clock: DatabaseClock) -> None:
    least, most = [], []
    for _ in range(10):
        before_us, now_us, after_us = clock.monotonic_us(), clock.now_us(), clock.monotonic_us()
        least.append(now_us - after_us)
        most.append(now_us - before_us)
        await asyncio.sleep(0.001)

    assert max(least) <= min(most)


async def test_on_postgresql_it_is_the_databases_time_whatever_the_hosts_clock_says(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(postgres_url)
    true_time_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: true_time_ns() - HOUR * 1_000)
    clock = DatabaseClock(database)
    wrong_by_us = true_time_ns() // 1_000 - clock.now_us()

    await clock.synchronise()
    async with database.reading() as connection:
        now = sql("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")
        before_us = (await connection.execute(now)).scalar_one()
        read_us = clock.now_us()
        after_us = (await connection.execute(now)).scalar_one()
    await database.close()

    assert wrong_by_us == pytest.approx(HOUR, abs=MINUTE)
    # It is wrong by half the way of the fastest answer at the most.
    assert before_us - MINUTE <= read_us <= after_us + MINUTE


async def test_on_sqlite_it_follows_the_hosts_clock(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(sqlite_url)
    clock = DatabaseClock(database)
    before_us = clock.now_us()
    true_time_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: true_time_ns() + HOUR * 1_000)

    assert clock.now_us() - before_us < MINUTE
    await clock.synchronise()

    assert clock.now_us() - before_us == pytest.approx(HOUR, abs=MINUTE)
    await database.close()


async def test_two_processes_agree(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(2)]
    one, other = (DatabaseClock(database) for database in databases)
    one._offset_us += HOUR

    for clock in (one, other):
        await clock.synchronise()

    assert one.now_us() == pytest.approx(other.now_us(), abs=MINUTE)
    for database in databases:
        await database.close()


async def test_a_clock_whose_database_is_away_goes_on(tmp_path: Path) -> None:
    database = Database(f"postgresql://postgres@/hub?host={tmp_path}")
    clock = DatabaseClock(database)

    with pytest.raises(StoreUnavailable):
        await clock.synchronise()

    assert abs(clock.now_us() - time.time_ns() // 1_000) < MINUTE
    await database.close()


class TestSleeping:
    @pytest.mark.parametrize("ago_us", [0, 1, HOUR])
    async def test_a_moment_that_has_passed_is_not_waited_for(self, clock: DatabaseClock, ago_us: int) -> None:
        sleeping = asyncio.ensure_future(clock.sleep_until(clock.now_us() - ago_us))
        await asyncio.sleep(0)

        assert sleeping.done()

    @pytest.mark.parametrize("ahead_us", [1, 100, 999, 1_001, 20_000])
    async def test_nobody_wakes_before_the_time(self, clock: DatabaseClock, ahead_us: int) -> None:
        for _ in range(5):
            at_us = clock.now_us() + ahead_us
            await clock.sleep_until(at_us)
            assert clock.now_us() >= at_us

    async def test_a_clock_that_is_put_forward_wakes_those_whose_time_has_come(self, clock: DatabaseClock) -> None:
        sleeping = asyncio.ensure_future(clock.sleep_until(clock.now_us() + HOUR))
        await asyncio.sleep(0)

        clock._offset_us += HOUR

        await asyncio.wait_for(sleeping, timeout=PATIENCE_S)

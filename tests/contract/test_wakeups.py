import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from adapters.sql.database import Database
from adapters.sql.wakeups_postgresql import PostgresqlWakeups
from adapters.wakeups import InProcessWakeups
from domain.ports.wakeups import Wakeups
from tests.conftest import PostgresServer, close

LONG_S = 60
SHORT_S = 0.001
SOON_S = 60


@pytest.fixture(params=["in process", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    """Of the database that carries the wake-ups, if one does."""
    return str(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else None


@pytest.fixture
async def wakeups(url: str | None) -> AsyncIterator[Wakeups]:
    if url is None:
        yield InProcessWakeups()
        return
    database = Database(url)
    yield PostgresqlWakeups(database, InProcessWakeups())
    await asyncio.sleep(0.1)  # What it tells the others is told.
    await close(database)


async def test_one_who_waits_is_woken(wakeups: Wakeups) -> None:
    waiting = asyncio.ensure_future(wakeups.wait(at_most_s=LONG_S))
    await asyncio.sleep(0)

    wakeups.notify()

    assert await waiting


async def test_a_wake_up_that_came_before_is_not_missed(wakeups: Wakeups) -> None:
    wakeups.notify()

    assert await wakeups.wait(at_most_s=LONG_S)


async def test_one_whom_nobody_wakes_goes_on_after_a_while(wakeups: Wakeups) -> None:
    assert not await wakeups.wait(at_most_s=SHORT_S)


async def test_many_wake_ups_are_one(wakeups: Wakeups) -> None:
    for _ in range(3):
        wakeups.notify()

    assert await wakeups.wait(at_most_s=LONG_S)
    assert not await wakeups.wait(at_most_s=SHORT_S)


async def test_one_who_waited_in_vain_can_be_woken_later(wakeups: Wakeups) -> None:
    assert not await wakeups.wait(at_most_s=SHORT_S)

    wakeups.notify()

    assert await wakeups.wait(at_most_s=LONG_S)


async def test_one_who_hears_only_itself_says_so(wakeups: Wakeups) -> None:
    assert not wakeups.heard_from_all


class Process:
    """One of several on a database."""

    def __init__(self, url: str) -> None:
        self.database = Database(url, pool_size=2)
        self.wakeups = PostgresqlWakeups(self.database, InProcessWakeups())

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Wakeups]:
        listening = asyncio.create_task(self.wakeups.listen())
        try:
            await self.until_heard(hears=True)
            # It looks once, for what came before.
            await self.wakeups.wait(at_most_s=SOON_S)
            yield self.wakeups
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    async def until_heard(self, *, hears: bool) -> None:
        async with asyncio.timeout(3 * SOON_S):
            while self.wakeups.heard_from_all is not hears:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.01)


@pytest.fixture
async def processes(postgres_url: str) -> AsyncIterator[tuple[Process, Process]]:
    pair = Process(postgres_url), Process(postgres_url)
    yield pair
    await asyncio.sleep(0.1)
    for process in pair:
        await close(process.database)


async def test_one_process_wakes_another(processes: tuple[Process, Process]) -> None:
    here, there = processes
    async with there.listening() as heard:
        here.wakeups.notify()
        assert await heard.wait(at_most_s=SOON_S)


async def test_the_last_of_many_wake_ups_is_heard(processes: tuple[Process, Process]) -> None:
    here, there = processes
    async with there.listening() as heard:
        for _ in range(100):
            here.wakeups.notify()
            await asyncio.sleep(0)
        assert await heard.wait(at_most_s=SOON_S)
        await asyncio.sleep(0.02)
        await heard.wait(at_most_s=SHORT_S)
        here.wakeups.notify()
        assert await heard.wait(at_most_s=SOON_S)


async def test_one_that_listens_no_more_hears_only_itself(processes: tuple[Process, Process]) -> None:
    here, there = processes
    async with there.listening():
        assert there.wakeups.heard_from_all
    await there.until_heard(hears=False)
    here.wakeups.notify()
    assert not await there.wakeups.wait(at_most_s=0.2)


async def test_one_that_begins_to_listen_looks_for_what_came_before(processes: tuple[Process, Process]) -> None:
    here, _ = processes
    listening = asyncio.create_task(here.wakeups.listen())
    assert await here.wakeups.wait(at_most_s=SOON_S)
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening


async def test_one_whose_connection_was_cut_listens_again_and_misses_nothing(
    processes: tuple[Process, Process], postgres_server: PostgresServer
) -> None:
    here, there = processes
    async with there.listening() as heard:
        postgres_server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'listen %' OR query = 'SELECT 1'"
        )
        await there.until_heard(hears=False)
        here.wakeups.notify()
        await there.until_heard(hears=True)
        assert await heard.wait(at_most_s=SOON_S)
        here.wakeups.notify()
        assert await heard.wait(at_most_s=SOON_S)

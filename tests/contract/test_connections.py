"""How many connections there are, and how long they are waited for."""

import asyncio

import pytest

from adapters.sql import database as module
from adapters.sql.database import Database
from domain.errors import StoreUnavailable
from tests.conftest import close


async def test_those_in_use_and_those_that_are_not_are_told(database: Database) -> None:
    assert database.connections == (0, 0)
    async with database.reading(), database.reading():
        assert database.connections == (2, 0)
    assert database.connections == (0, 2)


async def test_each_connection_is_told_with_how_long_it_was_waited_for(database_url: str) -> None:
    waits: list[float] = []
    database = Database(database_url, pool_size=1, waited=waits.append)

    async def read() -> None:
        async with database.reading():
            await asyncio.sleep(0.05)

    async with database.writing():
        assert len(waits) == 1
        reading = asyncio.create_task(read())
        await asyncio.sleep(0.1)
        assert len(waits) == 1
    await reading

    assert len(waits) == 2
    assert waits[1] >= 0.09
    await close(database)


async def test_one_that_was_waited_for_in_vain_is_told_too(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POOL_TIMEOUT_S", 0.1)
    waits: list[float] = []
    database = Database(database_url, pool_size=1, waited=waits.append)

    async with database.reading():
        with pytest.raises(StoreUnavailable):
            async with database.reading():
                raise AssertionError

    assert len(waits) == 2
    assert waits[1] >= 0.09
    await close(database)

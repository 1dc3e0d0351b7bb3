"""The hub's own code on a database, in this process."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text

from entrypoints.container import Container, close
from entrypoints.settings import Settings
from tests.benchmarks import signing


@asynccontextmanager
async def a_store(database_url: str) -> AsyncIterator[Container]:
    settings = Settings.from_environment(
        database_url=database_url, signing_keys=signing.KEYS, encryption_keys=signing.KEYS
    )
    container = Container(settings=settings)
    try:
        yield container
    finally:
        await close(container)


async def waited_for(database_url: str, count: str, *, at_most_s: float, every_s: float = 0.1) -> int:
    """Waits until a query counts nothing any more; says what it counted last."""
    deadline = time.monotonic() + at_most_s
    async with a_store(database_url) as container:
        while True:
            async with container.database().reading() as connection:
                counted: int = (await connection.execute(text(count))).scalar_one()
            if not counted or time.monotonic() > deadline:
                return counted
            await asyncio.sleep(every_s)

"""The hub's own code on a database, in this process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy import text

from entrypoints.container import Container
from entrypoints.settings import Settings
from tests.benchmarks import signing


@asynccontextmanager
async def a_store(database_url: str) -> AsyncIterator[Container]:
    """The database is brought to the right schema first."""
    settings = Settings.from_environment(
        database_url=database_url, signing_keys=signing.KEYS, encryption_keys=signing.KEYS
    )
    container = Container(settings=settings)
    try:
        await container.schema().migrate()
        await container.clock().synchronise()
        yield container
    finally:
        await container.database().close()


async def one_value(database_url: str, query: str, parameters: Mapping[str, object] | None = None) -> int:
    async with a_store(database_url) as container, container.database().reading() as connection:
        value: int = (await connection.execute(text(query), parameters or {})).scalar_one()
        return value

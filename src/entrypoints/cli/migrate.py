import asyncio

import click

from entrypoints.cli.running import explains_faults
from entrypoints.container import Container, close
from entrypoints.settings import Settings


@click.command()
@explains_faults
def migrate() -> None:
    """Bring the database to the schema of this version.

    It may be called any number of times, and by several at once.
    """

    async def run() -> None:
        container = Container(settings=Settings.from_environment())
        try:
            await container.schema().migrate()
        finally:
            await close(container)

    asyncio.run(run())
    click.echo("The database is at the schema of this version.")

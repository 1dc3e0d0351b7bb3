import sys

import click

from entrypoints.cli.options import program_option
from entrypoints.cli.running import explains_faults, with_hub
from entrypoints.cli.send import MOMENT
from entrypoints.container import Container
from entrypoints.http import spreadsheets


@click.group()
def messages() -> None:
    """What programs sent."""


@messages.command()
@program_option
@click.option("--from", "from_us", type=MOMENT, help="Messages of this time or later, such as 2026-11-01T00:00:00Z.")
@click.option("--before", "before_us", type=MOMENT, help="Messages of before this time.")
@explains_faults
def export(program_id: str, from_us: int | None, before_us: int | None) -> None:
    """Print a program's log as CSV, newest first: a line for each number, with what became of the text and why."""

    async def run(hub: Container) -> None:
        texts = hub.export_texts()(program_id, from_us=from_us, before_us=before_us)
        async for piece in spreadsheets.written(spreadsheets.TEXTS, texts):
            sys.stdout.write(piece)

    with_hub(run)

from datetime import datetime

import click

from domain.errors import ProgramNotFound
from domain.model.usage import Usage
from entrypoints.cli.options import output_option, program_option
from entrypoints.cli.running import explains_faults, print_json, with_hub
from entrypoints.container import Container
from entrypoints.http import representations

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@program_option
@click.option("--from", "first", type=_DAY, required=True, help="The first day, such as 2026-11-01.")
@click.option("--to", "last", type=_DAY, required=True, help="The last day, such as 2026-11-30.")
@output_option
@explains_faults
def usage(program_id: str, first: datetime, last: datetime, output: str) -> None:
    """Print what a program has sent, by day (in its --budget-zone), sender and status, and what it may cost."""

    async def read(hub: Container) -> Usage:
        program = await hub.programs().find(program_id)
        if program is None:
            raise ProgramNotFound
        return await hub.read_usage().of(program, first=first.date(), last=last.date())

    shown = representations.usage(with_hub(read))
    if output == "json":
        print_json(shown)
        return
    for each in shown["Items"]:
        click.echo(
            f"{each['Day']}  {each['Sender']}  {each['Status']}: {each['Messages']} messages, "
            f"{each['Deliveries']} deliveries, {each['Segments']} segments{_cost(each['EstimatedCost'])}"
        )
    total = _cost(shown["EstimatedCost"]) or ", for which there are no prices: smshub prices set --help"
    click.echo(f"{sum(each['Segments'] for each in shown['Items'])} segments in all{total}")


def _cost(cost: dict[str, str] | None) -> str:
    return "" if cost is None else f", about {cost['Amount']} {cost['Currency']}"

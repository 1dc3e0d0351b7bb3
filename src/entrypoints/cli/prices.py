import click

from domain.model.price import Price
from entrypoints.cli.options import output_option, read_option
from entrypoints.cli.running import explains_faults, print_json, with_hub
from entrypoints.http import sender_representations as shown

_COUNTRY = click.option("--country", required=True, help="ISO 3166-1 alpha-2, such as US.")


@click.group()
def prices() -> None:
    """What a segment costs, by country: what programs' usage is reckoned up with."""


@prices.command("set")
@_COUNTRY
@click.option("--price", required=True, help="Of a segment, such as 0.0079.")
@click.option("--currency", required=True, help="ISO 4217, such as USD; the same for all countries.")
@explains_faults
def put(country: str, price: str, currency: str) -> None:
    """Say what a segment to a country costs. It holds for what was sent before, too."""
    read = read_option("--price", f"{price} {currency}", Price.parse)
    with_hub(lambda hub: hub.operate_prices().put(country, read))
    click.echo(f"{country}  {read.amount} {read.currency}")


@prices.command("list")
@output_option
@explains_faults
def list_prices(output: str) -> None:
    """List the prices by country. Elsewhere, what SMSHUB_SEGMENT_PRICE says holds."""
    found = with_hub(lambda hub: hub.operate_prices().all())
    if output == "json":
        print_json([shown.price(country, price) for country, price in found.items()])
        return
    for country, price in found.items():
        click.echo(f"{country}  {price.amount} {price.currency}")
    if not found:
        click.echo("There are no prices yet: smshub prices set --help", err=True)


@prices.command()
@_COUNTRY
@explains_faults
def remove(country: str) -> None:
    """Remove a country's price."""
    with_hub(lambda hub: hub.operate_prices().remove(country))
    click.echo("The price is gone.")

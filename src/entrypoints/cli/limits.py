import click

from domain.model.limit import Counted, DailyCap, Limit
from domain.model.pace import Pace
from domain.use_cases.operate_accounts import AccountName
from domain.use_cases.operate_senders import SenderName
from entrypoints.cli.options import account_option, output_option, provider_option, read_option
from entrypoints.cli.running import explains_faults, print_json, with_hub
from entrypoints.http import sender_representations as shown

_NAME = click.argument("name")


@click.group()
def limits() -> None:
    """What senders share: the limits of a provider account, a campaign, a pool of numbers."""


@limits.command("set")
@_NAME
@click.option("--rate", help="So many per second (30), or per longer time (40/min), of all its senders together.")
@click.option("--daily", type=click.IntRange(1), help="So many in a day of the zone.")
@click.option("--zone", help="Where days begin, such as America/Chicago; goes with --daily.")
@click.option(
    "--counts",
    type=click.Choice([each.value for each in Counted]),
    default=Counted.SEGMENTS.value,
    show_default=True,
    help="What is counted: segments, or texts however long.",
)
@click.option("--under", "parent", help="The limit that it stands under: who needs this one needs that, too.")
@explains_faults
def put(name: str, rate: str | None, daily: int | None, zone: str | None, counts: str, parent: str | None) -> None:
    """Make a limit, or change the one of this name as a whole. It holds from now on."""
    if (daily is None) != (zone is None):
        raise click.UsageError("--daily and --zone go together.")
    pace = read_option("--rate", rate, Pace.parse)
    cap = None if daily is None or zone is None else read_option("--zone", zone, lambda text: DailyCap(daily, text))
    limit = read_option(
        "NAME", name, lambda text: Limit(name=text, counts=Counted(counts), pace=pace, daily=cap, parent=parent)
    )
    with_hub(lambda hub: hub.operate_limits().put(limit))
    click.echo(_described(limit))


@limits.command("list")
@output_option
@explains_faults
def list_limits(output: str) -> None:
    """List the limits, and who stands under them."""
    found = with_hub(lambda hub: hub.operate_limits().all())
    if output == "json":
        print_json([shown.limit(each) for each in found])
        return
    for each in found:
        members = ", ".join([*each.accounts, *each.senders]) or "nobody"
        used = "" if each.used_today is None else f" ({each.used_today} used today)"
        click.echo(f"{_described(each.limit)}{used}: {members}")
    if not found:
        click.echo("There are no limits yet: smshub limits set --help", err=True)


@limits.command()
@_NAME
@explains_faults
def remove(name: str) -> None:
    """Remove a limit that nothing stands under any more."""
    with_hub(lambda hub: hub.operate_limits().remove(name))
    click.echo("The limit is gone.")


@limits.command()
@_NAME
@click.option("--sender", help="The address of the sender that is to need slots of this limit.")
@provider_option
@account_option
@explains_faults
def attach(name: str, sender: str | None, provider: str | None, account: str | None) -> None:
    """Put a sender under a limit, or with --provider and --account alone all senders of the account.

    A sender stands under one limit, and with its account under one more; what these stand under comes on top.
    """
    _attach(name, sender, provider, account)
    click.echo("From now on it stands under the limit.")


@limits.command()
@click.option("--sender", help="The address of the sender.")
@provider_option
@account_option
@explains_faults
def detach(sender: str | None, provider: str | None, account: str | None) -> None:
    """Free a sender, or with --provider and --account alone an account, of its limit."""
    _attach(None, sender, provider, account)
    click.echo("It stands under no limit of its own any more.")


def _attach(name: str | None, sender: str | None, provider: str | None, account: str | None) -> None:
    if sender is not None:
        which = SenderName(address=sender, provider=provider, account=account)
        with_hub(lambda hub: hub.operate_limits().attach_sender(which, name))
    elif provider is not None and account is not None:
        owner = AccountName(provider=provider, name=account)
        with_hub(lambda hub: hub.operate_limits().attach_account(owner, name))
    else:
        raise click.UsageError("Say which: --sender, or --provider and --account.")


def _described(limit: Limit) -> str:
    parts = [f"{limit.pace} {limit.counts.value}"] if limit.pace else []
    parts += [f"{limit.daily.amount} {limit.counts.value} a day in {limit.daily.zone}"] if limit.daily else []
    under = f", under {limit.parent}" if limit.parent else ""
    return f"{limit.name}  {', '.join(parts)}{under}"

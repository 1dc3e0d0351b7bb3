import click

from domain.model.pace import SECOND_US, Pace
from domain.model.sender import OptOutReplies, Sender
from domain.use_cases.operate_senders import SenderName
from entrypoints.cli.options import account_option, output_option, provider_option, read_option
from entrypoints.cli.running import explains_faults, print_json, with_hub
from entrypoints.durations import read_duration

_ADDRESS = click.argument("address")


@click.group()
def senders() -> None:
    """What texts come from: numbers, names, messaging services."""


@senders.command("list")
@output_option
@explains_faults
def list_senders(output: str) -> None:
    """List the senders with their pace, and what keeps them from sending."""
    found = with_hub(lambda hub: hub.list_senders()())
    if output == "json":
        print_json([_shown(each) for each in found])
        return
    for each in found:
        click.echo(_line(each))
    if not found:
        click.echo("There are no senders yet: smshub programs create --help", err=True)


@senders.command("set")
@_ADDRESS
@provider_option
@account_option
@click.option("--rate", help="Segments per second (1, 0.5) or per longer time (40/min), from now on.")
@click.option(
    "--backlog",
    help="How much of its texts' time the provider may have in its own queue, such as PT9H; PT0S where texts are to "
    "leave at the pace. For messaging services, whose numbers' pace the provider sees to.",
)
@click.option(
    "--opt-out-replies",
    type=click.Choice([each.value for each in OptOutReplies]),
    help="Who answers STOP, START and HELP: the provider (usual with twilio), or the hub in the program's words.",
)
@output_option
@explains_faults
def set_sender(
    address: str,
    provider: str | None,
    account: str | None,
    rate: str | None,
    backlog: str | None,
    opt_out_replies: str | None,
    output: str,
) -> None:
    """Change how fast a sender sends, while it sends, and who answers keywords. What is not given stays as it is."""
    name = SenderName(address=address, provider=provider, account=account)
    pace = read_option("--rate", rate, Pace.parse)
    ahead = read_option("--backlog", backlog, read_duration)
    replies = None if opt_out_replies is None else OptOutReplies(opt_out_replies)
    sender = with_hub(lambda hub: hub.change_sender()(name, pace=pace, backlog=ahead, opt_out_replies=replies))
    if output == "json":
        print_json(_shown(sender))
    else:
        click.echo(_line(sender))


@senders.command()
@_ADDRESS
@provider_option
@account_option
@explains_faults
def pause(address: str, provider: str | None, account: str | None) -> None:
    """Send nothing from a sender. Its queue is kept; what is on its way this second goes out."""
    click.echo(_line(_paused(address, provider, account, paused=True)))


@senders.command()
@_ADDRESS
@provider_option
@account_option
@explains_faults
def resume(address: str, provider: str | None, account: str | None) -> None:
    """Go on sending from a sender."""
    click.echo(_line(_paused(address, provider, account, paused=False)))


def _paused(address: str, provider: str | None, account: str | None, *, paused: bool) -> Sender:
    name = SenderName(address=address, provider=provider, account=account)
    return with_hub(lambda hub: hub.pause().sender(name, paused=paused))


def _line(sender: Sender) -> str:
    state = "paused" if sender.paused else f"barred: {sender.bar_reason}" if sender.bar_reason else "sends"
    limit = f", under {sender.limit}" if sender.limit else ""
    return f"{sender.address.value}  {sender.pace}  {sender.provider} {sender.account}  {state}{limit}"


def _shown(sender: Sender) -> dict[str, object]:
    return {
        "SenderId": sender.id,
        "Sender": sender.address.value,
        "Provider": sender.provider,
        "Account": sender.account,
        "Rate": str(sender.pace),
        "BacklogSeconds": sender.backlog_us // SECOND_US,
        "Limit": sender.limit,
        "OptOutReplies": sender.opt_out_replies.value,
        "Paused": sender.paused,
        "Barred": sender.bar_reason,
    }

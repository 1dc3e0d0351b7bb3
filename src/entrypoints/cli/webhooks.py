from urllib.parse import urlsplit
from uuid import UUID

import click

from domain.model.instant import instant
from domain.model.webhook import Disabled, Webhook
from entrypoints.cli.options import output_option
from entrypoints.cli.running import explains_faults, print_json, with_hub

_ID = click.argument("webhook_id", metavar="ID", type=click.UUID)


@click.group()
def webhooks() -> None:
    """What the hub tells programs by itself, and where."""


@webhooks.command("list")
@output_option
@explains_faults
def list_webhooks(output: str) -> None:
    """List all programs' webhooks, and how they are. Of addresses the host is shown: the rest may be a secret."""
    found = with_hub(lambda hub: hub.webhooks().all())
    if output == "json":
        print_json([_shown(each) for each in found])
        return
    for each in found:
        click.echo(f"{each.id}  {each.program_id}  {urlsplit(each.url).hostname}  {_condition(each)}")
    if not found:
        click.echo("There are no webhooks.", err=True)


@webhooks.command()
@_ID
@explains_faults
def enable(webhook_id: UUID) -> None:
    """Have a webhook called again; it is told what waited for it."""
    with_hub(lambda hub: hub.webhooks().enable(webhook_id))
    click.echo("It is called again.")


@webhooks.command()
@_ID
@explains_faults
def disable(webhook_id: UUID) -> None:
    """Have a webhook called no more, until it is enabled."""
    with_hub(lambda hub: hub.webhooks().disable(webhook_id, Disabled.OPERATOR))
    click.echo("It is called no more.")


def _condition(webhook: Webhook) -> str:
    if webhook.disabled is not None:
        return f"disabled ({webhook.disabled.value})"
    since_us = webhook.failing_since_us
    return "called" if since_us is None else f"failing since {instant(since_us)}"


def _shown(webhook: Webhook) -> dict[str, object]:
    since_us = webhook.failing_since_us
    return {
        "Id": str(webhook.id),
        "ProgramId": webhook.program_id,
        "Host": urlsplit(webhook.url).hostname,
        "Events": [each.value for each in webhook.events],
        "Enabled": webhook.disabled is None,
        "DisabledReason": None if webhook.disabled is None else webhook.disabled.value,
        "FailingSince": None if since_us is None else instant(since_us),
    }

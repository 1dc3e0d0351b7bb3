from typing import TextIO

import click

from domain.model.credentials import Credentials
from domain.model.credentials_check import Verdict
from domain.ports.known_accounts import KnownAccount
from domain.use_cases.operate_accounts import AccountName
from entrypoints.cli.options import output_option, read_option
from entrypoints.cli.running import explains_faults, print_json, with_hub
from entrypoints.http import sender_representations as shown

_PROVIDER = click.option("--provider", required=True, help="Whose account it is.")
_ACCOUNT = click.option("--account", required=True, help="As the provider names it: see `smshub accounts list`.")
_STATUS = {Verdict.GOOD: 0, Verdict.REFUSED: 1, Verdict.NOT_ASKED: 2}


@click.group()
def accounts() -> None:
    """The organisation's accounts at the providers."""


@accounts.command("list")
@output_option
@explains_faults
def list_accounts(output: str) -> None:
    """List the accounts with their senders, and whether the hub has credentials of them."""
    found = with_hub(lambda hub: hub.operate_accounts().all())
    if output == "json":
        print_json([shown.account(each) for each in found])
        return
    for each in found:
        click.echo(_line(each))
    if not found:
        click.echo("There are no accounts yet: smshub programs create --help", err=True)


@accounts.command()
@_PROVIDER
@_ACCOUNT
@output_option
@explains_faults
def check(provider: str, account: str, output: str) -> None:
    """Ask the provider whether the credentials are good. Sends nothing.

    Exit status 0: they are. 1: they are refused. 2: the provider could not be asked.
    """
    which = AccountName(provider=provider, name=account)
    found, checked = with_hub(lambda hub: hub.operate_accounts().check(which))
    if output == "json":
        print_json(shown.credentials_check(found, checked))
    else:
        click.echo(checked.sentence)
    raise SystemExit(_STATUS[checked.verdict])


@accounts.command("set-credentials")
@_PROVIDER
@_ACCOUNT
@click.option(
    "--credentials-file",
    "credentials",
    type=click.File(),
    required=True,
    help="A file with them as JSON, as `smshub programs create` takes it; - for standard input.",
)
@explains_faults
def set_credentials(provider: str, account: str, credentials: TextIO) -> None:
    """Give an account new credentials. They are used within ten seconds, and must be of this same account."""
    which = AccountName(provider=provider, name=account)
    given = read_option("--credentials-file", credentials.read(), Credentials.parse)
    click.echo(_line(with_hub(lambda hub: hub.operate_accounts().set_credentials(which, given))))


def _line(account: KnownAccount) -> str:
    has = "has credentials" if account.has_credentials else "no credentials"
    limit = f", under {account.limit}" if account.limit else ""
    senders = ", ".join(account.senders.values()) or "no senders"
    return f"{account.provider}  {account.name}  {has}{limit}: {senders}"

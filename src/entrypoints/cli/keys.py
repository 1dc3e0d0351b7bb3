import base64
import re
import secrets
import time

import click

from entrypoints.cli.running import explains_faults, with_hub
from entrypoints.container import Container

_KID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@click.group()
def keys() -> None:
    """Keys for signing tokens and for encrypting credentials."""


@keys.command()
@click.option("--kid", help="The key's id; the present time if left out.")
def generate(kid: str | None) -> None:
    """Print a new key, as SMSHUB_SIGNING_KEYS and SMSHUB_ENCRYPTION_KEYS take it.

    To replace a key put the new one first, with a comma behind it, and drop the old one when nothing uses it any more.
    """
    if kid is not None and not _KID.fullmatch(kid):
        raise click.BadParameter("is 1 to 64 letters, digits, dots, dashes or underscores", param_hint="--kid")
    click.echo(generated_key(kid))


def generated_key(kid: str | None = None) -> str:
    name = kid or time.strftime("k%Y%m%d%H%M%S", time.gmtime())
    return f"{name}:{base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b'=').decode()}"


@keys.command()
@explains_faults
def reseal() -> None:
    """Encrypt all provider credentials with the first key of SMSHUB_ENCRYPTION_KEYS, so that the others can be dropped.

    So are the secrets of webhooks. Processes that run need the new key before, and read both on meanwhile.
    """
    accounts, webhooks = with_hub(_sealed_anew)
    click.echo(f"The credentials of {accounts} provider accounts are encrypted with the first key.")
    if webhooks:
        click.echo(f"So are the secrets of {webhooks} webhooks.")


async def _sealed_anew(hub: Container) -> tuple[int, int]:
    return await hub.accounts().seal_anew(), await hub.webhooks().seal_anew()

import base64
import re
import secrets
import time
from pathlib import Path

import click
from pydantic import SecretStr

from entrypoints.cli.key_rotation import Ring, RingFile, Step
from entrypoints.cli.running import explains_faults, with_hub
from entrypoints.container import Container
from entrypoints.settings import PREFIX, Settings

_FOR_ALL = "Give this ring to every process, and replace them one by one."
_BEFORE_DROPPING = {
    "signing": "When the longest lifetime of a token has passed since (SMSHUB_TOKEN_LIFETIME, or a program's own), "
    "call this command again.",
    "encryption": "When no process has the ring of before, call this command again, with this ring.",
}
_AFTER_DROPPING = {
    "signing": "Tokens of a key that was dropped are refused; programs log in again.",
    "encryption": "Keep what was dropped with the backups that are older than this.",
}
_KID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@click.group()
def keys() -> None:
    """Keys for signing tokens and for encrypting credentials."""


@keys.command()
@click.option("--kid", help="The key's id; the present time if left out.")
def generate(kid: str | None) -> None:
    """Print a new key, as SMSHUB_SIGNING_KEYS and SMSHUB_ENCRYPTION_KEYS take it.

    `smshub keys rotate` replaces one while the hub works.
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
    _tell_sealed(*with_hub(_sealed_anew))


def _tell_sealed(accounts: int, webhooks: int, *, err: bool = False) -> None:
    click.echo(f"The credentials of {accounts} provider accounts are encrypted with the first key.", err=err)
    if webhooks:
        click.echo(f"So are the secrets of {webhooks} webhooks.", err=err)


@keys.command()
@click.option(
    "--ring", "name", type=click.Choice(["signing", "encryption"]), required=True, help="Which ring has the key."
)
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to change: with lines such as SMSHUB_SIGNING_KEYS=…, or with the ring alone. If not given, the ring "
    "is read from the settings, and the new one printed.",
)
@click.option(
    "--step",
    type=click.Choice([step.value for step in Step]),
    help="What to do: add a new key, use it, or drop the others. If not given, what the keys' ids tell is next.",
)
@explains_faults
def rotate(name: str, file: Path | None, step: str | None) -> None:
    """Replace a key in three steps: one for each call, with all processes replaced in between.

    The new key is put last, so that all know it; then first, so that it is used; then the old one is dropped. Before an
    encryption key is dropped, everything is encrypted with the new one. The new ring alone is on standard output, what
    to do next on standard error.
    """
    setting = f"{name}_keys"
    variable = f"{PREFIX}{setting.upper()}"
    there = None if file is None else RingFile.read(file, variable)
    settings = Settings.from_environment()
    ring = Ring.read(getattr(settings, setting).get_secret_value()) if there is None else there.ring
    match Step(step) if step else ring.next_step:
        case Step.ADD:
            rotated, said = _with_new_key(ring)
        case Step.USE:
            rotated = ring.with_newest_first()
            said = f"Step 2 of 3: key {next(iter(rotated.keys))} is used. {_FOR_ALL} {_BEFORE_DROPPING[name]}"
        case _:
            if name == "signing" and step is None:
                ring.expect_older(settings.token_lifetime)
            if name == "encryption":
                given = {setting: SecretStr(ring.written), f"{setting}_file": ""}
                _tell_sealed(*with_hub(_sealed_anew, **given), err=True)
            rotated = ring.with_first_alone()
            dropped = ", ".join(each for each in ring.keys if each not in rotated.keys)
            said = f"Step 3 of 3: dropped {dropped or 'nothing'}. {_FOR_ALL} {_AFTER_DROPPING[name]}"
    if there is None:
        click.echo(rotated.written)
    else:
        there.write(rotated)
    click.echo(said, err=True)


def _with_new_key(ring: Ring) -> tuple[Ring, str]:
    key_id = ring.new_id
    rotated = ring.with_key(generated_key(key_id))
    if not ring.keys:
        return rotated, f"Key {key_id} is the first. {_FOR_ALL}"
    return rotated, f"Step 1 of 3: key {key_id} is known, and not used yet. {_FOR_ALL} Then call this command again."


async def _sealed_anew(hub: Container) -> tuple[int, int]:
    return await hub.accounts().seal_anew(), await hub.webhooks().seal_anew()

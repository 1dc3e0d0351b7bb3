import asyncio
import json
import shlex
from pathlib import Path

import click
from pydantic import SecretStr

from domain.model.pace import Pace
from domain.model.sender import SenderAddress
from entrypoints.cli.keys import generated_key
from entrypoints.cli.processes import host_option, run_process
from entrypoints.cli.running import explains_faults
from entrypoints.container import Container, close
from entrypoints.process import Addresses, Parts
from entrypoints.settings import Settings

_SENDER = "+19705550100"
_NUMBERS = "19706904544,(970) 690-4545, 970.690.4546"


@click.command()
@click.option("--directory", default="var", show_default=True, type=click.Path(path_type=Path, file_okay=False))
@host_option
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
@click.option("--internal-port", default=8081, show_default=True, type=click.IntRange(1, 65535))
@explains_faults
def demo(directory: Path, host: str | None, port: int, internal_port: int) -> None:
    """Run a hub to try out: it makes its own keys, database and program in a directory, and sends nothing for real.

    Settings of the environment still hold; what they leave open is made in the directory.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = _settings(directory, host, port)
    credentials = asyncio.run(_program(directory, settings))
    invitation = _invitation(settings.public_url, credentials)
    run_process(
        settings,
        Parts(api=True, dispatcher=True, migrates=True),
        Addresses(host=settings.host, port=port, internal_port=internal_port),
        lambda: click.echo(invitation),
    )


def _settings(directory: Path, host: str | None, port: int) -> Settings:
    given = Settings.from_environment(**({} if host is None else {"host": host}))
    made = {
        "log_format": "console",
        "public_url": f"http://{_reached_at(given.host)}:{port}",
        "database_url": SecretStr(f"sqlite:///{directory / 'smshub.db'}"),
    }
    if not given.signing_keys.get_secret_value() and not given.token_key_files:
        made["signing_keys"] = _made_key(directory / "signing.key")
    if not given.encryption_keys.get_secret_value():
        made["encryption_keys"] = _made_key(directory / "encryption.key")
    missing = {name: value for name, value in made.items() if name not in given.model_fields_set}
    return Settings.from_environment(host=given.host, **missing)


def _reached_at(host: str) -> str:
    """The addresses that stand for all of a machine's are nobody's to call."""
    return "127.0.0.1" if not host.strip("0.:") else host


def _made_key(file: Path) -> SecretStr:
    if not file.exists():
        _write_secret(file, generated_key())
    return SecretStr(file.read_text().strip())


async def _program(directory: Path, settings: Settings) -> dict[str, str]:
    """The demo program's credentials, which stand in a file since the hub keeps the key's hash alone."""
    file = directory / "demo-program.json"
    hub = Container(settings=settings)
    try:
        await hub.schema().migrate()
        if file.exists():
            credentials: dict[str, str] = json.loads(file.read_text())
            if await hub.programs().find(credentials["ProgramId"]) is not None:
                return credentials
        program, key = await hub.create_program()(
            name="Demo", provider="sandbox", sender=SenderAddress(_SENDER), pace=Pace.parse("1/s")
        )
    finally:
        await close(hub)
    credentials = {"ProgramId": program.id, "ProgramSID": program.sid, "ProgramKey": key.value}
    _write_secret(file, json.dumps(credentials, indent=2))
    return credentials


def _write_secret(file: Path, text: str) -> None:
    file.touch(mode=0o600, exist_ok=True)
    file.write_text(text + "\n")


def _invitation(url: str, credentials: dict[str, str]) -> str:
    login = " ".join(
        [
            f"curl -sS {url}/api/Login",
            f"-d ProgramSID={shlex.quote(credentials['ProgramSID'])}",
            f"-d ProgramKey={shlex.quote(credentials['ProgramKey'])}",
        ]
    )
    text = json.dumps({"Message": "Hello from SMS Hub", "PhoneNumber": _NUMBERS})
    send = " ".join(
        [
            f"curl -sS {url}/api/TextMessages",
            f"""-H "Authorization: Bearer $({login} | tr -d '"')\"""",
            "-H 'Content-Type: application/json'",
            f"-d '{text}'",
        ]
    )
    return f"""
SMS Hub is ready at {url} (open it in a browser; reference: {url}/docs; internal port: /livez, /readyz, /metrics).
It sends through the sandbox: nothing leaves this machine.

  ProgramId   {credentials["ProgramId"]}
  ProgramSID  {credentials["ProgramSID"]}
  ProgramKey  {credentials["ProgramKey"]}

Log in and send a text to three numbers, at one per second:

{send}

Stop the hub with Ctrl-C.
"""

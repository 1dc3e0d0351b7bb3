from collections.abc import Iterator
from datetime import timedelta
from os import environ

import click
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from domain.errors import InvalidValue
from entrypoints.cli.options import output_option
from entrypoints.cli.running import explains_faults, print_json
from entrypoints.container import Container
from entrypoints.durations import written_duration
from entrypoints.settings import PREFIX, Settings, SettingsFault, unknown_variables


@click.group()
def config() -> None:
    """The hub's settings."""


@config.command()
@output_option
@explains_faults
def check(output: str) -> None:
    """Check the environment, and print what the hub would run with; secrets are masked.

    Ends with status 1 if a value cannot be used or a SMSHUB_ variable is no setting.
    """
    faults: list[tuple[str, str]] = [(name, "is no setting") for name in unknown_variables(environ)]
    shown: dict[str, str] = {}
    try:
        settings = Settings.from_environment()
        shown = _shown(settings)
        faults += _faults(settings)
    except SettingsFault as error:
        faults += error.faults
    if output == "json":
        print_json({"Settings": shown, "Faults": [{"Name": name, "Fault": fault} for name, fault in faults]})
    else:
        for name, value in shown.items():
            click.echo(f"{name}={value}")
        for name, fault in faults:
            click.echo(f"{name}: {fault}", err=True)
    if faults:
        raise click.exceptions.Exit(1)


@config.command()
@click.option("--markdown", is_flag=True, help="As a table for the documentation.")
def explain(*, markdown: bool) -> None:
    """Print every setting, what it means and its default."""
    if markdown:
        click.echo("| variable | default | meaning |\n| --- | --- | --- |")
    for name, field in Settings.model_fields.items():
        variable, default = f"{PREFIX}{name.upper()}", _default(field.default)
        if markdown:
            click.echo(f"| `{variable}` | {f'`{default}`' if default else ''} | {field.description} |")
        else:
            click.echo(f"{variable} (default: {default or 'none'})\n    {field.description}")


def _faults(settings: Settings) -> Iterator[tuple[str, str]]:
    """What is wrong with settings that can be read."""
    hub = Container(settings=settings)
    for name, examine in (
        ("SIGNING_KEYS", settings.refuse_weak_keys),
        ("OIDC_ISSUER", settings.check_sign_in),
        ("TOKEN_KEY_FILES", hub.tokens),
        ("DATABASE_URL", hub.database),
    ):
        try:
            examine()
        except InvalidValue as error:
            yield f"{PREFIX}{name}", str(error)
        except SettingsFault as error:
            yield from error.faults


def _shown(settings: Settings) -> dict[str, str]:
    return {f"{PREFIX}{name.upper()}": _default(getattr(settings, name), mask=True) for name in Settings.model_fields}


def _default(value: object, *, mask: bool = False) -> str:
    match value:
        case SecretStr():
            secret = value.get_secret_value()
            return "**********" if mask and secret else secret
        case tuple():
            return ",".join(_default(each) for each in value)
        case _ if value is PydanticUndefined:
            return ""
        case timedelta():
            return written_duration(value)
        case _:
            return str(value).lower() if isinstance(value, bool) else str(value)

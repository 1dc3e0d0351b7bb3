"""How commands reach the hub's use cases, and how they tell what went wrong."""

import asyncio
import functools
import getpass
import json
import os
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

import click

from domain.errors import HubError
from domain.model.audit import Actor, acting
from entrypoints.container import Container, close
from entrypoints.settings import Settings, SettingsFault
from entrypoints.telemetry.logs import configure_logs

P = ParamSpec("P")
R = TypeVar("R")


def explains_faults(command: Callable[P, R]) -> Callable[P, R]:
    """Turns the hub's own errors into a line on standard error and exit status 1."""

    @functools.wraps(command)
    def explained(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (HubError, SettingsFault) as error:
            raise click.ClickException(str(error)) from None

    return explained


def with_hub(work: Callable[[Container], Awaitable[R]], **overrides: object) -> R:
    """Runs `work` with a container whose database is open and of the right schema. `overrides` are settings that hold
    in place of the environment's.
    """

    async def run() -> R:
        acting.set(Actor(name=_user(), via="command-line"))
        settings = Settings.from_environment(**overrides)
        configure_logs(level="error", form=settings.log_format)
        container = Container(settings=settings)
        try:
            await container.schema().check()
            await container.clock().synchronise()
            return await work(container)
        finally:
            await close(container)

    return asyncio.run(run())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container the user may have no name.
        return str(os.getuid())


def print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))

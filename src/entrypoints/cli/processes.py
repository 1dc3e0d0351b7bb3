from collections.abc import Callable
from typing import Any

import click
import uvloop

from entrypoints.cli.running import explains_faults
from entrypoints.container import Container
from entrypoints.process import Addresses, AddressTaken, Parts, Process
from entrypoints.settings import Settings

host_option = click.option("--host", help="Address to listen on, for both ports. If not given, SMSHUB_HOST.")
_PORT = click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="The public port.")


def _internal_port(default: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        "--internal-port",
        default=default,
        show_default=True,
        type=click.IntRange(0, 65535),
        help="Port of /livez, /readyz and /metrics. Never open it to the outside.",
    )


@click.command()
@host_option
@_PORT
@_internal_port(8081)
@explains_faults
def serve(host: str | None, port: int, internal_port: int) -> None:
    """Run the whole hub in one process: for a laptop or a small site.

    It brings its database to the right schema by itself.
    """
    _run(Parts(api=True, dispatcher=True, migrates=True), host, port, internal_port)


@click.command()
@host_option
@_PORT
@_internal_port(8081)
@explains_faults
def api(host: str | None, port: int, internal_port: int) -> None:
    """Run the interface alone: accepts texts and tells what became of them. Scale it by its use of CPU."""
    _run(Parts(api=True, dispatcher=False), host, port, internal_port)


@click.command()
@host_option
@_internal_port(8082)
@explains_faults
def dispatcher(host: str | None, internal_port: int) -> None:
    """Run a dispatcher alone: sends what was accepted. Scale it by lateness."""
    _run(Parts(api=False, dispatcher=True), host, 0, internal_port)


def run_process(settings: Settings, parts: Parts, addresses: Addresses, when_ready: Callable[[], None]) -> None:
    container = Container(settings=settings)
    if parts.api:
        # Keys that cannot be used are found now, and not with the first login.
        container.tokens()

    async def run() -> None:
        await Process(container, parts, addresses).run(when_ready=when_ready)

    try:
        uvloop.run(run())
    except* AddressTaken as group:
        raise click.ClickException(str(_first(group))) from None


def _run(parts: Parts, host: str | None, port: int, internal_port: int) -> None:
    settings = Settings.from_environment()
    settings.refuse_weak_keys()
    settings.check_sign_in()
    addresses = Addresses(host=host or settings.host, port=port, internal_port=internal_port)
    run_process(settings, parts, addresses, lambda: None)


def _first(group: BaseExceptionGroup[AddressTaken]) -> BaseException:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first

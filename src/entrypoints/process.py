"""One process of the hub: what it runs, how it starts, and how it stops without dropping anything."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from os import environ

import structlog
import uvicorn
from starlette.types import ASGIApp

from domain.errors import SchemaDiffers, StoreUnavailable
from entrypoints.connections import HubConnection
from entrypoints.container import Container, close
from entrypoints.health import Phase
from entrypoints.settings import Settings, unknown_variables
from entrypoints.telemetry.logs import configure_logs

_CLOCK_EVERY_S = 10.0
_RETRY_S = 1.0
_BACKLOG = 2_048
_COLLECT_AFTER = 10_000  # New objects; a request under way has some hundred.

_log = structlog.get_logger("smshub.process")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a process runs. `migrates`: it brings the database to its own schema first."""

    api: bool
    dispatcher: bool
    migrates: bool = False


@dataclass(frozen=True, kw_only=True)
class Addresses:
    host: str
    port: int
    internal_port: int


class AddressTaken(Exception):
    pass


def bound_socket(host: str, port: int) -> socket.socket:
    """Bound and not listening yet: until the hub is ready, connections are refused. Raises `AddressTaken`."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise _taken(host, port, error) from None
    return bound


def _taken(host: str, port: int, error: OSError) -> AddressTaken:
    return AddressTaken(f"The hub cannot listen on {host}, port {port}: {error.strerror}.")


def _spare_the_collector() -> None:
    """What stands at the end of the start stands until the end: looked through for garbage again and again, it would
    hold every request up for a tenth of a second now and then.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)


class _Server(uvicorn.Server):
    """A server among others in one process, which leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Process:
    def __init__(self, container: Container, parts: Parts, addresses: Addresses) -> None:
        self._container = container
        self._settings: Settings = container.settings()
        self._parts = parts
        self._addresses = addresses
        self._stopping = container.stopping()
        self._health = container.health()

    async def run(self, *, when_ready: Callable[[], None] = lambda: None) -> None:
        """Runs until SIGTERM or SIGINT. Raises what any part cannot go on from, after the others have stopped."""
        self._greet()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        addresses = self._addresses
        internal_socket = bound_socket(addresses.host, addresses.internal_port)
        public_socket = bound_socket(addresses.host, addresses.port) if self._parts.api else None
        internal = self._server(self._container.internal_app())
        try:
            async with asyncio.TaskGroup() as group:
                internal_task = group.create_task(internal.serve([internal_socket]))
                try:
                    await self._prepare()
                    if not self._stopping.is_set():
                        await self._work(public_socket, when_ready)
                finally:
                    internal.should_exit = True
                await internal_task
        finally:
            if self._parts.dispatcher:
                # The others have no connections to them.
                for provider in self._container.sms_providers().values():
                    await provider.close()
            await close(self._container)
            await self._container.tracing().stop()
            _log.info("process_stopped")

    def _greet(self) -> None:
        configure_logs(level=self._settings.log_level, form=self._settings.log_format)
        metrics = self._container.metrics()
        metrics.build.labels(version("sms-hub")).set(1)
        unknown = unknown_variables(environ)
        metrics.unknown_settings.set(len(unknown))
        if unknown:
            _log.warning("unknown_settings", names=unknown)

    async def _prepare(self) -> None:
        """Waits for a database of the right schema, and for the providers that it has senders of."""
        schema, clock = self._container.schema(), self._container.clock()
        while not self._stopping.is_set():
            try:
                if self._parts.migrates:
                    await schema.migrate()
                await schema.check()
                await clock.synchronise()
                if self._parts.dispatcher:
                    await self._container.prepare_providers()()
            except (StoreUnavailable, SchemaDiffers) as error:
                _log.warning("waiting_for_database", problem=error.slug, detail=str(error))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), _RETRY_S)
            else:
                return

    async def _work(self, public_socket: socket.socket | None, when_ready: Callable[[], None]) -> None:
        async with asyncio.TaskGroup() as group:
            ticking = group.create_task(self._keep_time())
            working: list[asyncio.Task[None]] = []
            servers: list[_Server] = []
            if self._parts.dispatcher:
                working.append(group.create_task(self._container.dispatcher().run(self._stopping)))
            if public_socket is not None:
                try:
                    public_socket.listen(_BACKLOG)
                except OSError as error:
                    # Another process was bound to it as well, and was ready first.
                    raise _taken(self._addresses.host, self._addresses.port, error) from None
                server = self._server(self._container.app())
                working.append(group.create_task(server.serve([public_socket])))
                servers.append(server)
            while not all(each.started for each in servers) and not any(each.done() for each in working):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            _spare_the_collector()
            self._health.phase = Phase.RUNNING
            _log.info("process_ready", api=self._parts.api, dispatcher=self._parts.dispatcher)
            when_ready()
            stopped = group.create_task(self._until_stopping())
            await asyncio.wait([stopped, *working], return_when=asyncio.FIRST_COMPLETED)
            self._health.phase = Phase.DRAINING
            self._stopping.set()
            for server in servers:
                server.should_exit = True
            await asyncio.gather(*working)
            ticking.cancel()

    async def _until_stopping(self) -> None:
        await self._stopping.wait()
        _log.info("process_draining")

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(_CLOCK_EVERY_S)
            with contextlib.suppress(StoreUnavailable):
                await self._container.clock().synchronise()

    def _server(self, app: ASGIApp) -> _Server:
        return _Server(
            uvicorn.Config(
                app,
                http=HubConnection,
                log_config=None,
                access_log=False,
                backlog=_BACKLOG,
                lifespan="off",
                server_header=False,
                proxy_headers=bool(self._settings.trusted_proxies),
                forwarded_allow_ips=list(self._settings.trusted_proxies),
                timeout_graceful_shutdown=max(1, int(self._settings.stop_grace.total_seconds())),
            )
        )

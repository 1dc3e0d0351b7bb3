"""The hub as its clients meet it: in this process, or as a process of its own behind real sockets.

Every client holds every answer against the hub's own document.
"""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy import func, select, update

from adapters.sql.tables import deliveries, opt_outs, programs, text_messages
from domain.model.delivery import DeliveryState
from domain.model.pace import Pace
from domain.model.program_key import ProgramKey
from domain.model.sender import SenderAddress
from domain.use_cases.create_program import FirstHubIdentity
from entrypoints.container import Container, close
from entrypoints.settings import Settings
from tests.documented import Documented
from tests.import_path import import_path
from tests.loops import run
from tests.patience import PATIENCE_S
from tests.ports import free_port

PUBLIC_URL = "https://hub.example"
SIGNING_KEYS = "tests:TerVWp1pbAtbzf0fWKFCyoFj0VjlUTLEWyJnllhMV-Y"
OFFICE_PAGES = "https://office.example"

_serial = itertools.count()


@dataclass(frozen=True, slots=True)
class Credentials:
    program_id: str
    sid: str
    key: str

    @property
    def login(self) -> Mapping[str, str]:
        return {"ProgramSID": self.sid, "ProgramKey": self.key}


@dataclass(frozen=True, slots=True)
class Office:
    """A program that has logged in."""

    credentials: Credentials
    token: str

    @property
    def id(self) -> str:
        return self.credentials.program_id

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Hub:
    """A hub in this process, and a client of it."""

    container: Container
    client: httpx.AsyncClient
    documented: Documented

    @property
    def base_path(self) -> str:
        return self.documented.contract.base_path

    async def create_program(
        self,
        *,
        first_hub: Credentials | None = None,
        sender: str | None = None,
        segment_cap: int | None = None,
        token_lifetime: timedelta | None = None,
    ) -> Credentials:
        """With a sender of its own in the US where none is given. `first_hub` is what it had there."""
        credentials = await _create_program(self.container, first_hub=first_hub, sender=sender)
        changes: dict[str, int] = {}
        if segment_cap is not None:
            changes["segment_cap"] = segment_cap
        if token_lifetime is not None:
            changes["token_lifetime_s"] = int(token_lifetime.total_seconds())
        if changes:
            async with self.container.database().writing() as connection:
                await connection.execute(
                    update(programs).where(programs.c.id == credentials.program_id).values(**changes)
                )
        return credentials

    async def log_in(self, credentials: Credentials) -> str:
        """The token, as clients make it out of the answer."""
        response = await self.client.post("/api/Login", json=credentials.login)
        assert response.status_code == 200, response.text
        return response.text.strip('"')

    async def an_office(
        self,
        *,
        first_hub: Credentials | None = None,
        sender: str | None = None,
        segment_cap: int | None = None,
    ) -> Office:
        credentials = await self.create_program(first_hub=first_hub, sender=sender, segment_cap=segment_cap)
        return Office(credentials, await self.log_in(credentials))

    async def add_sender(self, office: Office, sender: str, *, pace: str | None = None) -> None:
        """One that its requests may name, from now on if they named none before."""
        await self.container.add_sender()(
            office.id,
            provider="sandbox",
            sender=SenderAddress(sender),
            pace=None if pace is None else Pace.parse(pace),
        )

    async def post(
        self, office: Office, path: str, body: Mapping[str, object] | None = None, **headers: str
    ) -> httpx.Response:
        """Headers have an underscore where HTTP has a dash."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(path, json=body, headers={**office.headers, **named})

    async def get(self, office: Office, path: str, **parameters: str | int) -> httpx.Response:
        return await self.client.get(path, params=parameters or None, headers=office.headers)

    async def outcome(self, office: Office, message_id: str) -> Mapping[str, Any]:
        """The message when all of it has come to an end."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                text: Mapping[str, Any] = (await self.get(office, f"/api/TextMessages/{message_id}")).json()
                if DeliveryState(text["Status"]).terminal:
                    return text
                await asyncio.sleep(0.05)

    async def stored(self) -> Mapping[str, int]:
        """How many rows there are of all that a request can store."""
        async with self.container.database().reading() as connection:
            return {
                table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
                for table in (text_messages, deliveries, opt_outs)
            }

    @asynccontextmanager
    async def dispatching(self) -> AsyncIterator[None]:
        """Sends what is due, meanwhile."""
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.container.dispatcher().run(stopping))
            try:
                yield
            finally:
                stopping.set()

    @asynccontextmanager
    async def client_at(self, address: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client that calls from another address."""
        async with _client(self.container, self.documented, address) as client:
            yield client


@asynccontextmanager
async def a_hub(database_url: str, **settings: object) -> AsyncIterator[Hub]:
    """On a migrated database. `settings` are fields of `Settings`."""
    given = {"public_url": PUBLIC_URL, "signing_keys": SIGNING_KEYS, **settings, "database_url": database_url}
    container = Container(settings=Settings.from_environment(**given))
    public_url: str = container.settings().public_url
    documented = Documented.load(public_url=public_url)
    try:
        await container.clock().synchronise()
        async with _client(container, documented, "127.0.0.1") as client:
            yield Hub(container, client, documented)
    finally:
        await close(container)


def _client(container: Container, documented: Documented, address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(container.app(), client=(address, 50_000)),
        base_url=container.settings().public_url,
        event_hooks={"response": [documented.check_async]},
    )


@dataclass(frozen=True)
class RunningHub:
    """`smshub serve` as a process. `client` is at the public port, base path included."""

    url: str
    internal_url: str
    client: httpx.Client
    process: subprocess.Popen[bytes]
    log_file: Path
    database_url: str
    documented: Documented

    @contextmanager
    def connection(self) -> Iterator["Connection"]:
        """For requests that no HTTP library would write."""
        parts = urlsplit(self.url)
        with socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=PATIENCE_S) as connected:
            yield Connection(connected, self.documented)

    def log(self) -> str:
        """All that the process has written so far."""
        return self.log_file.read_text(encoding="utf-8")

    def metrics(self) -> str:
        return httpx.get(f"{self.internal_url}/metrics").text

    def create_program(self, *, first_hub: Credentials | None = None) -> Credentials:
        """Not to be called while an event loop runs."""

        async def create() -> Credentials:
            container = Container(
                settings=Settings.from_environment(database_url=self.database_url, signing_keys=SIGNING_KEYS)
            )
            try:
                await container.clock().synchronise()
                return await _create_program(container, first_hub=first_hub)
            finally:
                await close(container)

        return run(create())

    def log_in(self, credentials: Credentials) -> str:
        response = self.client.post("/api/Login", json=credentials.login)
        assert response.status_code == 200, response.text
        return response.text.strip('"')

    def an_office(self) -> Office:
        credentials = self.create_program()
        return Office(credentials, self.log_in(credentials))


@dataclass(frozen=True)
class Connection:
    """A TCP connection to a hub."""

    socket: socket.socket
    documented: Documented

    def send(self, written: bytes) -> None:
        self.socket.sendall(written)

    def receive_head(self) -> bytes:
        """What the hub writes up to the next empty line, and nothing behind it."""
        received = bytearray()
        while not received.endswith(b"\r\n\r\n"):
            byte = self.socket.recv(1)
            if not byte:
                raise ConnectionError(f"closed after {bytes(received)!r}")
            received += byte
        return bytes(received)

    def answer(self, method: str, path: str) -> httpx.Response:
        """The answer to what was sent, which was a request with this method for this path."""
        answer = HTTPResponse(self.socket, method=method)
        answer.begin()
        response = httpx.Response(
            answer.status,
            headers=answer.getheaders(),
            content=answer.read(),
            request=httpx.Request(method, f"http://hub{path}"),
        )
        self.documented.check(response)
        return response


@contextmanager
def a_running_hub(database_url: str, *, prefix: str = "", **settings: object) -> Iterator[RunningHub]:
    """`settings` are fields of `Settings` as the environment has them. The hub is told to stop at the end, and must."""
    port, internal_port = free_port(), free_port()
    url, internal_url = f"http://127.0.0.1:{port}{prefix}", f"http://127.0.0.1:{internal_port}"
    given = {"public_url": url, "signing_keys": SIGNING_KEYS, **settings, "database_url": database_url}
    environment = {f"SMSHUB_{name.upper()}": str(value) for name, value in given.items()}
    smshub = str(Path(sys.executable).with_name("smshub"))
    documented = Documented.load(public_url=url)
    with (
        tempfile.NamedTemporaryFile(prefix="smshub-", suffix=".log") as log,
        subprocess.Popen(
            [smshub, "serve", "--port", str(port), "--internal-port", str(internal_port)],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": import_path(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
        httpx.Client(base_url=url, event_hooks={"response": [documented.check]}, timeout=PATIENCE_S) as client,
    ):
        hub = RunningHub(url, internal_url, client, process, Path(log.name), database_url, documented)
        try:
            _wait_until_ready(hub)
            yield hub
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0, hub.log()
        finally:
            process.kill()


def _wait_until_ready(hub: RunningHub) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and hub.process.poll() is None:
        try:
            if httpx.get(f"{hub.internal_url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"The hub does not get ready:\n{hub.log()}")


async def _create_program(
    container: Container, *, first_hub: Credentials | None = None, sender: str | None = None
) -> Credentials:
    identity = None
    if first_hub is not None:
        key = ProgramKey(first_hub.key)
        identity = FirstHubIdentity(program_id=first_hub.program_id, program_sid=first_hub.sid, key=key)
    program, key = await container.create_program()(
        name="City Hall",
        provider="sandbox",
        sender=SenderAddress(sender or f"+1720{5_550_000 + next(_serial)}"),
        first_hub=identity,
    )
    return Credentials(program.id, program.sid, key.value)

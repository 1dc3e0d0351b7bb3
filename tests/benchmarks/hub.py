"""The hub as a process, on a database with programs that may send."""

import asyncio
import http.client
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from domain.model.pace import Pace
from domain.model.sender import SenderAddress
from entrypoints.container import Container
from entrypoints.settings import Settings
from tests.benchmarks import signing
from tests.benchmarks.server_process import ServerProcess, a_server
from tests.ports import free_port

PROGRAMS = 20

_SMSHUB = str(Path(sys.executable).with_name("smshub"))


@dataclass(frozen=True, kw_only=True)
class Hub:
    """`tokens` are one of each program."""

    process: ServerProcess
    tokens: Sequence[str]
    log: Path


@contextmanager
def a_hub(
    kind: Literal["api", "serve"],
    database_url: str,
    folder: Path,
    *,
    programs: int = PROGRAMS,
    rate: str | None = None,
    samples: Path | None = None,
) -> Iterator[Hub]:
    """`smshub api` or `smshub serve` on an empty database. Each program has a sender of its own, with this rate.

    `samples` is where it writes at its end what it was doing (see `sampled_hub`).
    """
    logins = asyncio.run(_create_programs(database_url, programs, None if rate is None else Pace.parse(rate)))
    given = {"SMSHUB_DATABASE_URL": database_url, "SMSHUB_SIGNING_KEYS": signing.KEYS}
    others = {name: value for name, value in os.environ.items() if not name.startswith("SMSHUB_")}
    port, internal_port = free_port(), free_port()
    program = [_SMSHUB]
    if samples is not None:
        program = [sys.executable, "-m", "tests.benchmarks.sampled_hub"]
        given["SAMPLES"] = str(samples)
    command = [*program, kind, "--port", str(port), "--internal-port", str(internal_port)]
    log = folder / f"hub-{port}.log"
    with a_server(command, others | given, port=port, ready_port=internal_port, log=log) as process:
        yield Hub(process=process, tokens=[_log_in(port, login) for login in logins], log=log)


async def _create_programs(database_url: str, count: int, pace: Pace | None) -> Sequence[dict[str, str]]:
    """Migrates the database, and gives what each program logs in with."""
    container = Container(settings=Settings.from_environment(database_url=database_url, signing_keys=signing.KEYS))
    try:
        await container.schema().migrate()
        await container.clock().synchronise()
        logins = []
        for each in range(count):
            sender = SenderAddress(f"+1720{5_550_000 + each}")
            program, key = await container.create_program()(
                name=f"Office {each}", provider="sandbox", sender=sender, pace=pace
            )
            logins.append({"ProgramSID": program.sid, "ProgramKey": key.value})
        return logins
    finally:
        await container.database().close()


def _log_in(port: int, login: dict[str, str]) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/api/Login", json.dumps(login), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise PermissionError(f"The hub answers a login with {answer.status}.")
        return str(json.loads(content))
    finally:
        connection.close()

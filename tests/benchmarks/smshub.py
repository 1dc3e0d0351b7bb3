"""`smshub` as a process."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from tests.benchmarks import signing
from tests.benchmarks.server_process import ServerProcess, a_server
from tests.ports import free_port

_SMSHUB = str(Path(sys.executable).with_name("smshub"))


@contextmanager
def an_smshub(
    kind: Literal["api", "dispatcher", "serve"],
    database_url: str,
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    program: Sequence[str] = (_SMSHUB,),
) -> Iterator[ServerProcess]:
    """On a database of the right schema. Settings come from `environment` alone; `program` takes the same arguments
    as `smshub`.
    """
    given = {
        "SMSHUB_DATABASE_URL": database_url,
        "SMSHUB_SIGNING_KEYS": signing.KEYS,
        "SMSHUB_ENCRYPTION_KEYS": signing.KEYS,
        **(environment or {}),
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("SMSHUB_")}
    port, internal_port = free_port(), free_port()
    public = [] if kind == "dispatcher" else ["--port", str(port)]
    command = [*program, kind, *public, "--internal-port", str(internal_port)]
    log = folder / f"hub-{internal_port}.log"
    with a_server(command, others | given, port=port, ready_port=internal_port, log=log) as process:
        yield process


@contextmanager
def dispatchers(
    count: int, database_url: str, folder: Path, *, environment: Mapping[str, str] | None = None
) -> Iterator[Sequence[ServerProcess]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(an_smshub("dispatcher", database_url, folder, environment=environment))
            for _ in range(count)
        ]

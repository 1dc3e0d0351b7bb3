"""The bare handlers as a process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tests.benchmarks.server_process import ServerProcess, a_server
from tests.ports import free_port


@contextmanager
def a_bare_handler(
    kind: Literal["accept", "preview"], folder: Path, *, database_url: str = ""
) -> Iterator[ServerProcess]:
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.bare_handlers", kind, str(port), database_url]
    with a_server(command, os.environ, port=port, ready_port=port, log=folder / f"bare-{port}.log") as process:
        yield process

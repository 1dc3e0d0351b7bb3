"""Where the benchmarks run: a folder of their own, and the databases in it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.postgresql import Postgresql, a_postgresql


@dataclass(frozen=True, kw_only=True)
class Place:
    folder: Path
    postgresql: Postgresql

    def new_sqlite(self) -> str:
        """The URL of a new file."""
        return f"sqlite:///{tempfile.mkdtemp(dir=self.folder)}/hub.db"

    def new_database(self, kind: str) -> str:
        return self.new_sqlite() if kind == SQLITE else self.postgresql.new_database()


SQLITE = "SQLite"
POSTGRESQL = "PostgreSQL"
BOTH = (POSTGRESQL, SQLITE)


@contextmanager
def a_place() -> Iterator[Place]:
    # Not /tmp, which may be in memory, where nothing is durable and fsync costs nothing.
    with tempfile.TemporaryDirectory(prefix="smshub-bench-", dir="/var/tmp") as name:
        folder = Path(name)
        with a_postgresql(folder) as postgresql:
            yield Place(folder=folder, postgresql=postgresql)

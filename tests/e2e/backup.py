"""How a hub's database is backed up while it works, and restored elsewhere, on each kind: by the commands that
docs/operations/backup.md names.
"""

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from tests.conftest import PostgresServer


class Backup(Protocol):
    url: str

    def make(self) -> None: ...

    @contextmanager
    def restored(self) -> Iterator[str]:
        """The URL of a database elsewhere that was made of the backup."""
        ...


class PostgresqlBackup(Backup):
    def __init__(self, url: str, server: PostgresServer, folder: Path) -> None:
        self.url = url
        self._server = server
        self._file = folder / "hub.dump"

    def make(self) -> None:
        _run(self._server.tool("pg_dump"), "--format=custom", f"--file={self._file}", self.url)

    @contextmanager
    def restored(self) -> Iterator[str]:
        elsewhere = PostgresServer()
        try:
            with elsewhere.database() as url:
                options = ("--no-owner", "--exit-on-error", "--single-transaction", f"--dbname={url}")
                _run(elsewhere.tool("pg_restore"), *options, self._file)
                yield url
        finally:
            elsewhere.close()


class SqliteBackup(Backup):
    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._file = folder / "hub.backup.db"
        self._elsewhere = folder / "elsewhere"

    def make(self) -> None:
        with (
            closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as hub,
            closing(sqlite3.connect(self._file)) as copy,
        ):
            hub.backup(copy)

    @contextmanager
    def restored(self) -> Iterator[str]:
        self._elsewhere.mkdir()
        yield f"sqlite:///{shutil.copy(self._file, self._elsewhere / 'hub.db')}"


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""One hub for all clients: each has a program of its own in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http import RunningHub, a_running_hub


@pytest.fixture(scope="package")
def hub(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    file = shutil.copy(migrated_sqlite, tmp_path_factory.mktemp("clients") / "hub.db")
    with a_running_hub(f"sqlite:///{file}") as hub:
        yield hub

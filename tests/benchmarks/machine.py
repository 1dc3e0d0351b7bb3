"""What the numbers were measured on and with."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.postgresql import Postgresql

_PACKAGES = ("connexion", "starlette", "uvicorn", "sqlalchemy", "asyncpg")


def machine_in_words(postgresql: Postgresql) -> str:
    settings = dict(postgresql.settings())
    server = settings.pop("server_version")
    told = ", ".join(f"{name} {value}" for name, value in settings.items())
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"Measured on {datetime.now(UTC).date()} on {platform.system()} {platform.machine()}, {_processor()}, "
        f"{os.cpu_count()} cores, with Python {platform.python_version()}, {packages}, PostgreSQL {server} ({told})."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return "unknown processor"

"""The hub as a process, on a database with programs that may send."""

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.benchmarks.offices import Created, Office, create, log_in, offices
from tests.benchmarks.server_process import ServerProcess
from tests.benchmarks.smshub import an_smshub

PROGRAMS = 20


@dataclass(frozen=True, kw_only=True)
class Hub:
    """`tokens` are one of each program."""

    process: ServerProcess
    programs: Sequence[Created]
    tokens: Sequence[str]


@contextmanager
def a_hub(
    kind: Literal["api", "serve"],
    database_url: str,
    folder: Path,
    *,
    programs: Sequence[Office] | None = None,
    environment: Mapping[str, str] | None = None,
    samples: Path | None = None,
) -> Iterator[Hub]:
    """`smshub api` or `smshub serve` on an empty database; with `PROGRAMS` programs where no others are given.

    `samples` is where it writes at its end what it was doing (see `sampled_hub`).
    """
    created = asyncio.run(create(database_url, offices(PROGRAMS) if programs is None else programs))
    if samples is None:
        running = an_smshub(kind, database_url, folder, environment=environment)
    else:
        running = an_smshub(
            kind,
            database_url,
            folder,
            environment={**(environment or {}), "SAMPLES": str(samples)},
            program=[sys.executable, "-m", "tests.benchmarks.sampled_hub"],
        )
    with running as process:
        yield Hub(process=process, programs=created, tokens=[log_in(process.port, each) for each in created])

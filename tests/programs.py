"""Programs in other languages, each in a process of its own."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from signal import SIGABRT

import pytest

from tests.patience import PATIENCE_S

# The Json.NET that Debian has.
_NEWTONSOFT = Path("/usr/lib/cli/Newtonsoft.Json-5.0")


@dataclass(frozen=True, slots=True)
class Ended:
    """What a program left when it ended: its exit status, and what it wrote."""

    status: int
    output: str
    complaint: str


def run_program(command: Sequence[str | Path], folder: Path, **environment: str) -> Ended:
    """In the folder, with nothing in its environment but this. It must end in time."""
    ended = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=PATIENCE_S,
    )
    if ended.returncode == -SIGABRT and "* Assertion at mono-threads.c" in ended.stdout:
        # On a busy machine one in a hundred programs ends so, when all that it had to do is done.
        pytest.skip("Mono failed at an assertion of its own.")
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def need(*tools: str) -> None:
    """Skips the test where one of the tools is missing."""
    for tool in tools:
        if which(tool) is None:
            pytest.skip(f"There is no {tool}: `make test-all` installs it.")


def compiled(source: Path) -> Sequence[str]:
    """Compiles C#; the command that runs it."""
    need("mcs", "mono")
    library = _NEWTONSOFT / "Newtonsoft.Json.dll"
    if not library.exists():
        pytest.skip(f"There is no {library}: `make test-all` installs it.")
    program = source.with_suffix(".exe")
    compiler = run_program(
        ["mcs", "-warnaserror", f"-out:{program}", "-r:System.Net.Http.dll", f"-r:{library}", source], source.parent
    )
    assert compiler.status == 0, compiler.complaint
    # On a busy machine Mono is slow to add threads to the few that it starts with, and calls wait for one.
    return ["env", f"MONO_PATH={_NEWTONSOFT}", "MONO_THREADS_PER_CPU=50", "mono", str(program)]

"""A newcomer: clones the repository and runs the README's two commands, as they stand there."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import httpx

from tests.docs.markdown import ROOT, SHELL, blocks
from tests.docs.reader import ENDS_WITH_THE_TESTS
from tests.ports import free_port

_URL = "http://127.0.0.1:8080"
_ENDS_WITHIN_S = 30


@dataclass(frozen=True, slots=True)
class Step:
    """`seconds` since the step before it."""

    name: str
    seconds: float


class Stuck(Exception):
    """With what the newcomer saw last."""


def commands() -> tuple[str, str]:
    """Of the first terminal and of the second."""
    block = next(each for each in blocks(ROOT / "README.md") if each.language == SHELL)
    first, _, second = block.text.partition("\n")
    return first, second


def walk(folder: Path, *, within_s: float, prepare: Callable[[Path], object] = lambda _: None) -> Sequence[Step]:
    """From a clone to a text that is delivered. `prepare` is given the clone before its first command.

    Raises `Stuck` where that is not reached in time, or a command fails. Nothing is left running.
    """
    started = time.monotonic()
    deadline = started + within_s
    clone, port, internal_port = folder / "sms-hub", free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    environment = _environment(OPTIONS=f"--port {port} --internal-port {internal_port}")
    make, curl = commands()
    times = [started]

    subprocess.run(["git", "clone", "--quiet", f"file://{ROOT}", clone], check=True, env=environment)
    times.append(time.monotonic())
    prepare(clone)
    with _a_terminal(make, clone, environment, folder / "terminal") as terminal:
        terminal.wait_for(lambda _: (clone / ".venv" / ".run-stamp").exists(), deadline)
        times.append(time.monotonic())
        terminal.wait_for(lambda output: "Ctrl-C" in output, deadline)
        times.append(time.monotonic())
        told = dict(re.findall(r"^ +(ProgramSID|ProgramKey) +(\S+)$", terminal.output, re.MULTILINE))
        for name, value in told.items():
            curl = curl.replace(f"{name}=…", f"{name}={value}")
        sent = subprocess.run(
            ["sh", "-c", curl.replace(_URL, url)],
            cwd=clone,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        times.append(time.monotonic())
        found = re.search(r'"Id": ?"([^"]+)"', sent.stdout) or terminal.give_up(sent.stdout + sent.stderr)
        with httpx.Client(base_url=url, trust_env=False) as http:
            token = http.post("/api/Login", data=told).raise_for_status().json()
            http.headers["Authorization"] = f"Bearer {token}"
            text = f"/api/TextMessages/{found[1]}/Deliveries"
            terminal.wait_for(lambda _: '"delivered"' in http.get(text).raise_for_status().text, deadline)
        times.append(time.monotonic())
    names = ("clone", "install", "start", "log in and send", "delivered")
    return [Step(name, then - before) for name, before, then in zip(names, times, times[1:], strict=False)]


class _Terminal:
    def __init__(self, process: subprocess.Popen[bytes], screen: Path) -> None:
        self._process = process
        self._screen = screen

    @property
    def output(self) -> str:
        return self._screen.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, seen: Callable[[str], bool], deadline: float) -> None:
        while not seen(self.output):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.give_up("")
            time.sleep(0.05)

    def give_up(self, why: str) -> NoReturn:
        raise Stuck(f"{self.output[-4_000:]}\n{why}")


@contextmanager
def _a_terminal(command: str, folder: Path, environment: Mapping[str, str], screen: Path) -> Iterator[_Terminal]:
    with screen.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", ENDS_WITH_THE_TESTS + command],
            cwd=folder,
            env={**environment, "TESTS": str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield _Terminal(process, screen)
    finally:
        for last in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, last)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDS_WITHIN_S)


def _environment(**more: str) -> Mapping[str, str]:
    """This one, without what belongs to the clone that this is, to `make` or to a hub."""
    theirs = {"PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PORT"}
    kept = {name: value for name, value in os.environ.items() if name not in theirs and not name.startswith("SMSHUB_")}
    return kept | {"PYTHON": sys.executable} | more

"""A server as a process of its own: how it is started and ended, and what the kernel (Linux) tells of it."""

import http.client
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.cpu import usage_of

_READY_WITHIN_S = 30.0
_STOPS_WITHIN_S = 30.0


class NeverReady(Exception):
    pass


@dataclass(frozen=True, kw_only=True)
class ServerProcess:
    pid: int
    port: int
    log: Path

    @property
    def cpu_s(self) -> float:
        """What all its threads have used so far, in user and in kernel mode."""
        return usage_of(self.pid).own_s

    @property
    def resident_mb(self) -> float:
        return self._memory_mb("VmRSS")

    @property
    def most_resident_mb(self) -> float:
        """The most it has ever been."""
        return self._memory_mb("VmHWM")

    def _memory_mb(self, name: str) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(f"{name}:"))


@contextmanager
def a_server(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    port: int,
    ready_port: int,
    log: Path,
    ready_path: str = "/readyz",
) -> Iterator[ServerProcess]:
    """It is ready when it answers `ready_path` at `ready_port`. Raises `NeverReady` with what it has logged."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_ready(process, ready_port, ready_path, log)
            yield ServerProcess(pid=process.pid, port=port, log=log)
        finally:
            _end(process)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        if _is_ready(port, path):
            return
        time.sleep(0.05)
    raise NeverReady(log.read_text(encoding="utf-8", errors="replace")[-4_000:])


def _is_ready(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

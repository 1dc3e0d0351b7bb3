"""The stand-in for Twilio as a process."""

import http.client
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.server_process import ServerProcess, a_server
from tests.ports import free_port

_LOG = "/_control/log"


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A text that came to the provider. `at_ns` is of the monotonic clock, which all processes share."""

    at_ns: int
    sender: str
    to: str
    status: int
    taken: bool


@dataclass(frozen=True, kw_only=True)
class Twilio:
    process: ServerProcess

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.process.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The hub's, for it to find this one."""
        return {"SMSHUB_TWILIO_API_BASE_URL": self.url}

    def arrivals(self) -> Sequence[Arrived]:
        connection = http.client.HTTPConnection("127.0.0.1", self.process.port, timeout=60)
        try:
            connection.request("GET", _LOG)
            told = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return [
            Arrived(
                at_ns=each["at_ns"],
                sender=each["sender"],
                to=each["to"],
                status=each["status"],
                taken=each["sid"] is not None,
            )
            for each in told
        ]


@contextmanager
def a_twilio(folder: Path, *, delay_ms: float = 0, intervals_us: Mapping[str, int] | None = None) -> Iterator[Twilio]:
    """Answers after `delay_ms`. A text that comes sooner after its sender's last than `intervals_us` is refused."""
    port = free_port()
    command = [sys.executable, "-m", "tests.stand_ins", "twilio", "--port", str(port), "--delay-ms", str(delay_ms)]
    command += ["--intervals-us", json.dumps(intervals_us or {})]
    log = folder / f"twilio-{port}.log"
    with a_server(command, os.environ, port=port, ready_port=port, ready_path=_LOG, log=log) as process:
        yield Twilio(process=process)

"""The hub as its operators run it: `smshub` in processes of their own, watched by log and ports, ended by signals."""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from signal import SIGTERM, Signals
from typing import Any, Self, TypeVar

import httpx
import structlog
from click.testing import CliRunner, Result

from entrypoints.cli import main
from tests.builders import numbers
from tests.import_path import import_path
from tests.patience import PATIENCE_S
from tests.ports import free_port

T = TypeVar("T")

SMSHUB = Path(sys.executable).with_name("smshub")

# 32 bytes in base64url.
SIGNING_KEYS = "test:Jqg3_saZJ29OLNWWhl_3iT1PMo1sXTb13gEguW-nToI"

SENDER = "+19705550100"

_TOLERANCE_US = 1_000


def eventually(look: Callable[[], T], *, within_s: float = PATIENCE_S, what: str = "") -> T:
    """What `look` gives as soon as that is true; an assertion that fails in it is not yet. Fails at the deadline."""
    deadline = time.monotonic() + within_s
    last: object = None
    while True:
        try:
            last = look()
            if last:
                return last
        except AssertionError as error:
            last = error
        assert time.monotonic() < deadline, f"not within {within_s} s: {what or look}; at last {last!r}"
        time.sleep(0.05)


def e164(count: int, *, first: int = 0) -> list[str]:
    """So many numbers that are nobody's."""
    return [number.e164 for number in numbers(count, first=first)]


def smshub(*arguments: str, environment: Mapping[str, str], stdin: str | None = None) -> Result:
    """Runs a command in this process, which is quicker. No setting but those of `environment` holds."""
    cleared = {name: None for name in os.environ if name.upper().startswith("SMSHUB_")}
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        return CliRunner().invoke(main, arguments, input=stdin, env={**cleared, **environment})
    finally:
        # The command's log goes to an output that is gone now.
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()
        # What SQLite's driver leaves running is the command's, too; should it fail, the test at hand fails.
        for thread in threading.enumerate():
            if "_connection_worker_thread" in thread.name:
                thread.join(PATIENCE_S)


@dataclass(frozen=True, slots=True)
class Credentials:
    program_id: str
    program_sid: str
    program_key: str
    sender_id: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call to the provider as the log has it. `at_us` is when it was begun, on the hub's clock."""

    delivery: int
    message: str
    program: str
    sender: int
    slot_us: int
    at_us: int


class HubProcess:
    """One `smshub`, or what `program` runs instead. It gets the given environment, PATH and the code at hand."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        port: int,
        internal_port: int,
        program: Sequence[str | Path] = (SMSHUB,),
    ) -> None:
        self.port = port
        self.internal_port = internal_port
        self.url = f"http://127.0.0.1:{port}"
        self._out = folder / f"{internal_port}-{time.monotonic_ns()}.out"
        self._err = self._out.with_suffix(".err")
        with self._out.open("w") as out, self._err.open("w") as err:
            self._process = subprocess.Popen(
                [*program, *arguments],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": import_path(), **environment},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def output(self) -> str:
        return self._out.read_text()

    @property
    def errors(self) -> str:
        return self._err.read_text()

    @property
    def log(self) -> Sequence[Mapping[str, Any]]:
        """The lines that have been written to their end."""
        lines = self.output.split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def logged(self, event: str) -> Sequence[Mapping[str, Any]]:
        return [line for line in self.log if line["event"] == event]

    @property
    def attempts(self) -> Sequence[Attempt]:
        return [
            Attempt(
                delivery=line["delivery"],
                message=line["message"],
                program=line["program"],
                sender=line["sender"],
                slot_us=line["slot_us"],
                at_us=line["slot_us"] + line["late_us"],
            )
            for line in self.logged("delivery_attempted")
        ]

    def readiness(self) -> tuple[int, Mapping[str, Any]]:
        """Status and body of /readyz; status 0 where nobody answers."""
        try:
            answer = self.get("/readyz")
        except httpx.TransportError:
            return 0, {}
        return answer.status_code, answer.json()

    def checks(self, *, status: int) -> Mapping[str, str]:
        """What /readyz rests its verdict on, if that is of the status; else empty."""
        answered, told = self.readiness()
        return told["checks"] if answered == status else {}

    def get(self, path: str) -> httpx.Response:
        """From the internal port."""
        # Without `verify` the client would read certificates for each call.
        return httpx.get(
            f"http://127.0.0.1:{self.internal_port}{path}", verify=False, timeout=PATIENCE_S, trust_env=False
        )

    def metric(self, sample: str) -> float:
        """A sample's value, by its name and labels as they are exposed; 0 where there is none."""
        lines = (line.rpartition(" ") for line in self.get("/metrics").text.splitlines())
        return next((float(value) for name, _, value in lines if name == sample), 0.0)

    def until_ready(self, *, within_s: float = PATIENCE_S) -> Self:
        def ready() -> bool:
            assert self.alive, f"ended with {self._process.returncode}: {self.errors or self.output}"
            return self.readiness()[0] == 200

        eventually(ready, within_s=within_s, what="ready")
        return self

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send_signal(self, number: Signals = SIGTERM) -> None:
        self._process.send_signal(number)

    def ended(self, *, within_s: float = PATIENCE_S) -> int:
        """The exit status, waited for."""
        return self._process.wait(within_s)

    def stop(self, number: Signals = SIGTERM, *, within_s: float = PATIENCE_S) -> int:
        self.send_signal(number)
        return self.ended(within_s=within_s)

    def kill(self) -> None:
        """Without any chance to tidy up, and not at all where it has ended already."""
        self._process.kill()
        self._process.wait()


class Caller:
    """A client program: logs in once and calls with its token, on a new connection each time."""

    def __init__(self, url: str, credentials: Credentials) -> None:
        self.credentials = credentials
        self.token = ""
        self.http = httpx.Client(
            base_url=url, headers={"Connection": "close"}, verify=False, timeout=PATIENCE_S, trust_env=False
        )

    def log_in(self) -> httpx.Response:
        credentials = {"ProgramSID": self.credentials.program_sid, "ProgramKey": self.credentials.program_key}
        answer = self.http.post("/api/Login", json=credentials)
        if answer.status_code == 200:
            self.token = answer.json()
        return answer

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path, headers={"Authorization": f"Bearer {self.token}"})

    def post(
        self, path: str, body: Mapping[str, object] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return self.http.post(path, json=body, headers={"Authorization": f"Bearer {self.token}", **(headers or {})})

    def send(self, numbers: Sequence[str], text: str = "Hello", **properties: object) -> str:
        """The id of the message."""
        answer = self.post("/api/TextMessages", {"Message": text, "PhoneNumber": ",".join(numbers), **properties})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["Id"])

    def cancel(self, message_id: str) -> Mapping[str, Any]:
        """What the hub says of it."""
        answer = self.post(f"/api/TextMessages/{message_id}/Cancel")
        assert answer.status_code == 200, answer.text
        canceled: Mapping[str, Any] = answer.json()
        return canceled

    def everything(self, *, page: int = 1000) -> Sequence[Mapping[str, Any]]:
        """All messages that the program has, read page by page."""
        items: list[Mapping[str, Any]] = []
        following = ""
        while True:
            answer = self.get(f"/api/TextMessages?Limit={page}{following}")
            assert answer.status_code == 200, answer.text
            items += answer.json()["Items"]
            if answer.json()["NextCursor"] is None:
                return items
            following = f"&Cursor={answer.json()['NextCursor']}"

    def counts(self, message_id: str) -> Mapping[str, int]:
        """How many deliveries are in which state."""
        answer = self.get(f"/api/TextMessages/{message_id}")
        assert answer.status_code == 200, answer.text
        counts: Mapping[str, int] = answer.json()["Counts"]
        return counts

    def until_delivered(self, message_id: str, count: int, *, within_s: float = PATIENCE_S) -> None:
        def all_delivered() -> bool:
            counts = self.counts(message_id)
            assert counts == {"delivered": count}, counts
            return True

        eventually(all_delivered, within_s=within_s, what="all delivered")

    def until_sent(self, message_id: str, count: int, *, within_s: float = PATIENCE_S) -> None:
        """Until all have been handed to the provider; of some it may have been heard already that they arrived."""

        def all_sent() -> bool:
            counts = self.counts(message_id)
            assert counts.get("sent", 0) + counts.get("delivered", 0) == count, counts
            return True

        eventually(all_sent, within_s=within_s, what="all sent")

    def deliveries(self, message_id: str) -> Sequence[Mapping[str, Any]]:
        answer = self.get(f"/api/TextMessages/{message_id}/Deliveries?Limit=1000")
        assert answer.status_code == 200, answer.text
        items: Sequence[Mapping[str, Any]] = answer.json()["Items"]
        return items


class Site:
    """A hub on one database, of any number of processes, which end with it. `settings` lack their prefix."""

    def __init__(self, database_url: str, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.environment = {
            "SMSHUB_DATABASE_URL": database_url,
            "SMSHUB_SIGNING_KEYS": SIGNING_KEYS,
            **{f"SMSHUB_{name.upper()}": value for name, value in settings.items()},
        }
        self._at_end = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._at_end.close()

    def serve(self) -> HubProcess:
        return self.start("serve")

    def api(self) -> HubProcess:
        return self.start("api")

    def dispatcher(self) -> HubProcess:
        return self.start("dispatcher")

    def start(
        self,
        command: str,
        *,
        port: int | None = None,
        internal_port: int | None = None,
        program: Sequence[str | Path] = (SMSHUB,),
        **environment: str,
    ) -> HubProcess:
        port, internal_port = port or free_port(), internal_port or free_port()
        arguments = [command, "--internal-port", str(internal_port)]
        if command != "dispatcher":
            arguments += ["--port", str(port)]
        process = HubProcess(
            arguments,
            environment={**self.environment, **environment},
            folder=self.folder,
            port=port,
            internal_port=internal_port,
            program=program,
        )
        self._at_end.callback(process.kill)
        return process

    def program(self, *, name: str = "City Hall", sender: str = SENDER, rate: str | None = None) -> Credentials:
        arguments = ["programs", "create", "--name", name, "--sender", sender, "--provider", "sandbox"]
        arguments += ["--output", "json"] + ([] if rate is None else ["--rate", rate])
        result = smshub(*arguments, environment=self.environment)
        assert result.exit_code == 0, result.output
        created = json.loads(result.stdout)
        return Credentials(created["ProgramId"], created["ProgramSID"], created["ProgramKey"], created["SenderId"])

    def send(self, program: Credentials, numbers: Sequence[str]) -> str:
        """By the operator's command, which needs no process to be running. The id of the message."""
        arguments = ["send", "--program", program.program_id, "--to", ",".join(numbers), "--message", "Hello"]
        result = smshub(*arguments, "--output", "json", environment=self.environment)
        assert result.exit_code == 0, result.output
        return str(json.loads(result.stdout)["Id"])

    def caller(self, process: HubProcess, credentials: Credentials) -> Caller:
        """Logged in at the process."""
        caller = Caller(process.url, credentials)
        self._at_end.callback(caller.http.close)
        answer = caller.log_in()
        assert answer.status_code == 200, answer.text
        return caller


def assert_paced(attempts: Iterable[Attempt], *, rate: float) -> None:
    """No two of one sender's attempts stand closer than its pace allows."""
    in_order = sorted(attempts, key=lambda each: each.at_us)
    early = [pair for pair in pairwise(in_order) if pair[1].at_us - pair[0].at_us < 1_000_000 / rate - _TOLERANCE_US]
    assert not early, f"{len(early)} of {len(in_order)} too early: {early[:5]}"


def assert_none_twice(attempts: Iterable[Attempt]) -> None:
    doubled = [delivery for delivery, count in Counter(each.delivery for each in attempts).items() if count > 1]
    assert not doubled

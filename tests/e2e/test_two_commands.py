"""What a newcomer does: start the demo in an empty directory, and paste the line that it prints."""

import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from signal import SIGINT, SIGTERM

import pytest

from tests.e2e.running import Caller, Credentials, HubProcess, assert_paced, e164, eventually
from tests.patience import PATIENCE_S
from tests.ports import free_port


class Demo:
    """`smshub demo` in one directory, again and again on the same ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ports = free_port(), free_port()
        self._started: list[HubProcess] = []

    def start(self, **environment: str) -> HubProcess:
        port, internal_port = self._ports
        arguments = ["demo", "--port", str(port), "--internal-port", str(internal_port)]
        process = HubProcess(
            arguments, environment=environment, folder=self.folder, port=port, internal_port=internal_port
        )
        self._started.append(process)
        process.until_ready()
        eventually(lambda: "Ctrl-C" in process.output)
        return process

    def close(self) -> None:
        for process in self._started:
            process.kill()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path)
    yield demo
    demo.close()


def credentials(process: HubProcess) -> Credentials:
    told = dict(re.findall(r"^ +(Program\w+) +(\S+)$", process.output, re.MULTILINE))
    return Credentials(told["ProgramId"], told["ProgramSID"], told["ProgramKey"])


def curl(process: HubProcess) -> str:
    lines = [line for line in process.output.splitlines() if line.startswith("curl ")]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl")
def test_the_printed_line_pasted_into_a_shell_sends_three_texts_at_one_per_second(demo: Demo) -> None:
    hub = demo.start(SMSHUB_LOG_FORMAT="json")
    pasted = curl(hub) + r" -w '\n%{http_code}'"
    answer = subprocess.run(["bash", "-c", pasted], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    body, _, status = answer.stdout.rpartition("\n")
    assert (status, answer.stderr) == ("200", "")

    caller = Caller(hub.url, credentials(hub))
    assert caller.log_in().status_code == 200
    message_id = re.findall(r'"Id":"([^"]+)"', body)[0]
    caller.until_delivered(message_id, 3)

    deliveries = caller.deliveries(message_id)
    caller.http.close()
    assert [each["PhoneNumber"] for each in deliveries] == ["+19706904544", "+19706904545", "+19706904546"]
    ended = [datetime.fromisoformat(each["UpdatedAt"]) for each in deliveries]
    assert ended == sorted(ended)
    assert [each.delivery for each in hub.attempts] == sorted(each.delivery for each in hub.attempts)
    assert len(hub.attempts) == 3
    assert_paced(hub.attempts, rate=1)


def test_a_second_start_keeps_program_and_keys(demo: Demo) -> None:
    first = demo.start()
    told = credentials(first)
    caller = Caller(first.url, told)
    caller.log_in()
    # So many that it is stopped with most of them waiting.
    message_id = caller.send(e164(50))
    assert first.stop(SIGTERM) == 0

    second = demo.start()
    assert credentials(second) == told
    assert curl(second) == curl(first)
    # The token of before is good, for the signing key is the same; and the text is still there.
    assert sum(caller.counts(message_id).values()) == 50
    assert caller.log_in().status_code == 200
    caller.http.close()
    assert second.stop(SIGINT) == 0

    assert [process.errors for process in (first, second)] == ["", ""]
    assert "Traceback" not in first.output + second.output
    for name in ("signing.key", "encryption.key", "demo-program.json"):
        assert stat.S_IMODE((demo.folder / "var" / name).stat().st_mode) == 0o600

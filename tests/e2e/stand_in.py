"""`smshub sandbox` as a process, and the commands that it prints."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from signal import SIGTERM, Signals
from typing import Any

from tests.e2e.running import SMSHUB
from tests.import_path import import_path


class StandIn:
    """`smshub sandbox` as a process; `told` is what it prints."""

    def __init__(self, folder: Path, *arguments: str, receipt_delay: str = "PT0.1S") -> None:
        self._err = folder / "stand-in.err"
        with self._err.open("w") as err:
            self._process = subprocess.Popen(
                [SMSHUB, "sandbox", *arguments, "--port", "0", "--output", "json", "--receipt-delay", receipt_delay],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": import_path()},
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )
        assert self._process.stdout is not None
        lines = iter(self._process.stdout.readline, "}\n")
        self.told: Mapping[str, Any] = json.loads("".join([*lines, "}"]))

    @property
    def errors(self) -> list[str]:
        return self._err.read_text().splitlines()

    @property
    def credentials(self) -> Mapping[str, str]:
        return {str(name): str(value) for name, value in self.told["Credentials"].items()}

    def stop(self, number: Signals = SIGTERM) -> int:
        self._process.send_signal(number)
        status = self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return status

    def kill(self) -> None:
        self._process.kill()
        self.stop()


def pasted(command: str, environment: Mapping[str, str]) -> str:
    """What a command prints that was pasted into a shell."""
    path = os.pathsep.join([str(SMSHUB.parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

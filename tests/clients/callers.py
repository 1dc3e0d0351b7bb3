"""Clients that are generated as anybody would generate them, and programs that use them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.http import RunningHub

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "openapi" / "sms-hub.yaml"
JOURNEYS = Path(__file__).parent / "journeys"
NODE_MODULES = ROOT / "requirements" / "npm" / "node_modules"

# Newtonsoft's library of today, which generated C# needs, and NSwag itself.
NSWAG = NODE_MODULES / "nswag" / "bin" / "binaries" / "Win"
NEWTONSOFT = NSWAG / "Newtonsoft.Json.dll"

STRICT_TYPESCRIPT = ("--strict", "--skipLibCheck", "--target", "es2022", "--module", "node16")


def tool(name: str) -> str:
    """Its path, beside this Python or anywhere; the test is skipped where it is missing."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"There is no {name}: `make test-all` installs it.")
    return found


def needs(file: Path) -> Path:
    if not file.exists():
        pytest.skip(f"There is no {file}: `make test-all` installs it.")
    return file


def run(*command: str | Path, folder: Path, **environment: str | Path) -> str:
    """What it prints; it must succeed."""
    process = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def generated(language: str, folder: Path) -> Path:
    """The client that `make clients` makes, in a folder of its own."""
    path = f"{Path(tool('openapi-generator-cli')).parent}{os.pathsep}{os.environ['PATH']}"
    run(ROOT / "clients" / "generate.sh", DOCUMENT, folder, language, folder=ROOT, PATH=path)
    return folder / language


@dataclass(frozen=True)
class Journey:
    """A program that has been through a journey: what it says it was told there, and what the hub says of the same."""

    told: Mapping[str, Any]
    hub: RunningHub

    def asked(self, path: str) -> Any:  # noqa: ANN401 - JSON
        response = self.hub.client.get(path, headers={"Authorization": f"Bearer {self.told['Token']}"})
        assert response.status_code == 200
        return response.json()


def through(hub: RunningHub, *command: str | Path, folder: Path, **environment: str | Path) -> Journey:
    """Sends a program that is given the hub's address and credentials of its own."""
    credentials = hub.create_program()
    arguments = (hub.url, credentials.sid, credentials.key)
    return Journey(json.loads(run(*command, *arguments, folder=folder, **environment)), hub)


def check_whole(journey: Journey) -> None:
    """That the client has told its program what the hub tells."""
    told = journey.told
    text = journey.asked(f"/api/TextMessages/{told['Id']}")
    deliveries = journey.asked(f"/api/TextMessages/{told['Id']}/Deliveries")["Items"]

    assert told["AgainId"] == told["Id"], "sent once"
    assert [each["Id"] for each in journey.asked("/api/TextMessages")["Items"]] == [text["Id"]]
    assert told["Listed"] == [text["Id"]]
    # Java's client does not write what is null.
    assert [told.get(each) for each in ("NextCursor", "SendAt", "Cost")] == [None] * 3
    assert (told["Status"], told["Priority"]) == (text["Status"], text["Priority"]) == ("delivered", "urgent")
    assert told["Counts"] == text["Counts"] == {"delivered": 2}
    assert moment(told["DateSent"]) == moment(text["DateSent"])
    assert moment(told["ExpiresAt"]) == moment(text["ExpiresAt"]) == datetime(2030, 1, 1, 17, 30, tzinfo=UTC)
    assert told["Numbers"] == [each["PhoneNumber"] for each in deliveries] == ["+19706904544", "+19706904545"]
    assert (told["Encoding"], told["Obstacle"]) == ("UCS-2", "…")
    assert told["Recipients"] == 1
    assert told["OptedOut"] == ["+19706904546", True]
    status, kind, detail, position = told["Refused"]
    assert (status, kind, position) == (422, "recipients-refused", 2)
    assert detail
    assert told["Stale"] == [401, "token-refused"]


def check_beginning(journey: Journey) -> None:
    told = journey.told
    text = journey.asked(f"/api/TextMessages/{told['Id']}")

    assert told["Priority"] == text["Priority"] == "urgent"
    assert moment(told["DateSent"]) == moment(text["DateSent"])
    assert (told["Encoding"], told["Audience"]) == ("UCS-2", None)
    assert told["Refused"] == [422, "recipients-refused", 2]


def moment(written: str) -> datetime:
    """To the millisecond: some languages know no smaller part."""
    read = datetime.fromisoformat(written).astimezone(UTC)
    return read.replace(microsecond=read.microsecond // 1000 * 1000)


def sources(folder: Path, ending: str) -> Sequence[Path]:
    found = sorted(folder.rglob(f"*{ending}"))
    assert found
    return found

"""The calls that the welcome page explains step by step work as they are shown, one after the other in one shell."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests.harmful_proxy import ProxiedHub
from tests.programs import need, run_program
from tests.samples.shown import step

SHELL = ("bash", "-eu", "-o", "pipefail")


def test_the_steps_lead_from_credentials_to_an_outcome(hub: ProxiedHub, tmp_path: Path) -> None:
    need("bash", "curl")
    program = hub.running.create_program()
    script = tmp_path / "steps.sh"
    script.write_text(
        "\n".join(
            [
                step(hub.running, "token"),
                f"{step(hub.running, 'send').rstrip()} >sent.json",
                """ID=$(grep -o '"Id":"[^"]*"' sent.json | cut -d '"' -f 4)""",
                f"{step(hub.running, 'read').rstrip()} >read.json",
                f"{step(hub.running, 'opt-out').rstrip()} >opted-out.json",
            ]
        ),
        encoding="utf-8",
    )

    ended = run_program([*SHELL, script], tmp_path, SMSHUB_PROGRAM_SID=program.sid, SMSHUB_PROGRAM_KEY=program.key)

    assert ended.status == 0, ended.complaint
    sent, read, opted_out = (
        json.loads((tmp_path / f"{name}.json").read_text()) for name in ("sent", "read", "opted-out")
    )
    (text,) = hub.texts_of(program)
    assert text["Id"] == sent["Id"] == read["Id"]
    assert text["PhoneNumber"] == "+19706904544"
    assert opted_out == {"PhoneNumber": "+19706904544", "DoNotText": True}


def test_the_credentials_are_named_as_the_other_steps_and_all_samples_read_them(hub: ProxiedHub) -> None:
    exported = [line.partition("=")[0] for line in step(hub.running, "credentials").splitlines()]

    assert exported == ["export SMSHUB_PROGRAM_SID", "export SMSHUB_PROGRAM_KEY"]


def test_a_client_is_generated(hub: ProxiedHub, tmp_path: Path) -> None:
    generator = Path(sys.executable).with_name("openapi-generator-cli")
    if not generator.exists():
        pytest.skip("There is no openapi-generator-cli: `make test-all` installs it.")
    script = tmp_path / "client.sh"
    script.write_text(step(hub.running, "client"), encoding="utf-8")

    ended = run_program([*SHELL, script], tmp_path, PATH=f"{generator.parent}:{os.environ['PATH']}")

    assert ended.status == 0, ended.complaint
    api = (tmp_path / "sms-hub-client" / "openapi_client" / "api" / "text_messages_api.py").read_text(encoding="utf-8")
    assert "def send_text_message(" in api

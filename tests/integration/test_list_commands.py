"""Lists that operators import and export: who is not to be texted, and what was sent."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import SENDER, SIGNING_KEYS, smshub
from tests.http import a_running_hub

# On SQLite it goes the same way.
MANY = {"postgresql": 100_000, "sqlite": 5_000}
# Of another request, meanwhile; a busy machine takes its time.
LONGEST_WAIT_S = 3


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    """Of a hub with a migrated database, once of each kind."""
    return {"SMSHUB_DATABASE_URL": database_url, "SMSHUB_SIGNING_KEYS": SIGNING_KEYS}


@pytest.fixture
def program(environment: dict[str, str]) -> str:
    created = smshub(
        *("programs", "create", "--name", "City Hall", "--provider", "sandbox", "--sender", SENDER, "--output", "json"),
        environment=environment,
    )
    return str(json.loads(created.stdout)["ProgramId"])


def imported(environment: dict[str, str], program: str, file: Path, *, status: int = 0) -> Any:  # noqa: ANN401 - JSON
    result = smshub("opt-outs", "import", "--program", program, str(file), "--output", "json", environment=environment)
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def exported(environment: dict[str, str], program: str) -> list[dict[str, str]]:
    result = smshub("opt-outs", "export", "--program", program, environment=environment)
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_a_hundred_thousand_opt_outs_are_imported_and_the_bad_lines_told(
    environment: dict[str, str], program: str, tmp_path: Path
) -> None:
    file = tmp_path / "opt-outs.csv"
    many = MANY[environment["SMSHUB_DATABASE_URL"].partition(":")[0]]
    lines = ["PhoneNumber,Since", *(f"+1{2_015_550_000 + each},2024-05-01T12:00:00Z" for each in range(many))]
    bad = {10: "+1970", many // 2: "nobody,2024-05-01T12:00:00Z", many: "+19705550100,some day"}
    for line, written in bad.items():
        lines[line - 1] = written
    file.write_text("\n".join(lines), encoding="utf-8")

    first = imported(environment, program, file, status=1)
    again = imported(environment, program, file, status=1)

    assert (first["Added"], first["Known"]) == (many - len(bad), 0)
    assert (again["Added"], again["Known"]) == (0, many - len(bad))
    assert [each["Line"] for each in first["BadLines"]] == list(bad)
    assert first["BadLines"] == again["BadLines"]
    assert len(exported(environment, program)) == many - len(bad)


def test_a_hundred_thousand_opt_outs_are_imported_by_a_program_while_others_are_answered(database_url: str) -> None:
    many = MANY[database_url.partition(":")[0]]
    body = "\n".join(["PhoneNumber", *(f"+1{2_015_550_000 + each}" for each in range(many))]).encode()
    answered = 0
    with a_running_hub(database_url) as hub, ThreadPoolExecutor(1) as aside:
        office = hub.an_office()
        headers = {**office.headers, "Content-Type": "text/csv"}
        importing = aside.submit(hub.client.post, "/api/OptOuts/Import", content=body, headers=headers, timeout=300)
        while not importing.done():
            text = {"Message": "Hello", "PhoneNumber": "+19706904544"}
            assert hub.client.post("/api/TextMessages", json=text, headers=office.headers).status_code == 200
            answered += 1
        again = hub.client.post("/api/OptOuts/Import", content=body, headers=headers, timeout=300)

    told = importing.result().json()
    assert told == {"Added": many, "Known": 0, "BadLines": [], "BadLinesInAll": 0}
    assert again.json() == {"Added": 0, "Known": many, "BadLines": [], "BadLinesInAll": 0}
    # More than the two that may be answered right before it begins and right after it ended.
    assert answered > 5


def test_what_is_exported_can_be_imported_elsewhere_and_runs_in_no_spreadsheet(
    environment: dict[str, str], program: str, tmp_path: Path
) -> None:
    file = tmp_path / "opt-outs.csv"
    file.write_text('PhoneNumber,Wording,Since\n970-690-4544,"=HYPERLINK(""x"")",2024-05-01\n', encoding="utf-8")
    imported(environment, program, file)

    (row,) = exported(environment, program)

    assert row == {
        "PhoneNumber": "+19706904544",
        "Since": "2024-05-01T00:00:00.000Z",
        "Wording": '\'=HYPERLINK("x")',
        "Scope": "program",
        "Method": "import",
        "Actor": "operator",
        "Reference": "line 2",
    }
    again = tmp_path / "again.csv"
    again.write_text(smshub("opt-outs", "export", "--program", program, environment=environment).stdout)
    assert imported(environment, program, again) == {"Added": 0, "Known": 1, "BadLines": [], "BadLinesInAll": 0}


def test_all_that_was_said_about_a_number_is_printed(environment: dict[str, str], program: str, tmp_path: Path) -> None:
    file = tmp_path / "opt-outs.csv"
    file.write_text("PhoneNumber,Wording\n+19706904544,Leave me alone\n", encoding="utf-8")
    smshub("opt-outs", "import", "--program", program, "--actor", "the dean", str(file), environment=environment)

    result = smshub("opt-outs", "events", "--number", "+19706904544", "--output", "json", environment=environment)
    told = smshub("opt-outs", "events", "--number", "+19706904544", environment=environment)

    (event,) = json.loads(result.stdout)
    assert (event["Consent"], event["Method"], event["Actor"]) == ("opt-out", "import", "the dean")
    assert (event["Wording"], event["ProgramId"], event["Scope"]) == ("Leave me alone", program, "program")
    assert "opt-out by import (the dean, 'Leave me alone') from program" in told.stdout


@pytest.mark.parametrize("command", ["import", "export"])
def test_a_program_that_is_not_there_is_told(environment: dict[str, str], tmp_path: Path, command: str) -> None:
    file = tmp_path / "opt-outs.csv"
    file.write_text("+19706904544\n", encoding="utf-8")
    arguments = [str(file)] if command == "import" else []

    result = smshub("opt-outs", command, "--program", "nobody", *arguments, environment=environment)

    assert result.exit_code == 1
    assert "no such program" in result.stderr.lower() or "there is no" in result.stderr.lower()


def test_a_programs_log_is_exported_with_what_became_of_each_text_in_words(
    environment: dict[str, str], program: str, tmp_path: Path
) -> None:
    file = tmp_path / "opt-outs.csv"
    file.write_text("+19706904545\n", encoding="utf-8")
    imported(environment, program, file)
    send = ("send", "--program", program, "--output", "json")
    ids = [
        json.loads(smshub(*send, "--to", to, "--message", text, environment=environment).stdout)["Id"]
        for to, text in (("+19706904544", "=SUM(A1)"), ("+19706904544,+19706904545", "Second"))
    ]

    result = smshub("messages", "export", "--program", program, environment=environment)
    rows = list(csv.DictReader(io.StringIO(result.stdout)))

    assert result.exit_code == 0, result.output
    assert [(row["Id"], row["PhoneNumber"], row["Message"], row["Status"], row["Reason"]) for row in rows] == [
        (ids[1], "+19706904544", "Second", "queued", ""),
        (ids[1], "+19706904545", "Second", "blocked", "opted-out"),
        (ids[0], "+19706904544", "'=SUM(A1)", "queued", ""),
    ]
    assert [row["Explanation"] for row in rows] == ["", "The recipient has asked not to be texted by you.", ""]
    none = smshub(
        "messages", "export", "--program", program, "--before", "2020-01-01T00:00:00Z", environment=environment
    )
    assert none.stdout.splitlines() == [",".join(rows[0])]

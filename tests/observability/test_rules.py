"""Alerts and what is recorded for them: each alert fires when it must, is silent when it must, and has a runbook."""

import re
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.observability.files import (
    PROMTOOL,
    ROOT,
    RULES,
    RUNBOOKS,
    UNIT_TESTS,
    alerts,
    dashboards,
    needs_promtool,
    panels,
    rules,
)

NAMES = sorted({rule["alert"] for rule in alerts()})
UNIT_TEST_FILES = sorted(UNIT_TESTS.glob("*.yaml"))

# Numbers that are large, or things that are old, where many texts wait for their pace: as they should.
BACKLOG = (
    "smshub_sender_queued_segments",
    "smshub_sender_completion_seconds",
    'state="queued"',
    'state="scheduled"',
    "queued|",
    "|queued",
)

HEADINGS = ["What it means", "What to look at", "What to do", "When to call somebody"]


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run([str(PROMTOOL), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("file", sorted(RULES.glob("*")), ids=lambda file: file.stem)
def test_promtool_finds_no_fault(file: Path) -> None:
    promtool("check", "rules", "--lint-fatal", file)


@needs_promtool
@pytest.mark.parametrize("file", UNIT_TEST_FILES, ids=lambda file: file.stem)
def test_it_fires_when_it_must_and_is_silent_when_it_must(file: Path) -> None:
    promtool("test", "rules", file)


@pytest.mark.parametrize("name", NAMES)
def test_there_is_a_case_that_fires_and_one_that_does_not(name: str) -> None:
    cases = yaml.safe_load((UNIT_TESTS / f"{name}.yaml").read_text(encoding="utf-8"))["tests"]
    looked_at = [look for case in cases for look in case["promql_expr_test"]]
    assert all(f'alertname="{name}"' in look["expr"] and 'alertstate="firing"' in look["expr"] for look in looked_at)
    fired = {sample["labels"] for look in looked_at for sample in look["exp_samples"]}
    for severity in (rule["labels"]["severity"] for rule in alerts() if rule["alert"] == name):
        assert any(f'severity="{severity}"' in labels for labels in fired)
    quiet = [look for look in looked_at if not look["exp_samples"]]
    # At any time, not only at the end.
    assert quiet
    assert all(look["expr"].startswith("count_over_time(") for look in quiet)


def test_no_unit_test_is_of_an_alert_that_is_gone() -> None:
    assert [file.stem for file in UNIT_TEST_FILES] == NAMES


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_an_alert_says_what_how_bad_and_what_to_read(rule: Mapping[str, Any]) -> None:
    assert re.fullmatch(r"SmsHub([A-Z][a-z]+)+", rule["alert"])
    assert rule["labels"] == {"severity": rule["labels"]["severity"]}
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["for"]
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert all(rule["annotations"][each].endswith(".") for each in ("summary", "description"))


def test_two_alerts_of_one_name_differ_in_severity() -> None:
    counted = Counter((rule["alert"], rule["labels"]["severity"]) for rule in alerts())
    assert set(counted.values()) == {1}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_no_alert_looks_at_how_much_waits_or_how_old_it_is(rule: Mapping[str, Any]) -> None:
    assert not [sign for sign in BACKLOG if sign in rule["expr"]]


def test_nothing_that_is_recorded_looks_at_it_either() -> None:
    assert not [rule for rule in rules() for sign in BACKLOG if "record" in rule and sign in rule["expr"]]


def test_rules_are_plain_files() -> None:
    """A chart puts its own address before each `runbook_url`, by its text: it stands in one line and in one form."""
    lines = [line for file in RULES.glob("*") for line in file.read_text(encoding="utf-8").splitlines()]
    links = [line.strip() for line in lines if "runbook_url" in line]
    assert sorted(links) == sorted(f"runbook_url: docs/operations/runbooks/{rule['alert']}.md" for rule in alerts())


# runbooks


def test_each_alert_has_a_runbook_and_each_runbook_its_alert() -> None:
    assert sorted(file.stem for file in RUNBOOKS.glob("*.md") if file.stem != "README") == NAMES
    assert all((ROOT / rule["annotations"]["runbook_url"]).is_file() for rule in alerts())


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_tells_what_to_do(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    for severity in {rule["labels"]["severity"] for rule in alerts() if rule["alert"] == name}:
        assert f"**{severity}**" in text


@pytest.mark.parametrize("name", NAMES)
def test_what_a_runbook_refers_to_is_there(name: str) -> None:
    file = RUNBOOKS / f"{name}.md"
    for link in re.findall(r"\]\(([^)#]+)", file.read_text(encoding="utf-8")):
        assert (file.parent / link).exists(), link


@pytest.mark.parametrize("name", NAMES)
def test_the_panels_that_a_runbook_points_to_are_there(name: str) -> None:
    boards = {board["title"].removeprefix("SMS Hub / "): file for file, board in dashboards().items()}
    there = {(file, panel["title"]) for file, panel in panels()}
    told = re.findall(r"\*([A-Z][a-z ]+)\s→\s([^*]+)\*", (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8"))
    for board, panel in told:
        # Prometheus' own page.
        if (board, panel) != ("Status", "Targets"):
            assert (boards[board], re.sub(r"\s+", " ", panel)) in there

"""The dashboards as files: they are those that the code makes, and fit for any Grafana that they are put into.

Many of these rules are those of Grafana's own dashboard linter.
"""

import re
import subprocess
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards import FOLDER, rendered
from tests.observability.files import PROMTOOL, Shown, dashboards, metrics_in, needs_promtool, panels, queries, recorded

CHOICES = {"datasource", "namespace", "job", "instance"}
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Of Grafana's own, and `suffix:` for what it has no word for.
UNITS = {"short", "s", "percentunit", "reqps", "bytes", "suffix: /s", "suffix: cores"}


def test_the_files_are_those_that_the_code_makes() -> None:
    there = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*")}
    assert there == rendered(), "stale: `make dashboards` writes them anew"


def test_there_is_one_for_each_subject() -> None:
    assert dashboards().keys() == {"overview", "senders", "providers", "programs"}


def test_uids_and_titles_are_unique_and_say_whose_they_are() -> None:
    uids = [each["uid"] for each in dashboards().values()]
    titles = [each["title"] for each in dashboards().values()]
    assert len(set(uids)) == len(set(titles)) == len(dashboards())
    assert all(re.fullmatch(r"sms-hub-[a-z]{1,32}", uid) for uid in uids)
    assert all(title.startswith("SMS Hub / ") for title in titles)


@pytest.mark.parametrize("name", dashboards())
def test_it_can_be_put_into_any_grafana(name: str) -> None:
    board = dashboards()[name]
    assert board["id"] is None
    assert board["schemaVersion"] >= 36
    assert board["editable"] is False
    assert board["refresh"] == "30s"
    assert board["description"].endswith(".")
    assert board["tags"] == ["sms-hub"]


@pytest.mark.parametrize("name", dashboards())
def test_data_source_and_processes_are_chosen_above_it(name: str) -> None:
    variables = {each["name"]: each for each in dashboards()[name]["templating"]["list"]}
    assert variables.keys() >= CHOICES
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    for each in list(variables.values())[1:]:
        assert each["datasource"] == DATASOURCE
        assert each["includeAll"]
        assert each["allValue"] == ".*"
        assert each["label"]


@pytest.mark.parametrize("name", dashboards())
def test_no_choice_is_without_effect(name: str) -> None:
    board = dashboards()[name]
    asked = " ".join(target["expr"] for panel in board["panels"] for target in panel.get("targets", []))
    for each in board["templating"]["list"][1:]:
        assert f"${each['name']}" in asked


@pytest.mark.parametrize("name", dashboards())
def test_panels_have_ids_of_their_own_and_places_of_their_own(name: str) -> None:
    placed = dashboards()[name]["panels"]
    assert len({panel["id"] for panel in placed}) == len(placed)
    places = [panel["gridPos"] for panel in placed]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart or below, (one, other)


def test_panels_of_a_dashboard_have_titles_of_their_own() -> None:
    titles = [(name, panel["title"]) for name, panel in panels()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(("name", "panel"), [pytest.param(*each, id=f"{each[0]}-{each[1]['id']}") for each in panels()])
def test_each_panel_says_what_it_shows_of_whom_in_which_unit(name: str, panel: Mapping[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith("."), name
    assert panel["datasource"] == DATASOURCE
    assert panel["targets"]
    assert all(target["datasource"] == DATASOURCE for target in panel["targets"])
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    units = {panel["fieldConfig"]["defaults"]["unit"]}
    units |= {each["value"] for rule in panel["fieldConfig"]["overrides"] for each in rule["properties"]}
    assert units <= UNITS


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.name)
def test_each_query_looks_at_what_is_chosen(query: Shown) -> None:
    """But for what rules record and for alerts, which know no process."""
    selectors = re.findall(r"\b([a-zA-Z_:][\w:]*)\{([^}]*)\}", query.expr)
    assert selectors
    for metric, matchers in selectors:
        assert 'namespace=~"$namespace"' in matchers
        if ":" not in metric and metric != "ALERTS":
            assert 'job=~"$job"' in matchers
            assert 'instance=~"$instance"' in matchers
    bare = re.findall(r"\b(?:smshub|process)_\w+\b(?!\{)", query.expr)
    assert not bare


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.name)
def test_rates_are_over_an_interval_that_suits_the_scrapes(query: Shown) -> None:
    ranges = re.findall(r"\[([^\]]+)\]", query.expr)
    assert set(ranges) <= {"$__rate_interval", "15m", "30m", "1h"}
    assert bool(ranges) == bool(re.search(r"\b(rate|increase)\(", query.expr))


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.name)
def test_a_legend_names_labels_that_the_query_keeps(query: Shown) -> None:
    named = set(re.findall(r"\{\{(\w+)\}\}", query.legend))
    grouped = {label for labels in re.findall(r"\bby \(([^)]*)\)", query.expr) for label in labels.split(", ")}
    assert not grouped or named <= grouped


def test_what_is_recorded_is_recorded_by_a_rule() -> None:
    shown = {name for query in queries() for name in re.findall(r"\bsmshub:[\w:]+", query.expr)}
    assert shown
    assert shown <= recorded()


@needs_promtool
def test_every_query_is_promql(tmp_path: Path) -> None:
    """Prometheus' own tool parses them, as rules."""
    made = [{"record": f"panel:{index}", "expr": query.asked()} for index, query in enumerate(queries())]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": made}]}))
    checked = subprocess.run([str(PROMTOOL), "check", "rules", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_metric_of_the_hub_has_a_panel_or_a_reason_to_have_none() -> None:
    documented = (FOLDER.parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^\| `(smshub_\w+)` \|", documented, re.MULTILINE))
    shown = {name for query in queries() for name in metrics_in(query.expr)}
    # It is told at the start of a process, and never changes.
    assert known - shown == {"smshub_unknown_settings"}

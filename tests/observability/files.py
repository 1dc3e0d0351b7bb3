"""What the chart brings for Prometheus and Grafana, as it lies there."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "helm" / "sms-hub" / "rules"
DASHBOARDS = ROOT / "helm" / "sms-hub" / "dashboards"
RUNBOOKS = ROOT / "docs" / "operations" / "runbooks"
UNIT_TESTS = ROOT / "tests" / "observability" / "alerts"

PROMTOOL = shutil.which("promtool")

needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="needs promtool of Debian's prometheus, which `make test-all` installs"
)


@cache
def rules() -> Sequence[Mapping[str, Any]]:
    """All of them: those that alert and those that record."""
    files = sorted(RULES.glob("*.yaml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> Sequence[Mapping[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def recorded() -> frozenset[str]:
    """The names that rules record."""
    return frozenset(rule["record"] for rule in rules() if "record" in rule)


@cache
def dashboards() -> Mapping[str, Mapping[str, Any]]:
    """By the names of their files."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(DASHBOARDS.glob("*.json"))}


@dataclass(frozen=True, slots=True)
class Shown:
    """A query of a panel."""

    dashboard: str
    panel: Mapping[str, Any]
    expr: str
    legend: str

    @property
    def name(self) -> str:
        return f"{self.dashboard}: {self.panel['title']}"

    def asked(self, *, rate_interval: str = "5m") -> str:
        """As Grafana asks it where everything is chosen."""
        return re.sub(r"\$(?!__)\w+", ".*", self.expr.replace("$__rate_interval", rate_interval))


def panels() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Those that show something, with the name of their dashboard's file."""
    for name, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            if panel["type"] != "row":
                yield name, panel


def queries() -> Sequence[Shown]:
    return [
        Shown(name, panel, target["expr"], target["legendFormat"])
        for name, panel in panels()
        for target in panel["targets"]
    ]


def metrics_in(expr: str) -> frozenset[str]:
    """The hub's metrics as they are exposed: a histogram's parts by the histogram's name."""
    names = re.findall(r"\bsmshub_[a-z_]+\b", expr)
    return frozenset(re.sub(r"_(bucket|count|sum)$", "", name) for name in names)

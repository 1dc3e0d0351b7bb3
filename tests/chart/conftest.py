"""The chart with rules and dashboards in it, whatever it ships."""

import json
import shutil
from pathlib import Path

import pytest

CHART = Path(__file__).parents[2] / "helm" / "sms-hub"

RULES = """
groups:
  - name: sms-hub.late
    rules:
      - alert: SmsHubLate
        expr: max(smshub_overdue_seconds) > 5
        for: 5m
        annotations:
          summary: Texts are {{ $value }} s late in {{ $labels.namespace }}.
"""
DASHBOARD = {"title": "Texts", "templating": "{{ instance }}"}


@pytest.fixture
def filled_chart(tmp_path: Path) -> Path:
    """A copy with one file more in each folder, and one that has no rules."""
    chart = tmp_path / "sms-hub"
    shutil.copytree(CHART, chart)
    for folder in ("rules", "dashboards"):
        (chart / folder).mkdir(exist_ok=True)
    (chart / "rules" / "late_texts.yaml").write_text(RULES)
    (chart / "rules" / "late_texts_test.yaml").write_text("rule_files: [late_texts.yaml]\n")
    (chart / "dashboards" / "texts.json").write_text(json.dumps(DASHBOARD))
    return chart


@pytest.fixture
def empty_chart(tmp_path: Path) -> Path:
    """A copy with neither rules nor dashboards."""
    chart = tmp_path / "sms-hub"
    shutil.copytree(CHART, chart, ignore=shutil.ignore_patterns("rules", "dashboards"))
    return chart

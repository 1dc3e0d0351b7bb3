"""Rules and dashboards are files of the chart; whatever is in them stays as it is."""

import json
from pathlib import Path

import yaml

from tests.chart.conftest import DASHBOARD, RULES
from tests.chart.rendering import render, rendered_case
from tests.chart.values import MONITORING, hub


def test_a_file_of_rules_becomes_an_object_as_it_is(filled_chart: Path) -> None:
    rule = render(hub(MONITORING), chart=filled_chart).the("PrometheusRule", "-late-texts")
    assert rule["spec"] == yaml.safe_load(RULES)
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    assert rule["metadata"]["namespace"] == "monitoring"


def test_a_file_without_rules_becomes_nothing(filled_chart: Path) -> None:
    assert not render(hub(MONITORING), chart=filled_chart).of("PrometheusRule", "-test")


def test_a_dashboard_becomes_a_config_map_that_the_sidecar_finds(filled_chart: Path) -> None:
    rendered = render(hub(MONITORING), chart=filled_chart).the("ConfigMap", "-texts")
    assert json.loads(rendered["data"]["texts.json"]) == DASHBOARD
    assert rendered["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert rendered["metadata"]["annotations"] == {"grafana_folder": "SMS"}
    other = hub(
        MONITORING, {"dashboards": {"labels": {"grafana_dashboard": None, "shown": "yes"}, "namespace": "grafana"}}
    )
    placed = render(other, chart=filled_chart).the("ConfigMap", "-texts")
    assert "grafana_dashboard" not in placed["metadata"]["labels"]
    assert placed["metadata"]["labels"]["shown"] == "yes"
    assert placed["metadata"]["namespace"] == "grafana"


def test_an_empty_folder_becomes_nothing(empty_chart: Path) -> None:
    rendered = render(hub(MONITORING), chart=empty_chart)
    assert not rendered.of("PrometheusRule")
    assert len(rendered.of("ConfigMap")) == 1


def test_neither_is_made_unless_it_is_asked_for(filled_chart: Path) -> None:
    rendered = render(hub(), chart=filled_chart)
    assert not rendered.of("PrometheusRule")
    assert len(rendered.of("ConfigMap")) == 1


def test_prometheus_calls_the_job_as_the_chart_is_called() -> None:
    """Whatever the release's name, so that rules and dashboards fit."""
    rendered = rendered_case("monitoring")
    spec = rendered.the("ServiceMonitor")["spec"]
    assert spec["namespaceSelector"] == {"matchNames": ["texts"]}
    jobs = {each["metadata"]["labels"][spec["jobLabel"]] for each in rendered.of("Service", "-metrics")}
    assert jobs == {"sms-hub"}

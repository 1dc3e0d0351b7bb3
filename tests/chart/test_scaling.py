"""Autoscalers and disruption budgets."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from entrypoints.telemetry.metrics import Metrics
from tests.chart.rendering import render, rendered_case
from tests.chart.values import AUTOSCALED_API, BY_EXTERNAL_METRIC, BY_KEDA, hub

LATENESS = {"smshub_overdue_seconds", "smshub_send_late_seconds_bucket"}


def queries() -> list[str]:
    triggers = rendered_case("dispatchers by KEDA").the("ScaledObject")["spec"]["triggers"]
    return [each["metadata"]["query"] for each in triggers if each["type"] == "prometheus"]


def test_the_interface_is_scaled_by_its_use_of_cpu() -> None:
    spec = rendered_case("api by CPU").the("HorizontalPodAutoscaler", "-api")["spec"]
    (metric,) = spec["metrics"]
    assert metric["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}


def test_dispatchers_are_scaled_by_lateness_and_kept_while_they_are_busy() -> None:
    lateness, cpu = rendered_case("dispatchers by an external metric").the("HorizontalPodAutoscaler")["spec"]["metrics"]
    assert lateness["external"]["metric"] == {
        "name": "smshub_overdue_seconds",
        "selector": {"matchLabels": {"namespace": "texts"}},
    }
    assert lateness["external"]["target"] == {"type": "Value", "value": "1"}
    assert cpu["resource"]["name"] == "cpu"
    (alone,) = rendered_case("dispatchers by lateness alone").the("HorizontalPodAutoscaler")["spec"]["metrics"]
    assert alone == lateness


def test_keda_asks_for_lateness_of_this_release_and_for_nothing_else() -> None:
    asked = {name for query in queries() for name in re.findall(r"\bsmshub_\w+", query)}
    assert asked == LATENESS
    assert all('{namespace="texts",job="sms-hub"}' in query for query in queries())


def test_what_keda_asks_for_is_measured() -> None:
    metrics = Metrics()
    metrics.late_seconds.labels("sandbox").observe(0.1)
    assert {each.name for family in metrics.registry.collect() for each in family.samples} >= LATENESS


LABELS = 'namespace="texts",job="sms-hub"'
BUCKETS = [f'smshub_send_late_seconds_bucket{{{LABELS},le="{le}"}}' for le in ("0.1", "0.5", "+Inf")]


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool, of Debian's package prometheus")
@pytest.mark.parametrize(
    ("series", "waiting", "late"),
    [
        # Two dispatchers tell the same; another release is none of ours.
        (
            {
                f'smshub_overdue_seconds{{{LABELS},pod="a"}}': "0.1x10",
                f'smshub_overdue_seconds{{{LABELS},pod="b"}}': "4x10",
                'smshub_overdue_seconds{namespace="other",job="sms-hub"}': "9x10",
            },
            [{"labels": "{}", "value": 4}],
            [{"labels": "{}", "value": 0}],
        ),
        # Nothing is sent.
        (dict.fromkeys(BUCKETS, "7x10"), [], [{"labels": "{}", "value": 0}]),
        # Everything is late by more than 0.1 s and less than 0.5 s.
        (
            dict(zip(BUCKETS, ("0x10", "0+60x10", "0+60x10"), strict=True)),
            [],
            [{"labels": "{}", "value": 0.496}],
        ),
    ],
    ids=["waiting", "idle", "late"],
)
def test_prometheus_answers_what_keda_is_to_know(
    series: dict[str, str], waiting: list[object], late: list[object], tmp_path: Path
) -> None:
    asked = [
        {"expr": query, "eval_time": "10m", "exp_samples": waiting if "overdue" in query else late}
        for query in queries()
    ]
    told = [{"series": name, "values": values} for name, values in series.items()]
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"tests": [{"interval": "1m", "input_series": told, "promql_expr_test": asked}]}))
    tested = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_each_kind_of_lateness_has_its_own_measure() -> None:
    triggers = rendered_case("dispatchers by KEDA").the("ScaledObject")["spec"]["triggers"]
    thresholds = {
        name: each["metadata"]["threshold"]
        for each in triggers
        for name in LATENESS
        if name in each["metadata"].get("query", "")
    }
    assert thresholds == {"smshub_overdue_seconds": "1", "smshub_send_late_seconds_bucket": "0.25"}


def test_an_answer_that_says_nothing_is_not_taken_for_no_lateness() -> None:
    spec = rendered_case("dispatchers by KEDA").the("ScaledObject")["spec"]
    asking = [each for each in spec["triggers"] if each["type"] == "prometheus"]
    assert {each["metadata"]["ignoreNullValues"] for each in asking} == {"false"}
    assert {each["metricType"] for each in asking} == {"Value"}
    assert spec["fallback"] == {"failureThreshold": 3, "replicas": 3}


def test_one_autoscaler_rules_dispatchers() -> None:
    assert not rendered_case("dispatchers by KEDA").of("HorizontalPodAutoscaler")
    assert not rendered_case("dispatchers by an external metric").of("ScaledObject")


def budgets(*values: Any) -> set[str]:  # noqa: ANN401 - JSON
    return {each["metadata"]["name"] for each in render(hub(*values)).of("PodDisruptionBudget")}


def test_a_budget_is_made_only_where_more_than_one_pod_is_sure_to_be_there() -> None:
    assert budgets() == {"hub-sms-hub-api", "hub-sms-hub-dispatcher"}
    assert budgets({"api": {"replicas": 1}}) == {"hub-sms-hub-dispatcher"}
    assert budgets(AUTOSCALED_API, {"api": {"replicas": 1}}) == {"hub-sms-hub-api", "hub-sms-hub-dispatcher"}
    assert budgets({"api": {"autoscaling": {"enabled": True, "minReplicas": 1}}}) == {"hub-sms-hub-dispatcher"}
    assert budgets({"api": {"pdb": {"enabled": False}}}, BY_EXTERNAL_METRIC) == {"hub-sms-hub-dispatcher"}
    assert budgets({"dispatcher": {"autoscaling": {"minReplicas": 1}}}, BY_KEDA) == {"hub-sms-hub-api"}


def test_a_budget_says_one_thing() -> None:
    assert "minAvailable" not in rendered_case("as it comes").the("PodDisruptionBudget", "-api")["spec"]
    by_what_stays = rendered_case("budgets by what stays").the("PodDisruptionBudget", "-api")["spec"]
    assert by_what_stays["minAvailable"] == "50%"
    assert "maxUnavailable" not in by_what_stays

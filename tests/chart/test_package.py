"""The chart as a whole."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.chart.rendering import CHART, helm, render, rendered_case
from tests.chart.values import CASES, DEMO, INGRESS, OLDEST_AND_NEWEST, TEST, hub

ROOT = CHART.parents[1]
GUIDE = (ROOT / "docs" / "operations" / "kubernetes.md").read_text()
METADATA = yaml.safe_load((CHART / "Chart.yaml").read_text())


@pytest.mark.parametrize("case", CASES)
def test_lint_has_nothing_to_say(case: str) -> None:
    found = helm.lint(CHART, dict(CASES[case]), strict=True)
    assert not found["errors"]
    assert [each for each in found["messages"] if "icon is recommended" not in str(each)] == []


def test_it_is_packaged_and_the_package_renders_the_same(tmp_path: Path) -> None:
    helm.package(CHART, destination=tmp_path)
    (package,) = tmp_path.glob("*.tgz")
    assert package.name == f"sms-hub-{METADATA['version']}.tgz"
    assert render(CASES["everything"], chart=package) == rendered_case("everything")


def test_by_default_it_installs_the_hub_of_its_own_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert METADATA["appVersion"] == project["version"]


def test_helm_installs_it_from_the_oldest_kubernetes_on_that_its_objects_are_checked_for() -> None:
    assert METADATA["kubeVersion"] == f">={OLDEST_AND_NEWEST[0]}.0-0"
    client = helm.Config(namespace="texts", storage_driver="memory")
    released = client.install(CHART, "hub", dict(CASES["as it comes"]), dry_run="client")
    assert released["manifest"].count("\nkind: Deployment\n") == 2


def test_its_readme_shows_the_values_as_they_are() -> None:
    script = runpy.run_path(str(ROOT / "helm" / "values_table.py"))
    assert script["README"].read_text() == script["readme"](), "make chart-docs"


@pytest.mark.parametrize("values", re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))
def test_the_values_of_the_guide_are_taken(values: str) -> None:
    given = yaml.safe_load(values)
    assert render(given if "secrets" in given else hub(given)).of("Deployment", "-api")


def test_templates_never_ask_what_the_cluster_has() -> None:
    """Rendered without a cluster, they would silently leave things out."""
    templates = "".join(file.read_text() for file in (CHART / "templates").rglob("*") if file.is_file())
    assert len(templates) > 10_000
    assert "Capabilities" not in templates


def test_notes_tell_what_comes_next() -> None:
    plain = rendered_case("as it comes").notes
    assert "exec deployment/hub-sms-hub-api -- smshub programs create" in plain
    assert "SMSHUB_PUBLIC_URL is not set" in plain
    assert "helm --namespace texts test hub" not in plain
    assert "helm --namespace texts test hub" in render(hub(TEST)).notes
    assert "SMSHUB_TRUSTED_PROXIES is not set" in render(hub(INGRESS)).notes
    demo = render(DEMO).notes
    assert "get secret hub-sms-hub-demo" in demo
    assert not re.search("programs create|PUBLIC_URL is not set", demo)


def test_extra_objects_are_rendered() -> None:
    names = {each["metadata"]["name"] for each in rendered_case("extra objects").of("ConfigMap")}
    assert names == {"hub-a", "hub-sms-hub-b", "hub-sms-hub"}


def test_hosts_of_ingress_and_route_are_rendered() -> None:
    hosts = [rule["host"] for rule in rendered_case("Ingress").the("Ingress")["spec"]["rules"]]
    assert hosts == ["sms.texts.example", "www.example"]
    assert rendered_case("HTTPRoute").the("HTTPRoute")["spec"]["hostnames"] == ["sms.texts.example"]

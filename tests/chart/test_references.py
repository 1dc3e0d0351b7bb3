"""What one object says of another is so."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from entrypoints.settings import PREFIX, Settings
from tests.chart.rendering import NAMESPACE, Object, Rendered, containers, rendered_case, variables
from tests.chart.values import CASES

# Made by hand in these cases, or allowed to be missing.
ELSEWHERE = {"made-by-hand", "sandbox-program", "database-ca", "ca", "elsewhere", "pull"}
SETTINGS = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}

every_case = pytest.mark.parametrize("case", CASES)


def found_under(key: str, value: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
    """Everything that is called so, however deep."""
    match value:
        case Mapping():
            for name, each in value.items():
                if name == key:
                    yield each
                yield from found_under(key, each)
        case list():
            for each in value:
                yield from found_under(key, each)


def keys_of(rendered: Rendered, kind: str, name: str) -> set[str]:
    held: Object = next((each for each in rendered.of(kind) if each["metadata"]["name"] == name), {})
    return {*held.get("data", ()), *held.get("stringData", ())}


def fits(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return bool(selector) and selector.items() <= labels.items()


@every_case
def test_selectors_choose_pods_of_one_kind(case: str) -> None:
    rendered = rendered_case(case)
    labels = [pod["metadata"]["labels"] for _, pod in rendered.pods()]
    for deployment in rendered.of("Deployment"):
        spec = deployment["spec"]
        assert fits(spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"])
    selectors = [each["spec"]["selector"] for each in rendered.of("Service")]
    selectors += [each["spec"]["selector"]["matchLabels"] for each in rendered.of("PodDisruptionBudget")]
    selectors += [each["spec"]["podSelector"]["matchLabels"] for each in rendered.of("NetworkPolicy")]
    selectors += [
        each["labelSelector"]["matchLabels"]
        for _, pod in rendered.pods()
        for each in pod["spec"].get("topologySpreadConstraints", ())
    ]
    assert selectors
    for selector in selectors:
        assert [fits(selector, each) for each in labels].count(True) == 1, selector


@every_case
def test_names_are_unique_and_short_enough_for_labels(case: str) -> None:
    names = [
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        for each in rendered_case(case).objects
    ]
    assert len(names) == len(set(names))
    assert max(len(name) for _, _, name in names) <= 63


@every_case
def test_everything_says_whose_it_is_and_where(case: str) -> None:
    for each in rendered_case(case).objects:
        if each["metadata"]["name"] not in {"hub-a", "hub-sms-hub-b"}:
            assert each["metadata"]["labels"]["app.kubernetes.io/instance"] == "hub"
            assert each["metadata"]["namespace"] in {NAMESPACE, "monitoring"}


@every_case
def test_whatever_a_pod_takes_from_secrets_and_config_maps_is_there(case: str) -> None:
    rendered = rendered_case(case)
    for owner, pod in rendered.pods():
        for reference, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            for each in found_under(reference, pod["spec"]):
                if each["name"] not in ELSEWHERE and not each.get("optional"):
                    assert each["key"] in keys_of(rendered, kind, each["name"]), f"{owner}: {each}"
        names = {each["name"] for each in found_under("configMapRef", pod["spec"])}
        names |= {each["secretName"] for each in found_under("secret", pod["spec"])}
        there = {each["metadata"]["name"] for each in (*rendered.of("ConfigMap"), *rendered.of("Secret"))}
        assert names <= there | ELSEWHERE
        claims = {each["claimName"] for each in found_under("persistentVolumeClaim", pod["spec"])}
        assert claims <= {each["metadata"]["name"] for each in rendered.of("PersistentVolumeClaim")}


@every_case
def test_volumes_and_mounts_belong_together(case: str) -> None:
    for _, pod in rendered_case(case).pods():
        volumes = [each["name"] for each in pod["spec"]["volumes"]]
        mounted = {each["name"] for container in containers(pod) for each in container["volumeMounts"]}
        assert len(volumes) == len(set(volumes))
        assert set(volumes) == mounted


@every_case
def test_ports_that_are_named_are_there_and_their_names_are_short(case: str) -> None:
    rendered = rendered_case(case)
    for _, pod in rendered.pods():
        for container in containers(pod):
            ports = [each["name"] for each in container.get("ports", ())]
            assert all(len(name) <= 15 for name in ports)
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                assert container.get(probe, {}).get("httpGet", {"port": "internal"})["port"] in {*ports, "internal"}
    for service in rendered.of("Service"):
        (chosen,) = [pod for _, pod in rendered.pods() if fits(service["spec"]["selector"], pod["metadata"]["labels"])]
        ports = [each["name"] for container in containers(chosen) for each in container.get("ports", ())]
        assert {each["targetPort"] for each in service["spec"]["ports"]} <= set(ports)
    offered = {each["name"]: each["port"] for each in rendered.the("Service", "-api")["spec"]["ports"]}
    for ingress in rendered.of("Ingress"):
        backends = list(found_under("service", ingress["spec"]))
        assert {each["port"]["name"] for each in backends} <= set(offered)
        assert {each["name"] for each in backends} == {rendered.the("Service", "-api")["metadata"]["name"]}
    for route in rendered.of("HTTPRoute"):
        (backend,) = route["spec"]["rules"][0]["backendRefs"]
        assert backend["port"] in offered.values()
        assert backend["name"] == rendered.the("Service", "-api")["metadata"]["name"]
    for monitor in rendered.of("ServiceMonitor"):
        chosen_services = [
            each
            for each in rendered.of("Service")
            if fits(monitor["spec"]["selector"]["matchLabels"], each["metadata"]["labels"])
        ]
        assert len(chosen_services) == len(rendered.of("Deployment"))
        (endpoint,) = monitor["spec"]["endpoints"]
        assert all(each["spec"]["ports"][0]["name"] == endpoint["port"] for each in chosen_services)


@every_case
def test_the_service_of_callers_does_not_offer_the_internal_port(case: str) -> None:
    assert [each["name"] for each in rendered_case(case).the("Service", "-api")["spec"]["ports"]] == ["http"]


@every_case
def test_every_variable_of_the_hub_is_a_setting(case: str) -> None:
    rendered = rendered_case(case)
    names = {name for _, pod in rendered.pods() for container in containers(pod) for name in variables(container)}
    names |= {name for each in rendered.of("ConfigMap") for name in each.get("data", ())}
    ours = {name for name in names if name.startswith(PREFIX)}
    assert ours
    assert ours <= SETTINGS


@every_case
def test_no_variable_is_given_twice(case: str) -> None:
    for _, pod in rendered_case(case).pods():
        for container in containers(pod):
            names = [each["name"] for each in container.get("env", ())]
            assert len(names) == len(set(names))


@every_case
def test_autoscalers_rule_a_deployment_that_leaves_the_number_to_them(case: str) -> None:
    rendered = rendered_case(case)
    ruled = {
        each["spec"]["scaleTargetRef"]["name"]
        for kind in ("HorizontalPodAutoscaler", "ScaledObject")
        for each in rendered.of(kind)
    }
    deployments = {each["metadata"]["name"]: each["spec"] for each in rendered.of("Deployment")}
    assert ruled <= set(deployments)
    for name, spec in deployments.items():
        assert ("replicas" in spec) is (name not in ruled)


@every_case
def test_autoscalers_have_room(case: str) -> None:
    rendered = rendered_case(case)
    for each in rendered.of("HorizontalPodAutoscaler"):
        assert 1 <= each["spec"]["minReplicas"] <= each["spec"]["maxReplicas"]
    for each in rendered.of("ScaledObject"):
        assert 1 <= each["spec"]["minReplicaCount"] <= each["spec"]["maxReplicaCount"]

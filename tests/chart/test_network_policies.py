"""Network policies let in and out what the hub needs, and nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.chart.rendering import Object, main_container, render, rendered_case
from tests.chart.values import CASES, hub, merged

POLICIES = ("network policies", "narrow network policies", "plain migration")
MONITORING = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]


def rules(case: str, component: str, direction: str) -> Mapping[int, Sequence[Object]]:
    """The peers of each port that is open; an empty list of peers is everybody. Port 0 is every port."""
    policy = rendered_case(case).the("NetworkPolicy", f"-{component}")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    peers: dict[int, Any] = {}
    for rule in policy["spec"][direction]:
        for port in rule.get("ports", [{"port": 0}]):
            peers[port["port"]] = rule.get("from" if direction == "ingress" else "to", [])
    return peers


@pytest.mark.parametrize("case", POLICIES)
def test_every_pod_has_a_policy(case: str) -> None:
    rendered = rendered_case(case)
    selected = [each["spec"]["podSelector"]["matchLabels"] for each in rendered.of("NetworkPolicy")]
    for _, pod in rendered.pods():
        assert any(each.items() <= pod["metadata"]["labels"].items() for each in selected)


def test_there_are_none_unless_they_are_asked_for() -> None:
    assert not rendered_case("as it comes").of("NetworkPolicy")


@pytest.mark.parametrize("component", ["api", "dispatcher"])
@pytest.mark.parametrize(
    ("case", "peers"), [("network policies", [{"namespaceSelector": {}}]), ("narrow network policies", MONITORING)]
)
def test_prometheus_comes_in_where_the_probes_are_answered(case: str, peers: Sequence[Object], component: str) -> None:
    container = main_container(rendered_case(case).pod(f"-{component}"))
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert rules(case, component, "ingress")[ports["internal"]] == peers


def test_callers_come_in_to_the_interface_alone() -> None:
    assert rules("network policies", "api", "ingress").keys() == {8080, 9090}
    assert rules("network policies", "api", "ingress")[8080] == []
    assert rules("network policies", "dispatcher", "ingress").keys() == {9090}
    assert rules("network policies", "migration", "ingress") == {}


def test_named_clients_come_in_and_the_releases_own_test() -> None:
    test = rendered_case("narrow network policies").pod("-test")
    *clients, own = rules("narrow network policies", "api", "ingress")[8080]
    assert clients == MONITORING
    assert own["podSelector"]["matchLabels"].items() <= test["metadata"]["labels"].items()


def test_only_dispatchers_reach_the_world() -> None:
    assert rules("network policies", "api", "egress").keys() == {53, 5432}
    assert rules("network policies", "migration", "egress").keys() == {53, 5432}
    assert rules("network policies", "dispatcher", "egress").keys() == {53, 5432, 443}
    providers = rules("network policies", "dispatcher", "egress")[443]
    assert "10.0.0.0/8" in providers[0]["ipBlock"]["except"]


def test_the_interface_reaches_the_identity_provider_where_there_is_one() -> None:
    with_one = {
        "networkPolicy": {"enabled": True},
        "config": {"SMSHUB_OIDC_ISSUER": "https://idp.example/realms/campus"},
    }
    place = [{"ipBlock": {"cidr": "198.51.100.7/32"}}]
    for peers in ([], place):
        rendered = render(hub(merged(with_one, {"networkPolicy": {"identityProvider": peers}})))
        policy = rendered.the("NetworkPolicy", "-api")
        (rule,) = [each for each in policy["spec"]["egress"] if each["ports"] == [{"port": 443, "protocol": "TCP"}]]
        assert rule.get("to", []) == peers
        assert rendered.the("ConfigMap")["data"]["SMSHUB_OIDC_ISSUER"] == "https://idp.example/realms/campus"


def test_the_database_is_where_it_was_said_to_be() -> None:
    for component in ("api", "dispatcher", "migration"):
        peers = rules("narrow network policies", component, "egress")
        assert peers[5432] == [{"ipBlock": {"cidr": "10.1.2.3/32"}}]
        assert peers[0] == MONITORING  # the further rules


def test_a_demo_calls_nobody() -> None:
    assert rules("demo that keeps", "demo", "egress") == {}
    assert rules("demo that keeps", "demo", "ingress").keys() == {8080, 9090}


def test_the_test_reaches_the_interface_alone() -> None:
    for case in ("narrow network policies", "demo that keeps"):
        peers = rules(case, "test", "egress")
        assert peers.keys() == {53, 8080}
        (front,) = peers[8080]
        component = "-demo" if "demo" in CASES[case] else "-api"
        labels = rendered_case(case).pod(component)["metadata"]["labels"]
        assert front["podSelector"]["matchLabels"].items() <= labels.items()

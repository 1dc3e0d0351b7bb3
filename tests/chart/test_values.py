"""Values that cannot be meant are refused, with a message that names them."""

import json
from typing import Any

import pytest
import yaml

from entrypoints.settings import PREFIX, Settings
from tests.chart.rendering import CHART, helm, render
from tests.chart.values import AUTOSCALED_API, BY_KEDA, DEMO, EXISTING, SECRETS, hub, merged

SECRET_SETTINGS = {"database_url", "signing_keys", "encryption_keys", "key_peppers", "mail_url", "oidc_client_secret"}
# What processes listen on is the chart's own matter, and how they get their secrets.
OWN_SETTINGS = {"host", "signing_keys_file", "encryption_keys_file", "key_peppers_file", "oidc_client_secret_file"}

REFUSED_BY_SCHEMA: list[tuple[dict[str, Any], str]] = [
    ({"replicas": 2}, "additional properties 'replicas' not allowed"),
    ({"api": {"replicaz": 2}}, "at '/api': additional properties 'replicaz' not allowed"),
    ({"api": {"replicas": 0}}, "at '/api/replicas': minimum: got 0, want 1"),
    ({"api": {"replicas": "2"}}, "at '/api/replicas': got string, want integer"),
    ({"api": {"podAnnotations": {"a": 1}}}, "at '/api/podAnnotations/a': got number, want string"),
    ({"api": {"extraEnv": {"A": "b"}}}, "at '/api/extraEnv': got object, want array"),
    ({"api": {"probes": {"liveness": {"path": "/"}}}}, "at '/api/probes/liveness': additional properties 'path'"),
    ({"api": {"resources": {"limit": {}}}}, "at '/api/resources': additional properties 'limit'"),
    ({"api": {"pdb": {"maxUnavailable": "half"}}}, "at '/api/pdb/maxUnavailable': 'half' does not match"),
    ({"api": {"service": {"type": "ExternalName"}}}, "at '/api/service/type': value must be one of 'ClusterIP'"),
    ({"dispatcher": {"autoscaling": {"engine": "vpa"}}}, "at '/dispatcher/autoscaling/engine': value must be one of"),
    ({"dispatcher": {"autoscaling": {"minReplicas": 0}}}, "at '/dispatcher/autoscaling/minReplicas': minimum"),
    ({"dispatcher": {"autoscaling": {"targetLateSeconds": 1}}}, "targetLateSeconds': got number, want string"),
    ({"dispatcher": {"service": {}}}, "at '/dispatcher': additional properties 'service' not allowed"),
    ({"config": {"SMSHUB_LOG_LEVLE": "info"}}, "at '/config': additional properties 'SMSHUB_LOG_LEVLE' not allowed"),
    ({"config": {"SMSHUB_SIGNING_KEYS": "k:a"}}, "additional properties 'SMSHUB_SIGNING_KEYS' not allowed"),
    ({"config": {"SMSHUB_DATABASE_URL": "x"}}, "additional properties 'SMSHUB_DATABASE_URL' not allowed"),
    ({"config": {"SMSHUB_LOG_LEVEL": "loud"}}, "at '/config/SMSHUB_LOG_LEVEL': value must be one of"),
    ({"config": {"SMSHUB_STOP_GRACE": "20s"}}, "at '/config/SMSHUB_STOP_GRACE': '20s' does not match pattern"),
    ({"config": {"SMSHUB_STOP_GRACE": "PT"}}, "at '/config/SMSHUB_STOP_GRACE': 'PT' does not match pattern"),
    ({"config": {"SMSHUB_PUBLIC_URL": "sms.example"}}, "at '/config/SMSHUB_PUBLIC_URL': 'sms.example' does not match"),
    ({"secrets": {"values": {"databaseUrl": "sqlite:///a.db"}}}, "at '/secrets/values/databaseUrl'"),
    ({"secrets": {"values": {"signingKeys": "no key"}}}, "at '/secrets/values/signingKeys'"),
    ({"secrets": {"values": {"mailUrl": "https://mail.example"}}}, "at '/secrets/values/mailUrl'"),
    ({"config": {"SMSHUB_MAIL_FROM": "City Hall"}}, "at '/config/SMSHUB_MAIL_FROM': 'City Hall' does not match"),
    ({"config": {"SMSHUB_OIDC_ISSUER": "http://idp.example"}}, "at '/config/SMSHUB_OIDC_ISSUER'"),
    ({"secrets": {"values": {"password": "x"}}}, "additional properties 'password' not allowed"),
    ({"image": {"digest": "sha256:123"}}, "at '/image/digest': 'sha256:123' does not match"),
    ({"image": {"tag": "a b"}}, "at '/image/tag': 'a b' does not match"),
    ({"image": {"pullPolicy": "Sometimes"}}, "at '/image/pullPolicy': value must be one of"),
    ({"imagePullSecrets": ["pull"]}, "at '/imagePullSecrets/0': got string, want object"),
    ({"migration": {"hook": "no"}}, "at '/migration/hook': got string, want boolean"),
    ({"ingress": {"hosts": ["sms.example"]}}, "at '/ingress/hosts/0': got string, want object"),
    ({"ingress": {"hosts": [{"host": "a", "paths": [{"path": "/"}]}]}}, "missing property 'pathType'"),
    ({"serviceMonitor": {"interval": "30"}}, "at '/serviceMonitor/interval': '30' does not match"),
    ({"networkPolicy": {"dispatcher": {"egres": []}}}, "at '/networkPolicy/dispatcher': additional properties 'egres'"),
    ({"demo": {"persistence": {"size": "big"}}}, "at '/demo/persistence/size': 'big' does not match"),
]

REFUSED_BY_CHART: list[tuple[dict[str, Any], str]] = [
    ({}, "secrets.values.databaseUrl is missing: give the address of your PostgreSQL"),
    ({"secrets": {"values": {"databaseUrl": "postgresql://a"}}}, "secrets.values.signingKeys is missing: `smshub keys"),
    ({"secrets": merged(SECRETS, EXISTING)}, "secrets.existingSecret and secrets.values exclude each other"),
    (hub(DEMO), "demo.enabled makes a database and keys of its own"),
    (merged(DEMO, {"secrets": EXISTING}), "demo.enabled makes a database and keys of its own"),
    (hub({"image": {"tag": "latest"}}), "image.tag is latest: name a version"),
    (hub({"database": {"tls": {"caSecret": "a", "caConfigMap": "b"}}}), "database.tls.caConfigMap exclude each other"),
    (
        hub({"api": {"terminationGracePeriodSeconds": 39}}),
        "api.terminationGracePeriodSeconds is 39, and a stop takes up to 40 s: preStopSeconds 5, config.SMSHUB",
    ),
    (
        hub({"dispatcher": {"terminationGracePeriodSeconds": 60}, "config": {"SMSHUB_STOP_GRACE": "PT1M"}}),
        "dispatcher.terminationGracePeriodSeconds is 60, and a stop takes up to 75 s",
    ),
    (
        hub(AUTOSCALED_API, {"api": {"autoscaling": {"minReplicas": 11}}}),
        "api.autoscaling.minReplicas is 11, more than its maxReplicas, 10",
    ),
    (
        hub(BY_KEDA, {"dispatcher": {"autoscaling": {"maxReplicas": 1}}}),
        "dispatcher.autoscaling.minReplicas is 2, more than its maxReplicas, 1",
    ),
    (
        hub(AUTOSCALED_API, {"api": {"resources": {"requests": {"cpu": None}}}}),
        "api.resources.requests.cpu, which is missing",
    ),
    (
        hub(BY_KEDA, {"dispatcher": {"autoscaling": {"keda": {"serverAddress": ""}}}}),
        "dispatcher.autoscaling.keda.serverAddress is missing",
    ),
    (hub({"api": {"pdb": {"minAvailable": 2}}}), "api.pdb.minAvailable is 2 and there may be no more than 2 Pods"),
    (hub({"ingress": {"enabled": True}}), "ingress.hosts is missing"),
    (hub({"httpRoute": {"enabled": True}}), "httpRoute.parentRefs is missing"),
]


def schema() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
    return read


@pytest.mark.parametrize(("values", "message"), REFUSED_BY_SCHEMA, ids=[message for _, message in REFUSED_BY_SCHEMA])
def test_the_schema_refuses(values: dict[str, Any], message: str) -> None:
    with pytest.raises(helm.HelmValuesError) as refused:
        render(hub(values))
    assert message in str(refused.value)


@pytest.mark.parametrize(("values", "message"), REFUSED_BY_CHART, ids=[message for _, message in REFUSED_BY_CHART])
def test_the_chart_refuses(values: dict[str, Any], message: str) -> None:
    with pytest.raises(helm.HelmRenderError) as refused:
        render(values)
    assert message in str(refused.value)


def test_enough_time_to_stop_is_taken_as_it_is_given() -> None:
    pod = render(hub({"api": {"terminationGracePeriodSeconds": 41}})).pod("-api")
    assert pod["spec"]["terminationGracePeriodSeconds"] == 41


def test_every_setting_that_is_no_secret_may_be_set() -> None:
    left_out = SECRET_SETTINGS | OWN_SETTINGS
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields if name not in left_out}
    assert set(schema()["properties"]["config"]["properties"]) == known


def test_every_value_is_in_the_schema_and_no_other() -> None:
    """Down to where Kubernetes' own objects begin."""
    definitions = schema()["definitions"]

    def compare(values: dict[str, Any], described: dict[str, Any], path: str) -> None:
        described = definitions[described["$ref"].rpartition("/")[2]] if "$ref" in described else described
        if "properties" not in described:
            return
        assert described["additionalProperties"] is False, path
        if path not in {".config", ".api.resources", ".dispatcher.resources"} and not path.endswith(
            (".resources", ".startup", ".liveness", ".readiness")
        ):
            assert set(values) == set(described["properties"]) - {"global"}, path
        for name, value in values.items():
            if isinstance(value, dict):
                compare(value, described["properties"][name], f"{path}.{name}")

    compare(yaml.safe_load((CHART / "values.yaml").read_text()), schema(), "")

"""What is rendered is what Kubernetes, and those who extend it, take: without an unknown field or a wrong type."""

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.chart.rendering import Object, render, rendered_case
from tests.chart.values import CASES, OLDEST_AND_NEWEST

kubernetes_validate = pytest.importorskip(
    "kubernetes_validate", reason="needs requirements/chart.txt, which `make test-all` installs"
)
jsonschema = pytest.importorskip("jsonschema")

CUSTOM = {"monitoring.coreos.com", "keda.sh", "gateway.networking.k8s.io"}
CONTRACTS = os.environ.get("PROVIDER_CONTRACTS_DIR")


def is_custom(each: Object) -> bool:
    return each["apiVersion"].partition("/")[0] in CUSTOM


@cache
def custom_schema(api_version: str, kind: str) -> Mapping[str, Any]:
    group, _, version = api_version.partition("/")
    schema: Mapping[str, Any] = json.loads(
        (Path(CONTRACTS or "") / "crds" / f"{group}_{kind.lower()}_{version}.json").read_text()
    )
    return schema


@cache
def fault(text: str, version: str) -> str:
    """What Kubernetes would say; looked up, as most objects are the same in many cases."""
    try:
        kubernetes_validate.validate(json.loads(text), version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{error.json_path}: {error.message}"
    return ""


@pytest.mark.parametrize("version", OLDEST_AND_NEWEST)
@pytest.mark.parametrize("case", CASES)
def test_kubernetes_takes_every_object(case: str, version: str) -> None:
    objects = [each for each in rendered_case(case).objects if not is_custom(each)]
    assert objects
    for each in objects:
        assert not fault(json.dumps(each, sort_keys=True), version), each


@pytest.mark.parametrize("version", OLDEST_AND_NEWEST)
def test_the_check_sees_an_unknown_field(version: str) -> None:
    service = dict(rendered_case("as it comes").the("Service", "hub-api"))
    service["spec"] = {**service["spec"], "sessionAffinty": "None"}
    assert "sessionAffinty" in fault(json.dumps(service), version)


@pytest.mark.skipif(CONTRACTS is None, reason="PROVIDER_CONTRACTS_DIR names no folder with schemas")
@pytest.mark.parametrize("case", ["dispatchers by KEDA", "HTTPRoute", "monitoring", "demo that keeps", "everything"])
def test_those_who_extend_kubernetes_take_every_object(case: str, filled_chart: Path) -> None:
    custom = [each for each in render(CASES[case], chart=filled_chart).objects if is_custom(each)]
    assert custom
    for each in custom:
        jsonschema.Draft7Validator(custom_schema(each["apiVersion"], each["kind"])).validate(each)

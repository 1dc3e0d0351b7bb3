"""A real Kubernetes takes every object, where there is one: nothing is made there, it is only asked."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping

import pytest

from tests.chart.rendering import Object, rendered_case
from tests.chart.values import CASES

KUBECONFIG = os.environ.get("SMSHUB_TEST_KUBECONFIG") or os.environ.get("KUBECONFIG")

pytestmark = [
    pytest.mark.skipif(KUBECONFIG is None, reason="SMSHUB_TEST_KUBECONFIG and KUBECONFIG name no cluster"),
    pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl"),
]


def kubectl(*arguments: str, given: str = "") -> str:
    environment: Mapping[str, str] = {**os.environ, "KUBECONFIG": KUBECONFIG or ""}
    result = subprocess.run(
        ["kubectl", *arguments], env=environment, input=given, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def known_kinds() -> set[str]:
    """As the cluster need not have what extends it."""
    return {line.split()[-1] for line in kubectl("api-resources", "--no-headers").splitlines()}


@pytest.mark.parametrize("case", CASES)
def test_the_server_takes_every_object(case: str, known_kinds: set[str]) -> None:
    # A namespace that is only asked about is not there for what would be in it.
    def placed(each: Object) -> Object:
        metadata = {name: value for name, value in each["metadata"].items() if name != "namespace"}
        return {**each, "metadata": metadata}

    items = [placed(each) for each in rendered_case(case).objects if each["kind"] in known_kinds]
    assert items
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    told = kubectl(
        "apply", "--dry-run=server", "--validate=strict", "--namespace=default", "--filename=-", given=manifest
    )
    assert told.count("(server dry run)") == len(items)

"""The chart as Helm's own engine renders it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.values import CASES

helm = pytest.importorskip(
    "helm_python", reason="needs requirements/chart.txt, which `make test-all` installs", exc_type=ImportError
)

CHART = Path(__file__).parents[2] / "helm" / "sms-hub"
RELEASE = "hub"
NAMESPACE = "texts"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same in C, where PyYAML was built with it

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Rendered:
    objects: Sequence[Object]
    notes: str

    def of(self, kind: str, name: str = "") -> Sequence[Object]:
        """Those of a kind, whose names end so."""
        return [each for each in self.objects if each["kind"] == kind and each["metadata"]["name"].endswith(name)]

    def the(self, kind: str, name: str = "") -> Object:
        found = self.of(kind, name)
        assert len(found) == 1, f"{len(found)} of {kind} {name}"
        return found[0]

    def pods(self) -> Iterator[tuple[str, Object]]:
        """Every Pod that comes of it, with the name of its object: `metadata` and `spec` of each."""
        for each in self.objects:
            match each["kind"]:
                case "Deployment" | "Job":
                    yield each["metadata"]["name"], each["spec"]["template"]
                case "Pod":
                    yield each["metadata"]["name"], each

    def pod(self, name: str) -> Object:
        found = [pod for owner, pod in self.pods() if owner.endswith(name)]
        assert len(found) == 1, f"{len(found)} Pods of {name}"
        return found[0]


def render(values: Mapping[str, Any], *, chart: Path = CHART, release: str = RELEASE) -> Rendered:
    """Raises what Helm raises: `HelmValuesError` for the schema, `HelmRenderError` for the chart's own checks."""
    with helm.Chart.load(chart) as loaded:  # rendering changes a chart, so each has its own
        files = loaded.render(dict(values), name=release, namespace=NAMESPACE)
    manifests = {path: text for path, text in files.items() if path.endswith(".yaml")}
    loaded_texts = (yaml.load_all(text, _LOADER) for _, text in sorted(manifests.items()))
    objects = [each for documents in loaded_texts for each in documents if each is not None]
    return Rendered(objects, next(text for path, text in files.items() if path.endswith("NOTES.txt")))


@cache
def rendered_case(case: str) -> Rendered:
    """Rendered once for all tests, which therefore change nothing of it."""
    return render(CASES[case])


def containers(pod: Object) -> Sequence[Object]:
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def main_container(pod: Object) -> Object:
    container: Object
    (container,) = pod["spec"]["containers"]
    return container


def variables(container: Object) -> Mapping[str, Object]:
    return {each["name"]: each for each in container.get("env", ())}

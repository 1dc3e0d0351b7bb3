"""The demo's Pod, and the Pod of `helm test`, run here: their commands on this machine, with what they are given."""

import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.rendering import Object, Rendered, main_container, render, rendered_case, variables
from tests.chart.values import DEMO, hub, merged
from tests.e2e.running import SMSHUB, HubProcess
from tests.patience import PATIENCE_S
from tests.ports import free_port

DATABASE = "sqlite:////data/smshub.db"


@pytest.fixture(scope="module")
def demo() -> Rendered:
    return render(DEMO)


def environment(rendered: Rendered, container: Object, folder: Path) -> dict[str, str]:
    """What the container is given, with its volume in the folder."""
    given = {"PATH": f"{SMSHUB.parent}:{os.environ['PATH']}"}
    for name, variable in variables(container).items():
        match variable:
            case {"value": value}:
                given[name] = value.replace("/data/", f"{folder}/")
            case {"valueFrom": {"secretKeyRef": reference}}:
                given[name] = b64decode(rendered.the("Secret")["data"][reference["key"]]).decode()
    return given


def prepare(rendered: Rendered, folder: Path) -> None:
    (container,) = rendered.pod("-demo")["spec"]["initContainers"]
    subprocess.run(container["command"], env=environment(rendered, container, folder), check=True, timeout=PATIENCE_S)


@pytest.fixture
def hub_process(demo: Rendered, tmp_path: Path) -> Iterator[HubProcess]:
    """As the demo's Pod starts, twice: its volume may outlive it."""
    prepare(demo, tmp_path)
    prepare(demo, tmp_path)
    container = main_container(demo.pod("-demo"))
    port, internal_port = free_port(), free_port()
    here = {"0.0.0.0": "127.0.0.1", "8080": str(port), "9090": str(internal_port)}
    process = HubProcess(
        [here.get(each, each) for each in container["args"]],
        environment=environment(demo, container, tmp_path),
        folder=tmp_path,
        port=port,
        internal_port=internal_port,
    )
    yield process.until_ready()
    process.kill()


def helm_test(rendered: Rendered, folder: Path, **other: str) -> subprocess.CompletedProcess[str]:
    container = main_container(rendered.pod("-test"))
    program, *arguments = container["command"]
    assert program == "python3"
    return subprocess.run(
        [sys.executable, *arguments],
        env={**environment(rendered, container, folder), **other},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_the_demo_sends_and_its_test_passes(demo: Rendered, hub_process: HubProcess, tmp_path: Path) -> None:
    result = helm_test(demo, tmp_path, HUB_URL=hub_process.url)
    assert result.returncode == 0, result.stderr
    assert "It is delivered" in result.stdout
    refused = helm_test(demo, tmp_path, HUB_URL=hub_process.url, PROGRAM_KEY="another")
    assert refused.returncode == 1
    assert "/api/Login answers 401" in refused.stderr


def test_keys_are_made_anew_for_each_demo(demo: Rendered) -> None:
    there, other = demo.the("Secret")["data"], render(DEMO).the("Secret")["data"]
    assert {name for name in there if there[name] != other[name]} == {"signing-keys", "encryption-keys", "program-key"}


def test_a_demo_is_one_pod_and_nothing_else_that_runs(demo: Rendered) -> None:
    assert [owner for owner, _ in demo.pods()] == ["hub-sms-hub-demo", "hub-sms-hub-test"]
    spec = demo.the("Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert variables(main_container(demo.pod("-demo")))["SMSHUB_DATABASE_URL"]["value"] == DATABASE


def test_a_demo_keeps_its_database_where_it_is_told_to(demo: Rendered) -> None:
    def data(rendered: Rendered) -> Object:
        volume: Object
        (volume,) = [each for each in rendered.pod("-demo")["spec"]["volumes"] if each["name"] == "data"]
        return volume

    assert data(demo) == {"name": "data", "emptyDir": {}}
    kept = rendered_case("demo that keeps")
    claim = kept.the("PersistentVolumeClaim")["metadata"]["name"]
    assert data(kept) == {"name": "data", "persistentVolumeClaim": {"claimName": claim}}


def test_there_is_no_test_without_a_program_for_it() -> None:
    assert not rendered_case("as it comes").of("Pod")


def test_the_test_takes_its_program_from_the_secret_that_was_named() -> None:
    given = variables(main_container(rendered_case("test").pod("-test")))
    assert given["PROGRAM_SID"]["valueFrom"]["secretKeyRef"] == {"name": "sandbox-program", "key": "sid"}
    assert given["PROGRAM_KEY"]["valueFrom"]["secretKeyRef"] == {"name": "sandbox-program", "key": "key"}


@pytest.mark.parametrize(
    ("public_url", "path"),
    [("https://sms.example", ""), ("https://sms.example/", ""), ("https://a.example/sms", "/sms")],
)
def test_the_test_calls_the_service_under_the_hubs_own_prefix(public_url: str, path: str) -> None:
    values = merged(hub({"test": {"existingSecret": "a"}}), {"config": {"SMSHUB_PUBLIC_URL": public_url}})
    given = variables(main_container(render(values).pod("-test")))
    assert given["HUB_URL"]["value"] == f"http://hub-sms-hub-api:80{path}"

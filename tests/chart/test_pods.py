"""Every Pod, those of Jobs and tests among them."""

import re
from pathlib import Path

import pytest
import yaml
from click import Command, Context

from entrypoints.cli import main
from entrypoints.settings import Settings
from tests.chart.rendering import CHART, Object, containers, main_container, render, rendered_case, variables
from tests.chart.values import CASES, DATABASE_TLS, KEY, hub

VERSION = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]

every_case = pytest.mark.parametrize("case", CASES)


@every_case
def test_every_pod_fulfils_the_restricted_pod_security_standard(case: str) -> None:
    for _, pod in rendered_case(case).pods():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["securityContext"].get("runAsUser") == (None if case == "OpenShift" else 10_001)
        assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC", "hostUsers"}
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
        kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"emptyDir", "secret", "configMap", "persistentVolumeClaim"}


@every_case
def test_no_pod_gets_a_token_or_variables_of_kubernetes(case: str) -> None:
    rendered = rendered_case(case)
    for _, pod in rendered.pods():
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["enableServiceLinks"] is False
    for account in rendered.of("ServiceAccount"):
        assert account["automountServiceAccountToken"] is False


@every_case
def test_every_container_has_the_same_image_and_bounds(case: str) -> None:
    all_containers = [each for _, pod in rendered_case(case).pods() for each in containers(pod)]
    (image,) = {each["image"] for each in all_containers}
    assert re.search(r":\d+\.\d+\.\d+$|@sha256:[0-9a-f]{64}$", image)
    for each in all_containers:
        assert each["resources"]["limits"].keys() == {"memory"}
        assert each["resources"]["requests"].keys() == {"cpu", "memory"}


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({"tag": "1.2.3"}, "sms-hub:1.2.3"),
        ({"repository": "registry.example/office/hub"}, f"registry.example/office/hub:{VERSION}"),
        ({"tag": "1.2.3", "digest": f"sha256:{'a' * 64}"}, f"sms-hub@sha256:{'a' * 64}"),
    ],
)
def test_the_image_is_the_one_that_was_named(image: Object, expected: str) -> None:
    assert main_container(render(hub({"image": image})).pod("-api"))["image"] == expected


@every_case
def test_commands_are_those_of_the_hub(case: str) -> None:
    """Each is parsed as the image's entry point parses it."""
    parsed = []
    for _, pod in rendered_case(case).pods():
        if arguments := main_container(pod).get("args"):
            name, *options = arguments
            command = main.commands[name]
            assert isinstance(command, Command)
            hub = Context(main, info_name="smshub", **main.context_settings)
            parsed.append(command.make_context(name, options, parent=hub))
            if "internal_port" in parsed[-1].params:
                ports = {each["name"]: each["containerPort"] for each in main_container(pod)["ports"]}
                assert ports.pop("internal") == parsed[-1].params["internal_port"]
                assert ports == ({"http": parsed[-1].params["port"]} if "port" in parsed[-1].params else {})
                assert parsed[-1].params["host"] == "0.0.0.0"
    assert parsed


@pytest.mark.parametrize("component", ["-api", "-dispatcher"])
def test_probes_ask_the_internal_port_and_readiness_outlasts_a_database_that_hangs(component: str) -> None:
    container = main_container(render(hub()).pod(component))
    asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert asked == {
        "startup": {"path": "/livez", "port": "internal"},
        "liveness": {"path": "/livez", "port": "internal"},
        "readiness": {"path": "/readyz", "port": "internal"},
    }
    assert container["readinessProbe"]["timeoutSeconds"] > 8


def test_a_demo_is_probed_as_well() -> None:
    container = main_container(rendered_case("demo").pod("-demo"))
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "internal"}


def test_a_process_is_given_the_secrets_that_it_needs_and_no_others() -> None:
    rendered = rendered_case("all secrets")
    given = {name: set(variables(main_container(rendered.pod(name)))) for name in ("-api", "-dispatcher", "-migration")}
    assert given["-api"] == {
        "SMSHUB_DATABASE_URL",
        "SMSHUB_SIGNING_KEYS",
        "SMSHUB_ENCRYPTION_KEYS",
        "SMSHUB_KEY_PEPPERS",
        "SMSHUB_OIDC_CLIENT_SECRET",
    }
    assert given["-dispatcher"] == {"SMSHUB_DATABASE_URL", "SMSHUB_ENCRYPTION_KEYS", "SMSHUB_MAIL_URL"}
    assert given["-migration"] == {"SMSHUB_DATABASE_URL", "SMSHUB_STOP_GRACE"}


def test_secrets_stand_in_no_other_object() -> None:
    rendered = rendered_case("everything")
    for each in rendered.objects:
        assert each["kind"] == "Secret" or "open-sesame" not in str(each)


def test_an_existing_secret_is_asked_for_by_its_own_keys() -> None:
    rendered = rendered_case("existing Secret with other keys")
    assert not rendered.of("Secret")
    given = variables(main_container(rendered.pod("-api")))
    references = {name: each["valueFrom"]["secretKeyRef"] for name, each in given.items()}
    assert references == {
        "SMSHUB_DATABASE_URL": {"name": "made-by-hand", "key": "uri"},
        "SMSHUB_SIGNING_KEYS": {"name": "made-by-hand", "key": "s"},
        "SMSHUB_ENCRYPTION_KEYS": {"name": "made-by-hand", "key": "e", "optional": True},
        "SMSHUB_KEY_PEPPERS": {"name": "made-by-hand", "key": "key-peppers", "optional": True},
        "SMSHUB_OIDC_CLIENT_SECRET": {"name": "made-by-hand", "key": "oidc-client-secret", "optional": True},
    }


def test_numbers_and_truth_values_of_settings_are_written_as_the_hub_reads_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in rendered_case("settings").the("ConfigMap")["data"].items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment()
    assert settings.logins_per_minute == 100_000
    assert settings.database_pooler is True


@pytest.mark.parametrize("component", ["-api", "-dispatcher", "-migration"])
def test_the_authority_of_the_database_is_mounted_where_the_driver_looks_for_it(component: str) -> None:
    pod = render(hub(DATABASE_TLS)).pod(component)
    container = main_container(pod)
    given = variables(container)
    assert given["PGSSLMODE"]["value"] == "verify-full"
    file = Path(given["PGSSLROOTCERT"]["value"])
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "database-ca"]
    assert (Path(mount["mountPath"]), file.name) == (file.parent, "ca.crt")


@pytest.mark.parametrize(
    ("grace", "api", "dispatcher"), [("PT20S", 40, 35), ("PT1M30S", 110, 105), ("PT1H", 3620, 3615), ("PT0S", 20, 15)]
)
def test_pods_have_the_time_that_a_stop_takes(grace: str, api: int, dispatcher: int) -> None:
    rendered = render(hub({"config": {"SMSHUB_STOP_GRACE": grace}}))
    assert rendered.pod("-api")["spec"]["terminationGracePeriodSeconds"] == api
    assert rendered.pod("-dispatcher")["spec"]["terminationGracePeriodSeconds"] == dispatcher


def test_without_a_setting_the_time_is_that_of_the_hubs_own_default() -> None:
    default = int(Settings.model_fields["stop_grace"].default.total_seconds())
    assert rendered_case("no settings").pod("-dispatcher")["spec"]["terminationGracePeriodSeconds"] == default + 15


def test_the_interface_goes_on_serving_until_everybody_knows_that_it_is_going() -> None:
    assert main_container(render(hub()).pod("-api"))["lifecycle"]["preStop"] == {"exec": {"command": ["sleep", "5"]}}
    at_once = main_container(render(hub({"api": {"preStopSeconds": 0}})).pod("-api"))
    assert "lifecycle" not in at_once
    assert "lifecycle" not in main_container(render(hub()).pod("-dispatcher"))


@pytest.mark.parametrize("component", ["-api", "-dispatcher"])
def test_an_upgrade_takes_no_pod_away_before_there_is_another(component: str) -> None:
    spec = render(hub()).the("Deployment", component)["spec"]
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert spec["minReadySeconds"] >= 5


def checksums(values: Object) -> dict[str, str]:
    annotations: dict[str, str] = render(values).pod("-api")["metadata"]["annotations"]
    return {name: value for name, value in annotations.items() if name.startswith("checksum/")}


def test_pods_are_replaced_when_settings_or_secrets_change_and_not_otherwise() -> None:
    before = checksums(hub())
    assert checksums(hub({"api": {"service": {"port": 81}}})) == before
    other_config = checksums(hub({"config": {"SMSHUB_LOG_LEVEL": "debug"}}))
    other_secret = checksums(hub({"secrets": {"values": {"signingKeys": f"new:{'b' * 43},{KEY}"}}}))
    assert other_config["checksum/config"] != before["checksum/config"]
    assert other_config["checksum/secrets"] == before["checksum/secrets"]
    assert other_secret["checksum/config"] == before["checksum/config"]
    assert other_secret["checksum/secrets"] != before["checksum/secrets"]


@pytest.mark.parametrize("component", ["-api", "-dispatcher", "-migration", "-test"])
def test_what_is_said_of_where_pods_run_reaches_them(component: str) -> None:
    pod = rendered_case("placed").pod(component)
    spec, container = pod["spec"], main_container(pod)
    assert pod["metadata"]["annotations"]["example.org/owner"] == "office"
    assert pod["metadata"]["labels"]["example.org/tier"] == "gold"
    assert pod["metadata"]["labels"]["team"] == "texts"
    assert spec["nodeSelector"] == {"kubernetes.io/arch": "amd64"}
    assert spec["tolerations"][0]["key"] == "texts"
    assert "nodeAffinity" in spec["affinity"]
    assert spec["priorityClassName"] == "high"
    assert spec["imagePullSecrets"] == [{"name": "pull"}]
    assert variables(container)["HTTPS_PROXY"]["value"] == "http://proxy.texts:3128"
    assert {"configMapRef": {"name": "elsewhere", "optional": True}} in container["envFrom"]
    assert {"name": "extra", "mountPath": "/extra"} in container["volumeMounts"]

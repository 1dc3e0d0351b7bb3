"""compose.yaml: what it promises can be read from it, as there need be no Docker here."""

import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from entrypoints.settings import unknown_variables
from tests.e2e.running import SMSHUB
from tests.image.building import ROOT
from tests.image.compose import FILE, resolved, services, variables

SERVICES = services()
HUB = {name: each for name, each in SERVICES.items() if each["image"].startswith("sms-hub:")}

MAKE_ENV = Path("deploy/compose/make-env.sh")

each_service = pytest.mark.parametrize("name", SERVICES)


def test_all_is_there() -> None:
    assert set(SERVICES) == {"postgres", "migrate", "api", "dispatcher", "prometheus", "grafana"}
    assert [HUB[name]["command"][0] for name in ("migrate", "api", "dispatcher")] == ["migrate", "api", "dispatcher"]


@each_service
def test_images_are_pinned_and_ours_is_the_one_that_make_image_makes(name: str) -> None:
    image = SERVICES[name]["image"]
    if name in HUB:
        assert image == "sms-hub:${SMSHUB_VERSION:-latest}"
    else:
        assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", image)


@each_service
def test_nothing_has_a_right_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc"} & set(service)
    # The hub's own image says it itself.
    assert name in HUB or re.fullmatch(r"[1-9]\d*:\d+", service["user"])


@each_service
def test_no_port_is_open_to_other_machines(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", resolved(port))


def test_the_database_has_no_port_at_all_and_no_way_out() -> None:
    assert "ports" not in SERVICES["postgres"]
    assert SERVICES["postgres"]["networks"] == ["hub"]
    assert yaml.safe_load(FILE.read_text())["networks"]["hub"] == {"internal": True}


@each_service
def test_what_it_mounts_is_there(name: str) -> None:
    named = yaml.safe_load(FILE.read_text())["volumes"]
    for volume in SERVICES[name].get("volumes", []):
        source, _, rest = volume.partition(":")
        if source.startswith("."):
            assert rest.endswith(":ro")
            assert (ROOT / source).exists(), source
        else:
            assert source in named


def test_nothing_starts_before_what_it_needs() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            ends = SERVICES[needed].get("restart") == "no"
            assert how["condition"] == ("service_completed_successfully" if ends else "service_healthy"), name
            assert ends or "healthcheck" in SERVICES[needed]
    for name in ("api", "dispatcher"):
        assert set(SERVICES[name]["depends_on"]) == {"migrate", "postgres"}


def test_what_runs_on_is_watched_and_has_the_time_to_stop() -> None:
    for name, service in SERVICES.items():
        assert (service["restart"] == "unless-stopped") == ("healthcheck" in service), name
    assert {each["stop_grace_period"] for each in HUB.values()} == {"30s"}


@pytest.mark.parametrize("name", HUB)
def test_the_hub_is_given_settings_that_it_knows(name: str) -> None:
    assert unknown_variables(HUB[name]["environment"]) == []


def test_secrets_come_from_outside_and_have_no_default() -> None:
    secret = re.compile(r"KEY|PASSWORD|SECRET|TOKEN")
    assert not [name for name in variables(kind="-") if secret.search(name)]
    given = [
        (name, resolved(value))
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if secret.search(name)
    ]
    assert len(given) > len(SERVICES)
    assert all(re.fullmatch(r"<\w+>", value) for _, value in given), given


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / MAKE_ENV).parent.mkdir(parents=True)
    shutil.copy(ROOT / MAKE_ENV, tmp_path / MAKE_ENV)
    return tmp_path


def make_env(folder: Path, *smshub: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([folder / MAKE_ENV, *smshub], capture_output=True, text=True, check=False, cwd="/")


def test_the_documented_command_makes_every_secret_that_is_asked_for(copy: Path) -> None:
    done = make_env(copy, SMSHUB)
    assert done.returncode == 0, done.stderr
    made = dict(line.split("=", 1) for line in (copy / ".env").read_text().splitlines())
    assert set(made) == variables(kind="?")
    assert len(set(made.values())) == len(made)
    assert stat.S_IMODE((copy / ".env").stat().st_mode) == 0o600
    # It is part of an address.
    assert re.fullmatch(r"[0-9a-f]{48}", made["POSTGRES_PASSWORD"])
    for secret in made.values():
        assert secret not in done.stdout + done.stderr

    checked = subprocess.run(
        [SMSHUB, "config", "check"],
        env={
            "SMSHUB_SIGNING_KEYS": made["SMSHUB_SIGNING_KEYS"],
            "SMSHUB_ENCRYPTION_KEYS": made["SMSHUB_ENCRYPTION_KEYS"],
        },
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


def test_it_never_replaces_secrets(copy: Path) -> None:
    (copy / ".env").write_text("GRAFANA_PASSWORD=mine\n")
    assert make_env(copy, SMSHUB).returncode == 1
    assert (copy / ".env").read_text() == "GRAFANA_PASSWORD=mine\n"


def test_where_no_keys_are_to_be_had_it_leaves_nothing(copy: Path) -> None:
    assert make_env(copy, "false").returncode == 1
    assert [file.name for file in copy.iterdir()] == ["deploy"]


PROMTOOL = shutil.which("promtool")


@pytest.mark.skipif(PROMTOOL is None, reason="needs promtool")
def test_prometheus_understands_its_file() -> None:
    check = [str(PROMTOOL), "check", "config", "--syntax-only", str(ROOT / "deploy/compose/prometheus.yml")]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_prometheus_asks_every_process_at_its_internal_port() -> None:
    config = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text())
    (scraped,) = config["scrape_configs"][0]["dns_sd_configs"]
    assert set(scraped["names"]) == {"api", "dispatcher"}
    for name in scraped["names"]:
        assert f":{scraped['port']}/readyz" in SERVICES[name]["healthcheck"]["test"][-1]
        assert set(SERVICES[name]["networks"]) & set(SERVICES["prometheus"]["networks"])
    assert scraped["port"] == 8081
    assert SERVICES["dispatcher"]["command"][1:] == ["--internal-port", "8081"]


def test_grafana_finds_its_dashboards_where_they_are_mounted() -> None:
    (provider,) = yaml.safe_load((ROOT / "deploy/compose/grafana/dashboards.yaml").read_text())["providers"]
    assert f"./helm/sms-hub/dashboards:{provider['options']['path']}:ro" in SERVICES["grafana"]["volumes"]
    (source,) = yaml.safe_load((ROOT / "deploy/compose/grafana/datasources.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"

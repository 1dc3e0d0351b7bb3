"""What is in the image, and what is not."""

import json
import re
from typing import Any

import pytest

from tests.image.building import IMAGE, REVISION, ROOT, SOURCE, VERSION, Workshop

pytestmark = pytest.mark.timeout(1800)  # The first of them waits for the image.

_LOOK = """
import importlib.util, json, os, shutil, sysconfig
from importlib.metadata import distributions
from pathlib import Path
packages = Path(sysconfig.get_path("purelib"))
sources = list(packages.rglob("*.py"))
compiled = [Path(importlib.util.cache_from_source(source)) for source in sources]
print(json.dumps({
    "installed": {each.metadata["Name"]: each.version for each in distributions()},
    "ours": {
        str(file.relative_to(packages)): file.stat().st_size
        for package in ("domain", "adapters", "entrypoints")
        for file in (packages / package).rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    },
    "uncompiled": [str(file) for file in compiled if not file.exists()],
    # Flags 1: by hash, and not to be checked.
    "checked": [str(file) for file in compiled if file.exists() and file.read_bytes()[4:8] != b"\\1\\0\\0\\0"],
    "tools": [tool for tool in ("pip", "pip3", "gcc", "cc", "make", "git", "curl") if shutil.which(tool)],
    "pip": importlib.util.find_spec("pip") is not None,
    "writable": [
        folder for folder, _, _ in os.walk("/") if os.access(folder, os.W_OK) and not folder.startswith("/proc")
    ],
}))
"""


@pytest.fixture(scope="module")
def inside(workshop: Workshop) -> dict[str, Any]:
    """What the image's own user sees."""
    run = ["run", "--rm", "--pull", "never", "--network", "none", "--cap-drop", "ALL"]
    limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=256:256"]
    found: dict[str, Any] = json.loads(workshop.podman(*run, *limits, "--entrypoint", "python3", IMAGE, "-c", _LOOK))
    return found


def test_it_says_what_it_is_and_how_it_runs(workshop: Workshop) -> None:
    config = workshop.config()
    assert (config["Entrypoint"], config["Cmd"]) == (["smshub"], ["serve"])
    assert (config["User"], config["WorkingDir"]) == ("10001:10001", "/var/lib/smshub")
    assert set(config["ExposedPorts"]) == {"8080/tcp", "8081/tcp", "8082/tcp"}
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    assert (labels["version"], labels["revision"], labels["source"]) == (VERSION, REVISION, SOURCE)
    assert (labels["title"], labels["licenses"]) == ("SMS Hub", "MIT")


def test_it_has_the_pinned_packages_and_no_others(inside: dict[str, Any]) -> None:
    # Some of it is for other systems.
    pinned = re.findall(r"^([\w.-]+)==([\w.!+]+)", (ROOT / "requirements/run.txt").read_text(), re.MULTILINE)
    installed = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in inside["installed"].items()}
    del installed["sms-hub"]
    assert len(installed) > 50
    assert installed.items() <= set(pinned)


def test_it_has_all_of_the_project_that_runs(inside: dict[str, Any]) -> None:
    expected = {
        str(file.relative_to(ROOT / "src")): file.stat().st_size
        for package in ("domain", "adapters", "entrypoints")
        for file in (ROOT / "src" / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    expected |= {f"entrypoints/openapi/{file.name}": file.stat().st_size for file in (ROOT / "openapi").glob("*.yaml")}
    assert inside["ours"] == expected


def test_all_is_compiled_and_never_checked_again(inside: dict[str, Any]) -> None:
    assert inside["uncompiled"] == []
    assert inside["checked"] == []


def test_nothing_is_there_to_build_or_install_with(inside: dict[str, Any]) -> None:
    assert inside["tools"] == []
    assert not inside["pip"]


def test_its_user_may_write_to_its_home_and_where_everybody_may(inside: dict[str, Any]) -> None:
    everybodys = ("/dev", "/run", "/tmp", "/var/tmp", "/sys")
    assert [each for each in inside["writable"] if not each.startswith(everybodys)] == ["/var/lib/smshub"]

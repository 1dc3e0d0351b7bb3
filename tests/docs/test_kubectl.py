"""Commands of kubectl's in the documentation, as far as no cluster is needed: Secrets are what the chart reads, and
what they name is there once it is installed.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.rendering import Object, Rendered, containers, render
from tests.chart.values import TEST, hub
from tests.docs.markdown import PAGES, SHELL, Block, blocks
from tests.docs.test_helm import IMAGE
from tests.programs import need

_MAKES = re.compile(r"^kubectl .*\bcreate\b", re.MULTILINE)
MAKING = [each for page in PAGES for each in blocks(page) if each.language == SHELL and _MAKES.search(each.text)]
_NAMED = re.compile(r"\b(deployment|job)[/ ]((?:[a-z][a-z-]*-sms-hub-[a-z]+ ?)+)")

_SETTINGS = ("SMSHUB_DATABASE_URL", "SMSHUB_SIGNING_KEYS", "SMSHUB_ENCRYPTION_KEYS")

# What asks a cluster is left out, and what is made is shown in place of that.
_WITHOUT_A_CLUSTER = """
set -eu
kubectl() {
  case "$1 ${3-}" in
    "create "* | "--namespace create") command kubectl "$@" --dry-run=client --output=json ;;
  esac
}
helm() { :; }
smshub() { echo a-key; }
"""


def made(block: Block, folder: Path) -> Iterator[Object]:
    script = _WITHOUT_A_CLUSTER + block.text
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **dict.fromkeys(_SETTINGS, "something")}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    decoder, rest = json.JSONDecoder(), done.stdout.strip()
    while rest:
        each, end = decoder.raw_decode(rest)
        yield each
        rest = rest[end:].strip()


def read_of(secret: str, chart: Rendered) -> dict[str, bool]:
    """The keys that Pods read of it into their environment, each with whether all of them do without."""
    found: dict[str, bool] = {}
    for _, pod in chart.pods():
        for variable in (each for container in containers(pod) for each in container.get("env", ())):
            reference = variable.get("valueFrom", {}).get("secretKeyRef", {})
            if reference.get("name") == secret:
                key = reference["key"]
                found[key] = reference.get("optional", False) and found.get(key, True)
    return found


@pytest.mark.parametrize("block", MAKING, ids=[each.place for each in MAKING])
def test_a_secret_has_what_the_chart_reads_of_it(block: Block, tmp_path: Path) -> None:
    need("bash", "kubectl")
    secrets = [each for each in made(block, tmp_path) if each["kind"] == "Secret"]
    assert secrets
    for secret in secrets:
        name, keys = secret["metadata"]["name"], secret["data"].keys()
        own = {"existingSecret": name}
        read = read_of(name, render(hub({"test": own}) if "program-sid" in keys else {**IMAGE, "secrets": own}))
        assert {key for key, optional in read.items() if not optional} <= keys <= read.keys()


def test_what_commands_name_is_there_once_the_chart_is_installed() -> None:
    named = {
        (kind.capitalize(), name)
        for page in PAGES
        for kind, names in _NAMED.findall(page.read_text(encoding="utf-8"))
        for name in names.split()
    }
    there = {(each["kind"], each["metadata"]["name"]) for each in render(hub(TEST)).objects}
    assert ("Deployment", "hub-sms-hub-dispatcher") in named
    assert named - there == set()

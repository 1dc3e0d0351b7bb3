"""compose.yaml as it was written, and what its variables stand for."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.image.building import ROOT

FILE = ROOT / "compose.yaml"

_VARIABLE = re.compile(r"(?<!\$)\$(?:\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}|(?P<bare>\w+))")


def services() -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
    return found


def variables(*, kind: str) -> set[str]:
    """Those that have a default (`-`), and those that have to be given (`?`)."""
    found = list(_VARIABLE.finditer(FILE.read_text(encoding="utf-8")))
    assert all(each["kind"] for each in found), "a variable without a default is silently empty"
    return {each["name"] for each in found if each["kind"] == kind}


def resolved(text: str) -> str:
    """With the defaults."""
    return _VARIABLE.sub(lambda each: each["rest"] if each["kind"] == "-" else f"<{each['name']}>", text)

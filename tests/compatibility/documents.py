"""The document as it is now, and as the last release has it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "openapi"


def authored(name: str = "sms-hub.yaml") -> Mapping[str, Any]:
    document: Mapping[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return document


def released() -> Mapping[str, Any]:
    return authored("released/sms-hub.yaml")

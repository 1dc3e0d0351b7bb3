"""Grafana's dashboards of the hub, as code. `python -m dashboards` writes them into the chart."""

import json
from pathlib import Path

from dashboards.overview import overview
from dashboards.programs import programs
from dashboards.providers import providers
from dashboards.senders import senders

FOLDER = Path(__file__).parents[1] / "helm" / "sms-hub" / "dashboards"


def rendered() -> dict[str, str]:
    """The files by their names."""
    boards = {"overview": overview(), "senders": senders(), "providers": providers(), "programs": programs()}
    return {f"{name}.json": json.dumps(board, indent=2, ensure_ascii=False) + "\n" for name, board in boards.items()}

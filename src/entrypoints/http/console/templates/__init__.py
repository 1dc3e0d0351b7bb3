"""How the console's pages look."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from domain.model.instant import instant
from domain.model.pace import SECOND_US


def _when(at_us: int, zone: str) -> str:
    return f"{datetime.fromtimestamp(at_us // SECOND_US, UTC).astimezone(ZoneInfo(zone)):%-d %b %Y, %H:%M:%S %Z}"


TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {"when": _when, "instant": instant, "count": "{:,}".format}

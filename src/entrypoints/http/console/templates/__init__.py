"""How the console's pages look."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from domain.model.instant import instant
from domain.model.pace import SECOND_US


def _when(at_us: int, zone: str) -> str:
    """To the minute, as the page says what zone it is."""
    return f"{_local(at_us, zone):%-d %b %Y, %H:%M}"


def _exactly(at_us: int, zone: str) -> str:
    return f"{_local(at_us, zone):%-d %b %Y, %H:%M:%S %Z}"


def _local(at_us: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at_us // SECOND_US, UTC).astimezone(ZoneInfo(zone))


def _share(part: int, of: int) -> str:
    """In per cent. What is not nothing and not all does not look so. `of` is not 0."""
    share = 100 * part / of
    if 0 < share < 1:
        return "<1 %"
    return ">99 %" if 99 < share < 100 else f"{share:.0f} %"


TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {"when": _when, "exactly": _exactly, "instant": instant, "count": "{:,}".format, "share": _share}

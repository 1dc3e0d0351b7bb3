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
    """In per cent; whole ones for all but what would be 0 or 100 wrongly. `of` is not 0."""
    share = 100 * part / of
    return f"{share:.0f} %" if part in {0, of} or 1 <= share <= 99 else f"{share:.1f} %"


TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {"when": _when, "exactly": _exactly, "instant": instant, "count": "{:,}".format, "share": _share}

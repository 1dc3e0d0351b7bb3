"""Tables of the documentation whose first columns the code tells, and whose last one people write."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from click.testing import CliRunner
from prometheus_client.metrics import MetricWrapperBase

from entrypoints.cli import main
from entrypoints.http import problems
from entrypoints.telemetry.metrics import Metrics
from entrypoints.telemetry.tally import Tally

# Its cells but the last, by the name in the first.
Rows = Mapping[str, Sequence[str]]
_ROW = re.compile(r"^\| `([^`]+)` \|.*$", re.MULTILINE)


def metrics(document: str) -> str:
    """The document as it should be."""
    rows: dict[str, Sequence[str]] = {}
    for each in vars(Metrics()).values():
        match each:
            case Tally():
                rows[f"{each.name}_total"] = "counter", _labels(each.labels)
            case MetricWrapperBase():
                name = f"{each._name}_total" if each._type == "counter" else each._name
                rows[name] = str(each._type), _labels(each._labelnames)
    return _renewed(document, "| name | type | labels | meaning |", rows)


def _labels(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def refused(document: str) -> str:
    """The document as it should be."""
    known = {error.slug: status for error, (status, _) in problems._KNOWN.items()}
    known |= {slug: status for status, (slug, _, _) in problems._BY_STATUS.items()}
    source = "".join(file.read_text(encoding="utf-8") for file in Path(problems.__file__).parent.glob("*.py"))
    known |= {slug: int(status) for status, slug in re.findall(r'RequestFault\(\s*(\d{3}), "([a-z-]+)"', source)}
    rows = {slug: (str(status),) for slug, status in sorted(known.items(), key=lambda each: each[1])}
    return _renewed(document, "| type | status | when |", rows)


def settings(document: str) -> str:
    """The document as it should be: of these the code has the words as well."""
    before, begin, rest = document.partition("<!-- settings -->\n")
    _, end, after = rest.partition("<!-- /settings -->")
    table = CliRunner().invoke(main, ["config", "explain", "--markdown"]).output
    return f"{before}{begin}{table}{end}{after}"


def _renewed(document: str, heading: str, rows: Rows) -> str:
    """With the rows that there are in their order, and what people wrote of each. New ones come last, without words."""
    before, _, rest = document.partition(f"{heading}\n")
    table, _, after = rest.partition("\n\n")
    rule = table.partition("\n")[0]
    words = {found[1]: found[0].rstrip(" |").rpartition(" | ")[2] for found in _ROW.finditer(table)}
    names = [*(name for name in words if name in rows), *(name for name in rows if name not in words)]
    written = (f"| `{name}` | {' | '.join(rows[name])} | {words.get(name, '')} |" for name in names)
    return "".join([before, "\n".join([heading, rule, *written]), "\n\n" if after else "\n", after])

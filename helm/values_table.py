"""Writes what values.yaml says of itself into the chart's README: `make chart-docs`."""

import json
from collections.abc import Iterator
from pathlib import Path

import yaml

CHART = Path(__file__).with_name("sms-hub")
README = CHART / "README.md"
BEGIN, END = "<!-- values -->\n", "<!-- /values -->\n"
_LONGEST_DEFAULT = 60


def rows(mapping: yaml.MappingNode, lines: list[str], prefix: str = "") -> Iterator[str]:
    """A row for each value that has a comment or nothing below it."""
    for key, value in mapping.value:
        name = f"{prefix}{key.value}"
        comment = comment_above(key.start_mark.line, lines)
        if comment or not isinstance(value, yaml.MappingNode) or not value.value:
            yield f"| `{name}` | {shown(value)} | {comment} |"
        else:
            yield from rows(value, lines, f"{name}.")


def comment_above(line: int, lines: list[str]) -> str:
    """The comment that begins with `# --` and ends on the line before."""
    words: list[str] = []
    for text in reversed(lines[:line]):
        if not text.lstrip().startswith("#"):
            return ""
        words.insert(0, text.lstrip().lstrip("# "))
        if words[0].startswith("-- "):
            return " ".join(words).removeprefix("-- ").replace("|", "\\|")
    return ""


def shown(value: yaml.Node) -> str:
    text = json.dumps(yaml.safe_load(yaml.serialize(value)), ensure_ascii=False)
    return f"`{text}`" if len(text) <= _LONGEST_DEFAULT else "see `values.yaml`"


def readme() -> str:
    """The README as it should be."""
    source = (CHART / "values.yaml").read_text(encoding="utf-8")
    values = yaml.compose(source)
    table = ["| value | default | what it does |", "| --- | --- | --- |", *rows(values, source.splitlines())]
    before, rest = README.read_text(encoding="utf-8").split(BEGIN)
    return "".join([before, BEGIN, "\n".join(table), "\n", END, rest.split(END)[1]])


if __name__ == "__main__":
    README.write_text(readme(), encoding="utf-8")

"""What was measured, as Markdown: the same on the terminal and in the file."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

_WIDTH = 120


class Outcome(Enum):
    MET = "met"
    MISSED = "missed"
    OPEN = "open"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A target, and in a sentence what was reached."""

    target: str
    outcome: Outcome
    reached: str


@dataclass(frozen=True, kw_only=True)
class Table:
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Section:
    title: str
    conditions: str
    table: Table
    verdicts: Sequence[Verdict]


def rendered_section(section: Section) -> str:
    verdicts = "\n".join(_bullet(f"**{_told(each)}** {each.reached}") for each in section.verdicts)
    parts = [f"## {section.title}", paragraph(section.conditions), _rendered_table(section.table), verdicts]
    return "\n\n".join(filter(None, parts)) + "\n"


def paragraph(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def number(value: float, digits: int = 0) -> str:
    return "-" if math.isnan(value) else f"{value:,.{digits}f}"


def failures_told(failures: Mapping[str, int]) -> str:
    """By status, as in `7 (404: 6, closed: 1)`."""
    if not failures:
        return "0"
    by_status = ", ".join(f"{status}: {count:,}" for status, count in sorted(failures.items()))
    return f"**{sum(failures.values()):,}** ({by_status})"


def judged(target: str, *, met: bool, reached: str, failed: Sequence[Mapping[str, int]]) -> Verdict:
    """Nothing is met by what fails: `failed` are the failures of all that the target is about."""
    failing = [each for each in failed if each]
    if failing:
        told = "; ".join(failures_told(each) for each in failing)
        return Verdict(target=target, outcome=Outcome.OPEN, reached=f"Requests failed: {told}. As it is: {reached}")
    return Verdict(target=target, outcome=Outcome.MET if met else Outcome.MISSED, reached=reached)


def _told(verdict: Verdict) -> str:
    return f"{verdict.target}: {verdict.outcome.value}."


def _bullet(text: str) -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def _rendered_table(table: Table) -> str:
    widths = [max(map(len, column)) for column in zip(table.headings, *table.rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join("| " + " | ".join(_aligned(cells, widths)) + " |" for cells in (table.headings, rule, *table.rows))


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> Sequence[str]:
    first, *others = zip(cells, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]

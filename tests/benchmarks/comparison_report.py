"""How a comparison with a bare handler is told."""

from collections.abc import Sequence

from tests.benchmarks.comparison import Measured
from tests.benchmarks.report import Table, Verdict, failures_told, judged, number
from tests.benchmarks.statistic import Spread

_HEADINGS = (
    "",
    "per second",
    "ratio to bare",
    "lowest to highest",
    "CPU µs per request",
    "p50 ms",
    "p99 ms",
    "RSS MB",
    "failed",
)


def comparison_table(bare: Measured, others: Sequence[Measured]) -> Table:
    """Each is compared with `bare`."""
    return Table(headings=_HEADINGS, rows=[_row(each, each.ratio_to(bare)) for each in (bare, *others)])


def ratio_verdict(target: str, least: float, measured: Measured, bare: Measured) -> Verdict:
    ratio = measured.ratio_to(bare)
    return judged(
        target,
        met=ratio is not None and ratio.median >= least,
        reached=_ratio_in_words(measured, ratio),
        failed=[measured.failures, bare.failures],
    )


def _ratio_in_words(measured: Measured, ratio: Spread | None) -> str:
    if ratio is None:
        return "The bare handler did not answer."
    return (
        f"The {measured.name} answers {number(ratio.median, 2)} times as many requests as the bare handler "
        f"({_range(ratio)} in single rounds)."
    )


def _range(ratio: Spread) -> str:
    return f"{number(ratio.least, 2)} to {number(ratio.most, 2)}"


def _row(measured: Measured, ratio: Spread | None) -> Sequence[str]:
    return (
        measured.name,
        number(measured.per_second.median),
        *(("-", "-") if ratio is None else (number(ratio.median, 2), _range(ratio))),
        number(measured.cpu_us),
        number(measured.took_ms(0.5), 1),
        number(measured.took_ms(0.99), 1),
        number(measured.resident_mb),
        failures_told(measured.failures),
    )

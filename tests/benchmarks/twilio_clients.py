"""Twilio's synchronous client in threads beside its asynchronous one as the hub's adapter uses it (ADR 20)."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.extent import Extent
from tests.benchmarks.place import Place
from tests.benchmarks.report import Section, Table, Verdict, failures_told, judged, number
from tests.benchmarks.statistic import Spread, percentile
from tests.benchmarks.twilio import a_twilio

_SATURATED = (8, 32, 64)
_AT_LEISURE = 64
_AT_LEISURE_MS = 200
_PATIENCE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class _Turn:
    """`written_s` are the times from the departure to the arrival at the provider."""

    per_second: float
    cpu_us: float
    took_s: Sequence[float]
    written_s: Sequence[float]
    resident_mb: float
    failures: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """As many calls at once of each; the turns of a round stand at the same place."""

    concurrency: int
    delay_ms: float
    threads: Sequence[_Turn]
    adapter: Sequence[_Turn]

    def ratio(self, of: Callable[[_Turn], float]) -> Spread:
        return Spread.of([of(its) / of(other) for its, other in zip(self.adapter, self.threads, strict=True)])


def measure(place: Place, extent: Extent) -> Section:
    saturated = [_pair(place, extent, concurrency) for concurrency in _SATURATED]
    at_leisure = _pair(place, extent, _AT_LEISURE, delay_ms=_AT_LEISURE_MS)
    return Section(
        title="twilio_clients: threads or an event loop",
        conditions=(
            "Texts to Twilio out of an event loop, which waits for as many calls at once as the first column tells. "
            "*threads*: `TwilioHttpClient`, the synchronous client of Twilio's own library, with its pooled session, a "
            "timeout and no retries, one for each of as many threads, without proxies of the environment. *adapter*: "
            "the hub's, which is the library's asynchronous client on a session of its own. Each in a process that "
            "does nothing else; the provider is a process of its own that answers at once or, in the last rows, after "
            f"{_AT_LEISURE_MS} ms, so that neither client has more to do than it can. "
            f"{extent.rounds} rounds of {extent.seconds:g} s after a warm-up of {extent.warm_up_s:g} s in each turn. "
            "*Written* is the time from the last check, which is right before the client is called or in the adapter's "
            "departure, to the arrival at the provider. Ratios are medians of the rounds', with the lowest and the "
            "highest."
        ),
        table=Table(
            headings=(
                "",
                "per second",
                "ratio to threads",
                "lowest to highest",
                "CPU µs per text",
                "p50 ms",
                "p95 ms",
                "written p50 ms",
                "written p99 ms",
                "RSS MB",
                "failed",
            ),
            rows=[row for pair in (*saturated, at_leisure) for row in _rows(pair)],
        ),
        verdicts=[*map(_faster, saturated), _written_sooner(at_leisure)],
    )


def _pair(place: Place, extent: Extent, concurrency: int, *, delay_ms: float = 0) -> _Pair:
    threads, adapter = [], []
    for _ in range(extent.rounds):
        threads.append(_turn(place, extent, "threads", concurrency, delay_ms))
        adapter.append(_turn(place, extent, "adapter", concurrency, delay_ms))
    return _Pair(concurrency=concurrency, delay_ms=delay_ms, threads=threads, adapter=adapter)


def _turn(place: Place, extent: Extent, client: str, concurrency: int, delay_ms: float) -> _Turn:
    with a_twilio(place.folder, delay_ms=delay_ms) as twilio:
        command = [sys.executable, "-m", "tests.benchmarks.twilio_calls", client, twilio.url]
        command += [str(each) for each in (concurrency, extent.warm_up_s, extent.seconds)]
        patience_s = extent.warm_up_s + extent.seconds + _PATIENCE_S
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=patience_s).stdout)
        arrived_ns = {each.to: each.at_ns for each in twilio.arrivals()}
    sent = len(told["took_s"])
    return _Turn(
        per_second=sent / told["seconds"],
        cpu_us=told["cpu_s"] * 1e6 / max(1, sent),
        took_s=told["took_s"],
        written_s=[(arrived_ns[to] - departed_ns) / 1e9 for to, departed_ns in told["departed_ns"].items()],
        resident_mb=told["resident_mb"],
        failures=told["failures"],
    )


def _rows(pair: _Pair) -> Sequence[Sequence[str]]:
    ratio = pair.ratio(_per_second)
    answered = f", answered after {pair.delay_ms:g} ms" if pair.delay_ms else ""
    return [
        _row(f"{pair.concurrency} threads{answered}", pair.threads, "1.00", "-"),
        _row(f"adapter, {pair.concurrency} calls{answered}", pair.adapter, number(ratio.median, 2), _range(ratio)),
    ]


def _row(name: str, turns: Sequence[_Turn], ratio: str, ratios: str) -> Sequence[str]:
    def median(of: Callable[[_Turn], float], digits: int = 0) -> str:
        return number(Spread.of([of(turn) for turn in turns]).median, digits)

    return (
        name,
        median(_per_second),
        ratio,
        ratios,
        median(_cpu_us),
        median(_took_ms(0.5), 1),
        median(_took_ms(0.95), 1),
        median(_written_ms(0.5), 2),
        median(_written_ms(0.99), 2),
        median(lambda turn: turn.resident_mb),
        failures_told(sum((Counter(turn.failures) for turn in turns), Counter())),
    )


def _faster(pair: _Pair) -> Verdict:
    rate = pair.ratio(_per_second)
    return judged(
        f"Faster than {pair.concurrency} threads",
        met=rate.median > 1,
        reached=(
            f"{_told(rate)} times as many texts a second, {_told(pair.ratio(_cpu_us))} times the CPU "
            f"time of each, {_told(pair.ratio(_took_ms(0.5)))} times the p50, {_told(pair.ratio(_took_ms(0.95)))} "
            "times the p95."
        ),
        failed=_failures(pair),
    )


def _written_sooner(pair: _Pair) -> Verdict:
    written = pair.ratio(_written_ms(0.5))
    return judged(
        "Written sooner after the last check, where there is time",
        met=written.median < 1,
        reached=(
            f"{_told(written)} times the p50 of threads, {_told(pair.ratio(_written_ms(0.99)))} times "
            f"the p99, {_told(pair.ratio(_cpu_us))} times the CPU time."
        ),
        failed=_failures(pair),
    )


def _per_second(turn: _Turn) -> float:
    return turn.per_second


def _cpu_us(turn: _Turn) -> float:
    return turn.cpu_us


def _took_ms(share: float) -> Callable[[_Turn], float]:
    return lambda turn: percentile(turn.took_s, share) * 1_000


def _written_ms(share: float) -> Callable[[_Turn], float]:
    return lambda turn: percentile(turn.written_s, share) * 1_000


def _failures(pair: _Pair) -> Sequence[Mapping[str, int]]:
    return [turn.failures for turn in (*pair.threads, *pair.adapter)]


def _told(ratio: Spread) -> str:
    return f"{number(ratio.median, 2)} ({_range(ratio)})"


def _range(ratio: Spread) -> str:
    return f"{number(ratio.least, 2)} to {number(ratio.most, 2)}"

"""Servers under the same load by turns, so that what else the machine does hits all alike."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import uvloop

from tests.benchmarks.extent import Extent
from tests.benchmarks.load import Load, post_for
from tests.benchmarks.posts import Post
from tests.benchmarks.server_process import ServerProcess
from tests.benchmarks.statistic import Spread, percentile


@dataclass(frozen=True, kw_only=True)
class Subject:
    name: str
    process: ServerProcess
    post: Post


@dataclass(frozen=True, kw_only=True)
class Round:
    load: Load
    cpu_s: float


@dataclass(frozen=True, kw_only=True)
class Measured:
    name: str
    rounds: Sequence[Round]
    resident_mb: float

    @property
    def per_second(self) -> Spread:
        return Spread.of([each.load.per_second for each in self.rounds])

    @property
    def cpu_us(self) -> float:
        """Of the server's process for one request, whatever the answer."""
        return statistics.median(
            each.cpu_s * 1_000_000 / max(1, each.load.answered + each.load.failed) for each in self.rounds
        )

    def took_ms(self, share: float) -> float:
        return statistics.median(percentile(each.load.took_s, share) * 1_000 for each in self.rounds)

    @property
    def failures(self) -> Mapping[str, int]:
        return sum((Counter(each.load.failures) for each in self.rounds), Counter())

    def ratio_to(self, other: "Measured") -> Spread | None:
        """Round by round; None where the other had no answer in one."""
        pairs = [(own.load.per_second, its.load.per_second) for own, its in zip(self.rounds, other.rounds, strict=True)]
        return Spread.of([own / its for own, its in pairs]) if all(its for _, its in pairs) else None


def compare(subjects: Sequence[Subject], extent: Extent) -> Sequence[Measured]:
    for subject in subjects:
        _one_round(subject, extent.warm_up_s, extent.connections)
    rounds: dict[str, list[Round]] = {subject.name: [] for subject in subjects}
    for _ in range(extent.rounds):
        for subject in subjects:
            rounds[subject.name].append(_one_round(subject, extent.seconds, extent.connections))
    return [
        Measured(name=subject.name, rounds=rounds[subject.name], resident_mb=subject.process.resident_mb)
        for subject in subjects
    ]


def _one_round(subject: Subject, seconds: float, connections: int) -> Round:
    process = subject.process
    cpu_before = process.cpu_s
    load = uvloop.run(post_for(seconds, process.port, subject.post, connections=connections))
    return Round(load=load, cpu_s=process.cpu_s - cpu_before)

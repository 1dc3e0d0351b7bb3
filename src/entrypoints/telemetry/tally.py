from collections import defaultdict
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector


class Tally(Collector):
    """A counter for what happens with each text, which takes a tenth of the time of the library's own: it is counted in
    the event loop alone, so there is nothing to lock, and becomes a metric when it is asked for.
    """

    def __init__(self, name: str, meaning: str, labels: Sequence[str], *, registry: CollectorRegistry) -> None:
        self.name = name
        self.labels = tuple(labels)
        self._meaning = meaning
        self._counts: defaultdict[tuple[str, ...], int] = defaultdict(int)
        registry.register(self)

    def add(self, values: tuple[str, ...], count: int = 1) -> None:
        """`values` are those of the labels, in their order."""
        self._counts[values] += count

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(self.name, self._meaning, labels=self.labels)
        for values, count in self._counts.items():
            family.add_metric(values, count)
        yield family

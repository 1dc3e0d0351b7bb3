import prometheus_client

from domain.model.delivery import STILL_TO_COME, DeliveryState
from entrypoints.telemetry.labels import known_reason
from entrypoints.telemetry.metrics import Metrics

# The hub does not know what became of an unknown one, and may never.
_ON_THE_WAY = frozenset(STILL_TO_COME) - {DeliveryState.UNKNOWN}


class Outcomes:
    """Counts deliveries where it becomes known that they have come to rest in a state."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        # What is looked up once need not be for each text.
        self._counters: dict[tuple[str, DeliveryState, str], prometheus_client.Counter] = {}

    def __call__(self, provider: str, state: DeliveryState, reason: str | None = None, count: int = 1) -> None:
        """`provider` is that of the sender. A state that is none to rest in is not counted."""
        if state in _ON_THE_WAY:
            return
        key = provider, state, known_reason(reason)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = self._metrics.outcomes.labels(provider, state.value, key[2])
        counter.inc(count)

from domain.model.delivery import STILL_TO_COME, DeliveryState
from entrypoints.telemetry.labels import OTHER, known_reason
from entrypoints.telemetry.metrics import Metrics

# The hub does not know what became of an unknown one, and may never.
_ON_THE_WAY = frozenset(STILL_TO_COME) - {DeliveryState.UNKNOWN}


class Outcomes:
    """Counts deliveries where it becomes known that they have come to rest in a state."""

    def __init__(self, metrics: Metrics) -> None:
        self._tally = metrics.outcomes
        # What is looked up once need not be for each text.
        self._labels: dict[tuple[str, DeliveryState, str | None], tuple[str, str, str]] = {}

    def __call__(self, provider: str, state: DeliveryState, reason: str | None = None, count: int = 1) -> None:
        """`provider` is that of the sender. A state that is none to rest in is not counted."""
        if state in _ON_THE_WAY:
            return
        labels = self._labels.get((provider, state, reason))
        if labels is None:
            labels = provider, state.value, known_reason(reason)
            if labels[2] != OTHER:
                self._labels[provider, state, reason] = labels
        self._tally.add(labels, count)

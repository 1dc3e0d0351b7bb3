"""What is read of the database when somebody asks for the metrics. It is the same from every process."""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import Gauge

from domain.model.delivery import DeliveryState
from domain.model.pace import SECOND_US
from domain.ports.vitals import Vitals, VitalSigns
from domain.ports.workload import Load, Workload
from entrypoints.telemetry.labels import MOST_SHOWN
from entrypoints.telemetry.metrics import Metrics


@dataclass(frozen=True, kw_only=True)
class Gauges:
    signs: VitalSigns
    workload: Workload
    metrics: Metrics

    async def measure(self, *, now_us: int) -> None:
        """Raises `StoreUnavailable`."""
        self._show_vitals(await self.signs.now(now_us=now_us))
        # Last, as it may take longer than whoever asks will wait.
        self._show_load(await self.workload.now(now_us=now_us))

    def _show_vitals(self, vitals: Vitals) -> None:
        metrics = self.metrics
        metrics.dispatchers.set(vitals.dispatchers)
        metrics.oldest_unknown_seconds.set(vitals.oldest_unknown_us / SECOND_US)
        metrics.queued_deliveries.labels(DeliveryState.SENDING.value).set(vitals.sending)
        metrics.queued_deliveries.labels(DeliveryState.UNKNOWN.value).set(vitals.unknown)
        metrics.webhook_events_waiting.set(vitals.events_waiting)
        metrics.oldest_webhook_event_seconds.set(vitals.oldest_event_us / SECOND_US)
        _show(metrics.daily_cap_used, vitals.caps_used)
        _show(metrics.budget_used, vitals.budgets_used)

    def _show_load(self, load: Load) -> None:
        metrics, loads = self.metrics, load.senders
        metrics.queued_deliveries.labels(DeliveryState.QUEUED.value).set(load.queued)
        metrics.queued_deliveries.labels(DeliveryState.SCHEDULED.value).set(load.scheduled)
        _show(metrics.sender_rate, {str(each.sender_id): float(each.pace.per_second) for each in loads})
        _show(metrics.sender_queued, {str(each.sender_id): each.segments for each in loads})
        _show(metrics.sender_late, {str(each.sender_id): each.late_us / SECOND_US for each in loads})
        _show(
            metrics.sender_completion,
            {str(each.sender_id): each.through_in_us / SECOND_US for each in loads if each.through_in_us is not None},
        )


def _show(gauge: Gauge, values: Mapping[str, float]) -> None:
    """These and no others, so that what is not there any more is not shown as it was."""
    gauge.clear()
    for label, value in list(values.items())[:MOST_SHOWN]:
        gauge.labels(label).set(value)

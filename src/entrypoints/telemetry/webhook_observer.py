"""What programs are told, as log lines and metrics. Ids and words only: no address, no number, no text."""

from uuid import UUID

import structlog

from domain.errors import HubError
from domain.model.webhook import Call, Disabled
from domain.model.webhook_retry import Answer
from domain.ports.webhook_observer import WebhookObserver
from entrypoints.telemetry.metrics import Metrics


class LoggedWebhooks(WebhookObserver):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._log = structlog.get_logger("smshub.webhooks").bind()

    def called(self, call: Call, answer: Answer, *, given_up: bool) -> None:
        outcome = "accepted" if answer.accepted else answer.error or "refused"
        self._metrics.webhook_attempts.labels(outcome).inc()
        self._log.info(
            "webhook_called",
            webhook=str(call.webhook_id),
            program=call.program_id,
            webhook_event=str(call.event_id),
            type=call.type.value,
            outcome=outcome,
            status=answer.status,
            failures=call.failures + (not answer.accepted),
            given_up=given_up,
            took_ms=answer.took_us // 1_000,
        )

    def disabled(self, webhook_id: UUID, program_id: str, why: Disabled) -> None:
        self._metrics.disabled_webhooks.labels(why.value).inc()
        self._log.error("webhook_disabled", webhook=str(webhook_id), program=program_id, reason=why.value)

    def held_up(self, error: HubError) -> None:
        self._metrics.store_unavailable.inc()
        self._log.warning("store_unavailable", problem=error.slug)

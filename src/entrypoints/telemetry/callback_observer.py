"""What providers say, as log lines and metrics. Ids and words only: no number, no text."""

import structlog

from domain.model.callback import Callback, CallbackKind
from domain.model.delivery import DeliveryState
from domain.model.pace import SECOND_US
from domain.model.receipt import ReceiptOutcome
from domain.ports.callback_observer import CallbackObserver
from domain.ports.callbacks import Joined, Kept, WorkedOff
from domain.ports.inbound_messages import TakenIn
from entrypoints.telemetry.metrics import Metrics
from entrypoints.telemetry.observers import where_raised
from entrypoints.telemetry.outcomes import Outcomes

_MILLISECOND_US = 1_000
# Whose texts are told of by a source that is not called as its provider is.
_PROVIDERS = {"vonage-sms": "vonage"}


class LoggedCallbacks(CallbackObserver):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._outcomes = Outcomes(metrics)
        # What is looked up once need not be for each call.
        self._log = structlog.get_logger("smshub.callbacks").bind()

    def received(self, callback: Callback, kept: Kept) -> None:
        self._metrics.callbacks.labels(callback.source, callback.kind.value, kept.value).inc()
        self._log.info(
            "callback_received",
            provider=callback.source,
            kind=callback.kind.value,
            account=callback.account_id,
            key=callback.key,
            delivery=callback.delivery_id,
            outcome=kept.value,
        )

    def refused(self, source: str, kind: CallbackKind, reason: str) -> None:
        self._metrics.callbacks.labels(source, kind.value, "refused").inc()
        self._metrics.refused_callbacks.labels(source, reason).inc()
        self._log.warning("callback_refused", provider=source, kind=kind.value, reason=reason)

    def unsigned(self, source: str, kind: CallbackKind) -> None:
        self._metrics.callbacks.labels(source, kind.value, "unsigned").inc()

    def worked_off(self, worked: WorkedOff, *, now_us: int) -> None:
        callback, delivery = worked.callback, worked.delivery
        lag_us = now_us - callback.received_us
        self._metrics.receipts.labels(callback.source, worked.outcome.value).inc()
        self._metrics.receipt_lag_seconds.labels(callback.source).observe(max(lag_us, 0) / SECOND_US)
        if worked.outcome is ReceiptOutcome.APPLIED and delivery is not None and _is_news(worked, delivery.state):
            self._outcomes(_PROVIDERS.get(callback.source, callback.source), delivery.state, delivery.reason)
        is_verdict = worked.outcome is ReceiptOutcome.APPLIED and delivery is not None and delivery.state.terminal
        if is_verdict and worked.slot_us is not None:
            delay_us = max(callback.received_us - worked.slot_us, 0)
            self._metrics.receipt_delay_seconds.labels(callback.source).observe(delay_us / SECOND_US)
        self._log.info(
            "receipt_worked_off",
            callback=callback.id,
            provider=callback.source,
            delivery=None if delivery is None else delivery.id,
            outcome=worked.outcome.value,
            state=None if delivery is None else delivery.state.value,
            reason=None if delivery is None else delivery.reason,
            lag_ms=lag_us // _MILLISECOND_US,
        )

    def taken_in(self, taken: TakenIn) -> None:
        callback = taken.callback
        keyword = "none" if taken.keyword is None else taken.keyword.value
        self._metrics.inbound_messages.labels(callback.source, taken.outcome.value, keyword).inc()
        self._log.info(
            "inbound_message_taken_in",
            callback=callback.id,
            provider=callback.source,
            outcome=taken.outcome.value,
            message=taken.message_id,
            program=taken.program_id,
            keyword=keyword,
        )

    def joined(self, joined: Joined) -> None:
        source = joined.callback.source
        self._metrics.joined_inbound.labels(source, "incomplete" if joined.missing else "complete").inc()
        self._log.info("inbound_joined", provider=source, key=joined.callback.key, missing=list(joined.missing))

    def unread(self, source: str, fault: Exception) -> None:
        self._log.error(
            "provider_adapter_failed", provider=source, fault=type(fault).__name__, where=where_raised(fault)
        )


def _is_news(worked: WorkedOff, state: DeliveryState) -> bool:
    """That a text was sent, the dispatcher whose call is under way tells itself."""
    return state is not DeliveryState.SENT or worked.before is not DeliveryState.SENDING

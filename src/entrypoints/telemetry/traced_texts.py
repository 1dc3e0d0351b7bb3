"""A text's way as spans of one trace: accepted, sent, told of by receipts. Ids and words only: no number, no text.

What the text's trace is, is stored with it; of a text that was accepted while nothing was traced there are no spans.
"""

from collections.abc import Mapping
from dataclasses import replace

from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue
from structlog.contextvars import bound_contextvars

from domain.model.delivery import Delivery
from domain.model.idempotency import IdempotencyKey
from domain.model.send_outcome import Accepted, SendOutcome
from domain.model.text_message import AcceptedText, NewText
from domain.ports.callbacks import WorkedOff
from domain.ports.delivery_queue import Claim
from domain.ports.intake import Intake
from entrypoints.telemetry.callback_observer import LoggedCallbacks
from entrypoints.telemetry.metrics import Metrics
from entrypoints.telemetry.observers import LoggedDispatch, kind_of
from entrypoints.telemetry.traces import Traces, ended, trace_id, trace_parent


class TracedIntake(Intake):
    """Notes which span a text was accepted in, and leaves the rest to the intake that it wraps."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def add(self, text: NewText) -> AcceptedText:
        return await self._intake.add(replace(text, message=replace(text.message, trace_parent=trace_parent())))

    async def answered(self, program_id: str, key: IdempotencyKey, *, now_us: int) -> AcceptedText | None:
        return await self._intake.answered(program_id, key, now_us=now_us)

    async def forget_keys(self, *, now_us: int) -> int:
        return await self._intake.forget_keys(now_us=now_us)


class TracedDispatch(LoggedDispatch):
    def __init__(self, metrics: Metrics, traces: Traces) -> None:
        super().__init__(metrics)
        self._traces = traces

    def attempted(self, claim: Claim, outcome: SendOutcome, after: Delivery, *, late_us: int, took_us: int) -> None:
        if claim.trace_parent is None:
            super().attempted(claim, outcome, after, late_us=late_us, took_us=took_us)
            return
        left_us = claim.slot.at_us + late_us
        parent = {"traceparent": claim.trace_parent}
        span = self._traces.begun("send", SpanKind.CLIENT, at_us=left_us, parent=parent)
        if not isinstance(outcome, Accepted):
            span.set_status(Status(StatusCode.ERROR, after.reason))
        attributes: Mapping[str, AttributeValue | None] = {
            "smshub.delivery": after.id,
            "smshub.message": str(claim.message_id),
            "smshub.program": claim.program_id,
            "smshub.sender": claim.sender.id,
            "smshub.provider": claim.provider,
            "smshub.attempt": after.attempt,
            "smshub.outcome": kind_of(outcome),
            "smshub.state": after.state.value,
            "smshub.reason": after.reason,
            "smshub.late_us": late_us,
        }
        ended(span, attributes, at_us=left_us + took_us)
        with bound_contextvars(trace=trace_id(span)):
            super().attempted(claim, outcome, after, late_us=late_us, took_us=took_us)


class TracedCallbacks(LoggedCallbacks):
    def __init__(self, metrics: Metrics, traces: Traces) -> None:
        super().__init__(metrics)
        self._traces = traces

    def worked_off(self, worked: WorkedOff, *, now_us: int) -> None:
        delivery = worked.delivery
        if worked.trace_parent is None or delivery is None:
            super().worked_off(worked, now_us=now_us)
            return
        received_us = worked.callback.received_us
        parent = {"traceparent": worked.trace_parent}
        span = self._traces.begun("receipt", SpanKind.CONSUMER, at_us=received_us, parent=parent)
        attributes: Mapping[str, AttributeValue | None] = {
            "smshub.delivery": delivery.id,
            "smshub.callback": worked.callback.id,
            "smshub.provider": worked.callback.source,
            "smshub.outcome": worked.outcome.value,
            "smshub.state": delivery.state.value,
            "smshub.reason": delivery.reason,
        }
        ended(span, attributes, at_us=max(now_us, received_us))
        with bound_contextvars(trace=trace_id(span)):
            super().worked_off(worked, now_us=now_us)

"""What happens in the hub, as log lines and metrics. Ids only: no number, no text, no token."""

import time
import traceback
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import prometheus_client
import structlog

from domain.errors import BudgetExceeded, HubError
from domain.model.budget import BudgetUse
from domain.model.delivery import Delivery, DeliveryState
from domain.model.failover import Failover
from domain.model.idempotency import IdempotencyKey
from domain.model.send_outcome import Accepted, EnquiryAnswer, SendOutcome, Unknown
from domain.model.sender import Sender
from domain.model.text_message import AcceptedText, NewText
from domain.ports.delivery_queue import Claim
from domain.ports.dispatch_observer import DispatchObserver
from domain.ports.due_deliveries import Enquiry
from domain.ports.failovers import FailedOver
from domain.ports.intake import Intake
from entrypoints.telemetry.labels import MOST_PROGRAMS, MOST_SENDERS, MOST_SHOWN, FirstLabels, known_reason
from entrypoints.telemetry.metrics import Metrics
from entrypoints.telemetry.outcomes import Outcomes

_MILLISECOND_US = 1_000
_SECOND_US = 1_000_000

_log = structlog.get_logger("smshub.intake")


class LoggedDispatch(DispatchObserver):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._outcomes = Outcomes(metrics)
        # What is looked up once need not be for each text.
        self._log = structlog.get_logger("smshub.dispatch").bind()
        self._senders = FirstLabels(MOST_SENDERS)
        self._credits: dict[tuple[str, int], prometheus_client.Gauge] = {}
        self._timers: dict[str, tuple[prometheus_client.Histogram, prometheus_client.Histogram]] = {}

    def attempted(self, claim: Claim, outcome: SendOutcome, after: Delivery, *, late_us: int, took_us: int) -> None:
        provider, kind = claim.provider, kind_of(outcome)
        self._metrics.attempts.add((provider, kind))
        took, late = self._timer(provider)
        took.observe(took_us / _SECOND_US)
        late.observe(max(late_us, 0) / _SECOND_US)
        self._outcomes(provider, after.state, after.reason)
        if isinstance(outcome, Accepted | Unknown):
            self._metrics.sent_segments.add(self._senders.of(claim.sender.id), after.segments)
        self._log.info(
            "delivery_attempted",
            delivery=after.id,
            message=str(claim.message_id),
            program=claim.program_id,
            sender=claim.sender.id,
            provider=provider,
            attempt=after.attempt,
            segments=after.segments,
            outcome=kind,
            state=after.state.value,
            reason=after.reason,
            slot_us=claim.slot.at_us,
            late_us=late_us,
            took_ms=took_us // _MILLISECOND_US,
        )

    def released(self, claim: Claim) -> None:
        self._metrics.released.inc()
        self._log.info("delivery_released", delivery=claim.delivery.id, sender=claim.sender.id)

    def barred(self, sender: Sender, reason: str, *, times: int) -> None:
        self._metrics.bars.labels(sender.provider, known_reason(reason)).inc()
        self._log.error("sender_barred", sender=sender.id, provider=sender.provider, reason=reason, times=times)

    def unbarred(self, sender: Sender) -> None:
        self._log.info("sender_unbarred", sender=sender.id, provider=sender.provider)

    def failed_over(self, failover: Failover, deliveries: Sequence[FailedOver]) -> None:
        self._metrics.failovers.labels(failover.provider, known_reason(failover.reason)).inc(len(deliveries))
        for each in deliveries:
            self._log.warning(
                "delivery_failed_over",
                delivery=each.delivery_id,
                message=str(each.message_id),
                program=failover.program_id,
                sender=failover.from_sender_id,
                to_sender=failover.to_sender_id,
                provider=failover.provider,
                reason=failover.reason,
            )

    def enquired(self, enquiry: Enquiry, answer: EnquiryAnswer, after: Delivery) -> None:
        kind = kind_of(answer)
        self._metrics.enquiries.labels(enquiry.provider, kind).inc()
        if after.state is not enquiry.delivery.state:
            self._outcomes(enquiry.provider, after.state, after.reason)
        self._log.info(
            "delivery_settled" if after.state.terminal else "delivery_enquired",
            delivery=after.id,
            provider=enquiry.provider,
            answer=kind,
            state=after.state.value,
            reason=after.reason,
        )

    def rescued(self, provider: str, deliveries: Sequence[Delivery]) -> None:
        for (state, reason), count in Counter((each.state, each.reason) for each in deliveries).items():
            self._metrics.rescued.labels(state.value).inc(count)
            self._outcomes(provider, state, reason, count)
            self._log.warning("deliveries_rescued", provider=provider, state=state.value, count=count)

    def beaten(self) -> None:
        beaten_s = time.monotonic()
        self._metrics.heartbeat_age_seconds.set_function(lambda: time.monotonic() - beaten_s)

    def credit_told(self, provider: str, account_id: int, amount: float) -> None:
        gauge = self._credits.get((provider, account_id))
        if gauge is None and len(self._credits) < MOST_SHOWN:
            gauge = self._metrics.provider_credit.labels(provider, str(account_id))
            self._credits[provider, account_id] = gauge
        if gauge is not None:
            gauge.set(amount)

    def adapter_failed(self, provider: str, fault: Exception) -> None:
        self._log.error(
            "provider_adapter_failed", provider=provider, fault=type(fault).__name__, where=where_raised(fault)
        )

    def code_unlisted(self, provider: str, status: int, code: str) -> None:
        self._log.warning("provider_code_unlisted", provider=provider, status=status, code=code)

    def held_up(self, error: HubError) -> None:
        self._metrics.store_unavailable.inc()
        self._log.warning("store_unavailable", problem=error.slug)

    def _timer(self, provider: str) -> tuple[prometheus_client.Histogram, prometheus_client.Histogram]:
        if provider not in self._timers:
            self._timers[provider] = (
                self._metrics.attempt_seconds.labels(provider),
                self._metrics.late_seconds.labels(provider),
            )
        return self._timers[provider]


class CountedIntake(Intake):
    """Counts what is accepted, and leaves the rest to the intake that it wraps."""

    def __init__(self, intake: Intake, metrics: Metrics) -> None:
        self._intake = intake
        self._metrics = metrics
        # What is looked up once need not be for each text.
        self._by_state: dict[DeliveryState, prometheus_client.Counter] = {}
        self._programs = FirstLabels(MOST_PROGRAMS)
        self._outcomes = Outcomes(metrics)

    async def add(self, text: NewText) -> AcceptedText:
        try:
            accepted = await self._intake.add(text)
        except BudgetExceeded:
            self._metrics.budget_refusals.inc()
            raise
        if accepted.replayed:
            self._metrics.replayed_messages.inc()
            return accepted
        self._metrics.accepted_messages.inc()
        # Those of test keys reach nobody and cost nothing, however many they are.
        if not text.message.is_test:
            self._metrics.accepted_segments.add(self._programs.of(text.message.program_id), accepted.segments)
        for state, count in accepted.summary.counts.items():
            if state not in self._by_state:
                self._by_state[state] = self._metrics.accepted_deliveries.labels(state.value)
            self._by_state[state].inc(count)
        for reason, count in accepted.blocked.items():
            self._outcomes(text.provider, DeliveryState.BLOCKED, reason, count)
        return accepted

    async def answered(self, program_id: str, key: IdempotencyKey, *, now_us: int) -> AcceptedText | None:
        answered = await self._intake.answered(program_id, key, now_us=now_us)
        if answered is not None:
            self._metrics.replayed_messages.inc()
        return answered

    async def forget_keys(self, *, now_us: int) -> int:
        return await self._intake.forget_keys(now_us=now_us)


def budget_nearly_used(use: BudgetUse) -> None:
    _log.warning(
        "budget_nearly_used",
        program=use.program_id,
        period=use.budget.period,
        used=use.used,
        budget=use.budget.segments,
        percent=use.percent,
    )


def where_raised(fault: Exception) -> str | None:
    """File and line, as the text of a fault may show what must not be shown."""
    frames = traceback.extract_tb(fault.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else None


def kind_of(outcome: SendOutcome | EnquiryAnswer) -> str:
    """`NotSent` as `not-sent`."""
    return _with_dashes(type(outcome).__name__)


@cache
def _with_dashes(name: str) -> str:
    return "".join(f"-{each.lower()}" if each.isupper() else each for each in name).lstrip("-")

"""However many senders and programs there are, and whatever providers and callers make up, the series stay few."""

import logging
import re
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from prometheus_client import generate_latest
from starlette.types import Message, Receive, Scope, Send

from domain.model.callback import Callback, CallbackKind
from domain.model.delivery import DeliveryState
from domain.model.failover import Failover
from domain.model.message_body import MessageBody
from domain.model.pace import Pace
from domain.model.reasons import SENTENCES
from domain.model.receipt import ReceiptOutcome
from domain.model.send_outcome import Accepted, Barred, NotSent, Refused, Throttled, Unknown
from domain.model.slots import Slot
from domain.ports.callbacks import Kept, WorkedOff
from domain.ports.delivery_queue import Claim
from domain.ports.failovers import FailedOver
from domain.ports.vitals import Vitals, VitalSigns
from domain.ports.workload import Load, SenderLoad, Workload
from entrypoints.http.contract import Contract
from entrypoints.http.telemetry import RequestTelemetry
from entrypoints.telemetry.callback_observer import LoggedCallbacks
from entrypoints.telemetry.gauges import Gauges
from entrypoints.telemetry.labels import MOST_PROGRAMS, OTHER
from entrypoints.telemetry.metrics import Metrics
from entrypoints.telemetry.observers import CountedIntake, LoggedDispatch
from entrypoints.telemetry.outcomes import Outcomes
from tests.unit.builders import a_delivery, a_sender, a_text
from tests.unit.fakes import InMemoryIntake, InMemoryStore

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
PROVIDERS = ("sandbox", "twilio", "vonage", "mail")
SOURCES = ("twilio", "vonage", "vonage-sms")
MADE_UP = [f"made-up-{index}" for index in range(500)]
SENDERS = 3_000
PROGRAMS = [f"P{index}" for index in range(SENDERS)]


@pytest.fixture(autouse=True)
def _without_logs() -> Iterator[None]:
    """So many lines would take longer than all else."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


def series(metrics: Metrics) -> list[str]:
    lines = generate_latest(metrics.registry).decode().splitlines()
    return [line.rpartition(" ")[0] for line in lines if line.startswith("smshub_")]


def a_claim(sender_id: int, *, program_id: str = "PHARMACY") -> Claim:
    return Claim(
        delivery=a_delivery(state=DeliveryState.SENDING),
        message_id=uuid4(),
        program_id=program_id,
        sender=a_sender(sender_id=sender_id, provider=PROVIDERS[sender_id % 4]),
        body=MessageBody("Hello"),
        slot=Slot(1, 0, 0),
    )


class Busy(VitalSigns):
    async def now(self, *, now_us: int) -> Vitals:
        _ = now_us
        used = {f"limit {index}": 0.5 for index in range(SENDERS)}
        budgets = {f"P{index}": 0.5 for index in range(SENDERS)}
        return Vitals(dispatchers=1, sending=1, unknown=1, oldest_unknown_us=1, caps_used=used, budgets_used=budgets)


class Laden(Workload):
    """With whatever senders it is told."""

    def __init__(self, *sender_ids: int) -> None:
        self.sender_ids = sender_ids

    async def now(self, *, now_us: int) -> Load:
        _ = now_us
        pace = Pace.parse("1/s")
        loads = [
            SenderLoad(sender_id=each, pace=pace, segments=1, late_us=0, through_in_us=each) for each in self.sender_ids
        ]
        return Load(queued=1, scheduled=1, senders=loads)


def dispatch(metrics: Metrics) -> None:
    """Everything that can become of texts, from many senders of many programs."""
    observer = LoggedDispatch(metrics)
    outcomes = (Accepted("SM1"), Refused("x"), Throttled(), NotSent("x"), Barred("x"), Unknown("x"))
    for sender_id in range(SENDERS):
        claim = a_claim(sender_id, program_id=f"P{sender_id}")
        for outcome in outcomes:
            observer.attempted(claim, outcome, claim.delivery, late_us=0, took_us=0)
        observer.credit_told(claim.sender.provider, sender_id, 1.0)
    for provider, reason in product(PROVIDERS, [*SENTENCES, *MADE_UP]):
        observer.barred(a_sender(provider=provider), reason, times=1)
        failover = Failover(program_id=reason, from_sender_id=1, to_sender_id=2, provider=provider, reason=reason)
        observer.failed_over(failover, [FailedOver(delivery_id=7, message_id=uuid4())])
    for provider, state in product(PROVIDERS, DeliveryState):
        observer.rescued(provider, [a_delivery(state=state)])


async def accept(metrics: Metrics, programs: Sequence[str]) -> None:
    """A text of one segment of each."""
    intake = CountedIntake(InMemoryIntake(InMemoryStore(a_sender())), metrics)
    for program_id in programs:
        await intake.add(a_text(program_id=program_id))


def settle(metrics: Metrics) -> None:
    outcomes = Outcomes(metrics)
    without_reason = {DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.CANCELED}
    outcomes("mail", DeliveryState.DELIVERED, "mailed-instead")
    for provider, state in product(PROVIDERS, DeliveryState):
        for reason in [None] if state in without_reason else [None, *SENTENCES, *MADE_UP]:
            outcomes(provider, state, reason)


def call_back(metrics: Metrics) -> None:
    observer = LoggedCallbacks(metrics)
    for source, kind in product(SOURCES, CallbackKind):
        for index in range(100):
            callback = Callback(
                source=source, kind=kind, account_id=index, key=f"SM{index}", nonce=None, received_us=0, fields={}
            )
            for kept in Kept:
                observer.received(callback, kept)
            for outcome, state in product(ReceiptOutcome, DeliveryState):
                delivery = a_delivery(state=state)
                worked = WorkedOff(callback=callback, outcome=outcome, delivery=delivery, slot_us=0)
                observer.worked_off(worked, now_us=0)
        for reason in ("no-signature", "wrong-signature", "no-timestamp", "stale", "replayed", "unknown-account"):
            observer.refused(source, kind, reason)


async def ask(metrics: Metrics, *, method: str, path: str, operation: str | None, status: int) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        _ = receive
        scope["extensions"]["connexion_routing"] = {"operation_id": operation}
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def receive() -> Message:
        raise NotImplementedError

    async def send(message: Message) -> None:
        _ = message

    telemetry = RequestTelemetry(app, metrics)
    await telemetry({"type": "http", "method": method, "path": path, "extensions": {}}, receive, send)


async def test_the_series_of_a_process_are_no_more_than_the_documentation_says() -> None:
    metrics = Metrics()
    statuses = (200, 204, 400, 401, 403, 404, 405, 406, 409, 411, 413, 415, 422, 429, 431, 500, 501, 503)
    for operation, status in product([None, *Contract.load().operations], statuses):
        await ask(metrics, method="GET", path="/", operation=operation, status=status)
    dispatch(metrics)
    settle(metrics)
    call_back(metrics)
    await accept(metrics, PROGRAMS)
    gauges = Gauges(signs=Busy(), workload=Laden(*range(SENDERS)), metrics=metrics)
    await gauges.measure(now_us=0)

    (told,) = re.findall(r"never more than ([\d,]+)\s+series", DOCUMENT.read_text(encoding="utf-8"))
    assert 2_000 < len(series(metrics)) < int(told.replace(",", ""))


async def test_what_others_make_up_becomes_no_label() -> None:
    metrics = Metrics()
    for made_up in MADE_UP:
        await ask(metrics, method=made_up, path=f"/{made_up}", operation=None, status=404)
    dispatch(metrics)
    settle(metrics)

    assert not [each for each in series(metrics) if "made-up" in each]
    assert metrics.http_requests.labels("none", "404")._value.get() == len(MADE_UP)
    labels = {"provider": "twilio", "state": "failed", "reason": OTHER}
    assert metrics.registry.get_sample_value("smshub_outcomes_total", labels) == len(MADE_UP)


async def test_what_many_senders_sent_is_counted_in_all() -> None:
    metrics = Metrics()
    dispatch(metrics)

    counted = [sample for sample in next(iter(metrics.sent_segments.collect())).samples if sample.value]
    # What was accepted and what may have been.
    assert sum(each.value for each in counted) == 2 * SENDERS
    assert len(counted) == 1_001


async def test_what_many_programs_posted_is_counted_in_all_and_by_program_as_long_as_they_are_few() -> None:
    metrics = Metrics()
    await accept(metrics, [*PROGRAMS, *PROGRAMS])

    counted = {
        sample.labels["program"]: sample.value for sample in next(iter(metrics.accepted_segments.collect())).samples
    }
    assert counted.pop(OTHER) == 2 * (SENDERS - MOST_PROGRAMS)
    assert counted == dict.fromkeys(PROGRAMS[:MOST_PROGRAMS], 2)


async def test_a_sender_that_is_not_told_of_any_more_is_not_shown() -> None:
    metrics = Metrics()
    await Gauges(signs=Busy(), workload=Laden(1, 2), metrics=metrics).measure(now_us=0)
    await Gauges(signs=Busy(), workload=Laden(2, 3), metrics=metrics).measure(now_us=0)

    shown = [each for each in series(metrics) if each.startswith("smshub_sender_queued_segments")]
    assert shown == ['smshub_sender_queued_segments{sender="2"}', 'smshub_sender_queued_segments{sender="3"}']

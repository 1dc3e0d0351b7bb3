import math
import time
from dataclasses import replace

import pytest
import structlog

from domain.model.callback import Callback, CallbackKind
from domain.model.delivery import DeliveryState
from domain.model.idempotency import IdempotencyKey
from domain.model.receipt import ReceiptOutcome
from domain.ports.callbacks import WorkedOff
from entrypoints.telemetry.callback_observer import LoggedCallbacks
from entrypoints.telemetry.metrics import Metrics
from entrypoints.telemetry.observers import CountedIntake, LoggedDispatch
from tests.unit.builders import a_delivery, a_number, a_sender, a_text
from tests.unit.fakes import InMemoryIntake, InMemoryStore


def fail() -> None:
    raise RuntimeError("could not send Hello to +19706904544")


def test_the_fault_of_a_providers_adapter_is_logged_with_its_place_and_without_its_text() -> None:
    with structlog.testing.capture_logs() as lines:
        try:
            fail()
        except RuntimeError as fault:
            LoggedDispatch(Metrics()).adapter_failed("post", fault)

    (line,) = lines
    assert line["event"] == "provider_adapter_failed"
    assert line["provider"] == "post"
    assert line["fault"] == "RuntimeError"
    assert line["where"].startswith("test_observers.py:")
    assert "9706904544" not in str(line)


def worked_off(
    state: DeliveryState, before: DeliveryState, *, outcome: ReceiptOutcome = ReceiptOutcome.APPLIED
) -> WorkedOff:
    callback = Callback(
        source="vonage-sms", kind=CallbackKind.RECEIPT, account_id=1, key="SM1", nonce=None, received_us=0, fields={}
    )
    return WorkedOff(callback=callback, outcome=outcome, delivery=a_delivery(state=state), before=before)


@pytest.mark.parametrize(
    ("worked", "counted"),
    [
        (worked_off(DeliveryState.DELIVERED, DeliveryState.SENT), 1),
        (worked_off(DeliveryState.DELIVERED, DeliveryState.SENDING), 1),
        (worked_off(DeliveryState.SENT, DeliveryState.UNKNOWN), 1),
        # The dispatcher whose call it is tells of that.
        (worked_off(DeliveryState.SENT, DeliveryState.SENDING), 0),
        (worked_off(DeliveryState.DELIVERED, DeliveryState.DELIVERED, outcome=ReceiptOutcome.NOTHING_NEW), 0),
    ],
)
def test_what_a_receipt_brings_to_rest_is_counted_once_as_the_providers(worked: WorkedOff, counted: int) -> None:
    metrics = Metrics()

    LoggedCallbacks(metrics).worked_off(worked, now_us=0)

    assert worked.delivery is not None
    labels = {"provider": "vonage", "state": worked.delivery.state.value, "reason": ""}
    assert (metrics.registry.get_sample_value("smshub_outcomes_total", labels) or 0) == counted


def test_the_heartbeat_grows_old_from_the_first_on() -> None:
    metrics = Metrics()
    assert math.isnan(age_of_heartbeat(metrics))

    LoggedDispatch(metrics).beaten()
    first = age_of_heartbeat(metrics)
    time.sleep(0.01)

    assert 0 <= first < first + 0.01 <= age_of_heartbeat(metrics)


def age_of_heartbeat(metrics: Metrics) -> float:
    age = metrics.registry.get_sample_value("smshub_heartbeat_age_seconds")
    assert age is not None
    return age


def test_credit_is_shown_as_it_was_told_last() -> None:
    metrics = Metrics()
    observer = LoggedDispatch(metrics)
    for amount in (7.5, -0.25):
        observer.credit_told("vonage", 4, amount)

    labels = {"provider": "vonage", "account": "4"}
    assert metrics.registry.get_sample_value("smshub_provider_credit", labels) == -0.25


async def test_accepted_segments_are_counted_without_those_that_are_repeated_or_go_to_nobody() -> None:
    metrics, store = Metrics(), InMemoryStore(a_sender())
    intake = CountedIntake(InMemoryIntake(store), metrics)
    store.opted_out.add(("PHARMACY", a_number(1)))
    text = a_text(to=[a_number(1), a_number(2), a_number(3)], text="Hello. " * 40)
    once = replace(text, key=IdempotencyKey("once", b"the same"))
    test = a_text(2, to=[a_number(4)])

    await intake.add(once)
    await intake.add(once)
    await intake.add(replace(test, message=replace(test.message, is_test=True)))

    samples = next(iter(metrics.accepted_segments.collect())).samples
    assert [(sample.labels, sample.value) for sample in samples] == [({"program": "PHARMACY"}, 4)]

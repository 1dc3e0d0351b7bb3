"""What the hub tells those who run it: what it says is documented, and nothing personal is in it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from domain.errors import StoreUnavailable
from domain.model.budget import Budget, BudgetUse
from domain.model.callback import CallbackKind
from domain.model.delivery import DeliveryState
from domain.model.failover import Failover
from domain.model.inbound_message import InboundOutcome
from domain.model.receipt import ReceiptOutcome
from domain.model.webhook import Call, Disabled, EventType
from domain.model.webhook_retry import Answer
from domain.ports.callbacks import Joined, Kept, WorkedOff
from domain.ports.failovers import FailedOver
from domain.ports.inbound_messages import TakenIn
from entrypoints.telemetry.callback_observer import LoggedCallbacks
from entrypoints.telemetry.metrics import Metrics
from entrypoints.telemetry.observers import LoggedDispatch, budget_nearly_used
from entrypoints.telemetry.tally import Tally
from entrypoints.telemetry.webhook_observer import LoggedWebhooks
from tests.builders import a_delivery
from tests.contract.test_callbacks import a_callback
from tests.e2e.running import Caller, HubProcess, Site, eventually
from tests.unit.builders import a_sender

ROOT = Path(__file__).parents[2]
ALWAYS = {"event", "level", "timestamp"}
FAILOVER = Failover(
    program_id="city-hall", from_sender_id=1, to_sender_id=2, provider="post", reason="credentials-refused"
)
A_CALL = Call(
    id=1,
    webhook_id=uuid4(),
    program_id="city-hall",
    url="https://office.example/hooks",
    event_id=uuid4(),
    sequence=1,
    subject="delivery 1",
    type=EventType.SENT,
    at_us=0,
    data={},
    failures=0,
    secrets=[],
)

TEXT = "A text that nobody else shall read."
NUMBERS = {
    "+19706904544": "delivered",
    "+15005550001": "refused",
    "+15005550011": "sent at the second call",
    "+15005550014": "unknown, and sent again",
    "+19706904545": "blocked",
}


@dataclass(frozen=True)
class Day:
    """What a hub left behind that has done a bit of everything."""

    log: Sequence[Mapping[str, object]]
    output: str
    exposition: str
    secrets: Sequence[str]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("day")
    with Site(f"sqlite:///{folder / 'hub.db'}", folder, enquiry_delays="PT1S,PT1S", frobnicate="1") as site:
        hub = site.serve().until_ready()
        credentials = site.program(rate="20")
        caller = site.caller(hub, credentials)
        exposition = busy(hub, caller)
        # So many, and so fast, that some are reserved whenever it stops.
        caller.send([f"+1970690{index}" for index in range(5_000, 5_040)])
        eventually(lambda: len(hub.attempts) > len(NUMBERS) + 2)
        assert hub.stop() == 0
        numbers = [number[-10:] for number in NUMBERS]
        secrets = [*numbers, "+1970690", TEXT, caller.token, credentials.program_key, credentials.program_sid]
        yield Day(hub.log, hub.output + hub.errors, exposition, secrets)


def busy(hub: HubProcess, caller: Caller) -> str:
    """The metrics after a few texts, mistakes among them."""
    caller.post("/api/Subscribers", {"PhoneNumber": "9706904545", "DoNotText": True})
    message_id = caller.send(list(NUMBERS), text=TEXT)
    caller.post("/api/TextMessages", {"Message": TEXT, "PhoneNumber": "970690CALL"})
    caller.get("/nowhere/+19706904544")
    caller.http.request("PUT", "/api/TextMessages")
    token, caller.token = caller.token, f"{caller.token}x"
    assert caller.get("/api/TextMessages").status_code == 401
    caller.token = token
    eventually(lambda: caller.counts(message_id) == {"delivered": 3, "failed": 1, "blocked": 1})
    return hub.get("/metrics").text


def documented(heading: str) -> dict[str, list[str]]:
    """The rows of a table by their first cell, without backquotes."""
    document = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    section = document.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {first.strip(" `"): [cell.strip().replace("`", "") for cell in rest] for first, *rest in rows}


def names(cell: str) -> set[str]:
    return {name for name in cell.split(", ") if name}


# log lines


def test_every_line_is_a_json_object(day: Day) -> None:
    for line in day.output.splitlines():
        assert isinstance(json.loads(line), dict)


def test_every_line_says_what_how_bad_and_when(day: Day) -> None:
    for line in day.log:
        assert line.keys() >= ALWAYS
        assert line["level"] in {"info", "warning", "error"}
        at = datetime.fromisoformat(str(line["timestamp"]))
        assert at.tzinfo == UTC


def test_every_line_has_the_keys_that_are_documented(day: Day) -> None:
    keys = {event: names(cells[0]) for event, cells in documented("Log lines").items()}
    found = {str(line["event"]): line.keys() - ALWAYS for line in day.log}
    assert found == {event: keys.get(event) for event in found}
    assert keys.keys() - found.keys() == {
        *{"waiting_for_database", "request_failed", "deliveries_rescued", "store_unavailable"},
        *{"provider_adapter_failed", "provider_code_unlisted", "sender_barred", "sender_unbarred"},
        *{"callback_received", "callback_refused", "receipt_worked_off", "inbound_joined", "inbound_message_taken_in"},
        *{"delivery_failed_over", "budget_nearly_used", "webhook_called", "webhook_disabled"},
        "staff_not_signed_in",
    }


def test_the_rarer_lines_have_the_keys_that_are_documented() -> None:
    observer, callbacks, webhooks = LoggedDispatch(Metrics()), LoggedCallbacks(Metrics()), LoggedWebhooks(Metrics())
    with capture_logs() as lines:
        observer.rescued("post", [a_delivery(), a_delivery(state=DeliveryState.UNKNOWN)])
        observer.held_up(StoreUnavailable())
        observer.adapter_failed("post", RuntimeError())
        observer.barred(a_sender(), "credentials-refused", times=1)
        observer.unbarred(a_sender())
        observer.code_unlisted("post", 400, "4711")
        observer.failed_over(FAILOVER, [FailedOver(delivery_id=7, message_id=uuid4())])
        callbacks.received(a_callback(), Kept.NEW)
        callbacks.refused("post", CallbackKind.RECEIPT, "stale")
        callbacks.worked_off(WorkedOff(callback=a_callback(), outcome=ReceiptOutcome.UNREADABLE), now_us=0)
        callbacks.joined(Joined(callback=a_callback(), missing=[2]))
        callbacks.taken_in(TakenIn(callback=a_callback(), outcome=InboundOutcome.NOBODYS))
        budget_nearly_used(BudgetUse(program_id="PHARMACY", budget=Budget("2026-11", 10, 0), used=8, percent=80))
        webhooks.called(A_CALL, Answer(took_us=1, error="timeout"), given_up=True)
        webhooks.disabled(A_CALL.webhook_id, A_CALL.program_id, Disabled.GONE)
    keys = documented("Log lines")
    assert [line["event"] for line in lines] == [
        *("deliveries_rescued", "deliveries_rescued", "store_unavailable", "provider_adapter_failed"),
        *("sender_barred", "sender_unbarred", "provider_code_unlisted", "delivery_failed_over"),
        *("callback_received", "callback_refused", "receipt_worked_off", "inbound_joined", "inbound_message_taken_in"),
        "budget_nearly_used",
        *("webhook_called", "webhook_disabled"),
    ]
    for line in lines:
        assert line.keys() - {"event", "log_level"} == names(keys[line["event"]][0])


def test_every_event_of_the_source_is_documented_and_no_other() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "src").rglob("*.py"))
    calls = re.findall(r'_log\.\w+\(\s*"(\w+)"(?: if [^"]+ else "(\w+)")?', source)
    assert {event for call in calls for event in call if event} == documented("Log lines").keys()


def test_nothing_personal_or_secret_is_logged(day: Day) -> None:
    assert not [secret for secret in day.secrets if secret in day.output]


def test_a_request_is_one_line(day: Day) -> None:
    served = [line for line in day.log if line["event"] == "request_served"]
    told = [(line["method"], line["operation"], line["status"], line["problem"]) for line in served]
    for expected in [
        ("POST", "logIn", 200, None),
        ("POST", "sendTextMessage", 200, None),
        ("POST", "sendTextMessage", 422, "recipients-refused"),
        ("GET", "listTextMessages", 401, "token-refused"),
        ("GET", "none", 404, "no-such-path"),
        ("PUT", "none", 405, "method-not-allowed"),
    ]:
        assert told.count(expected) == (2 if expected[:3] == ("POST", "sendTextMessage", 200) else 1)


def test_an_attempt_is_one_line(day: Day) -> None:
    attempts = [line for line in day.log if line["event"] == "delivery_attempted"]
    outcomes = [line["outcome"] for line in attempts if line["state"] != "sent"]
    assert sorted(map(str, outcomes)) == ["not-sent", "refused", "unknown"]
    assert {(line["delivery"], line["attempt"]) for line in attempts if line["attempt"] == 2} >= {(3, 2), (4, 2)}


# metrics


def registered() -> Mapping[str, tuple[str, set[str]]]:
    """The hub's own metrics by the names that they are asked for by, each with its type and labels."""
    kinds = {Counter: "counter", Gauge: "gauge", Histogram: "histogram"}
    found: dict[str, tuple[str, set[str]]] = {}
    for each in vars(Metrics()).values():
        match each:
            case Tally():
                found[f"{each.name}_total"] = "counter", set(each.labels)
            case MetricWrapperBase():
                name = each._name + ("_total" if isinstance(each, Counter) else "")
                found[name] = kinds[type(each)], set(each._labelnames)
    return found


def test_every_metric_is_documented_with_type_and_labels_and_no_other() -> None:
    told = {name: (cells[0], names(cells[1])) for name, cells in documented("Metrics").items()}
    assert told == registered()
    assert all(cells[2] for cells in documented("Metrics").values())


def test_every_name_says_whose_it_is() -> None:
    assert all(re.fullmatch(r"smshub(_[a-z]+)+", name) for name in registered())
    assert all(family.name.startswith(("smshub_", "process_", "python_")) for family in Metrics().registry.collect())


def test_what_is_exposed_is_prometheus_text(day: Day) -> None:
    families = {family.name: family for family in text_string_to_metric_families(day.exposition)}
    own = {name.removesuffix("_total") for name in registered()}
    assert own <= families.keys()
    assert all(families[name].documentation and families[name].type != "unknown" for name in own)
    assert all(name.startswith(("process_", "python_")) for name in families.keys() - own)
    assert day.exposition.endswith("\n")


def test_what_happened_is_counted(day: Day) -> None:
    counted = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(day.exposition)
        for sample in family.samples
    }
    assert counted["smshub_accepted_messages_total",] == 1
    assert counted["smshub_accepted_deliveries_total", "queued"] == 4
    assert counted["smshub_accepted_deliveries_total", "blocked"] == 1
    assert [value for key, value in counted.items() if key[0] == "smshub_accepted_segments_total"] == [4]
    assert counted["smshub_attempts_total", "accepted", "sandbox"] == 3
    assert counted["smshub_attempts_total", "refused", "sandbox"] == 1
    assert counted["smshub_attempts_total", "not-sent", "sandbox"] == 1
    assert counted["smshub_attempts_total", "sandbox", "unknown"] == 1
    assert (
        counted["smshub_attempt_seconds_count", "sandbox"] == counted["smshub_send_late_seconds_count", "sandbox"] == 6
    )
    outcomes = {key[1:]: value for key, value in counted.items() if key[0] == "smshub_outcomes_total"}
    assert outcomes == {
        ("", "sandbox", "sent"): 3,
        ("", "delivered", "sandbox"): 3,
        ("failed", "invalid-recipient", "sandbox"): 1,
        ("no-answer", "sandbox", "unknown"): 1,
        ("blocked", "opted-out", "sandbox"): 1,
    }
    assert counted["smshub_sent_segments_total", "1"] == 4
    assert counted["smshub_sender_rate", "1"] == 20
    assert counted["smshub_sender_queued_segments", "1"] == counted["smshub_sender_completion_seconds", "1"] == 0
    assert counted["smshub_dispatchers",] == 1
    assert counted["smshub_heartbeat_age_seconds",] >= 0
    assert [counted["smshub_queued_deliveries", state] for state in ("queued", "scheduled", "sending", "unknown")] == [
        *(0, 0, 0, 0)
    ]
    assert counted["smshub_database_connections", "in_use"] + counted["smshub_database_connections", "idle"] > 0
    assert counted["smshub_database_wait_seconds_count",] > 10
    assert counted["smshub_enquiries_total", "found", "sandbox"] == 3
    assert counted["smshub_enquiries_total", "not-found", "sandbox"] == 2
    assert counted["smshub_http_requests_total", "200", "logIn"] == 1
    assert counted["smshub_http_requests_total", "422", "sendTextMessage"] == 1
    assert counted["smshub_http_requests_total", "404", "none"] == 1
    assert counted["smshub_http_request_seconds_count", "logIn"] == 1
    assert counted["smshub_unknown_settings",] == 1
    assert counted["smshub_store_unavailable_total",] == 0


def test_nothing_personal_or_secret_is_in_a_label(day: Day) -> None:
    assert not [secret for secret in day.secrets if secret in day.exposition]

"""One trace from a caller's own span to the receipt, as a real collector is sent it by real processes."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.collector import Collector, SpanSeen, a_collector
from tests.e2e.running import Caller, Credentials, HubProcess, Site, eventually
from tests.e2e.sending import ENCRYPTION_KEYS
from tests.e2e.stand_in import StandIn, pasted
from tests.import_path import import_path
from tests.ports import free_port

NUMBER = "+19706904544"
INVALID = "+15005550001"
WORDS = "Nobody else is to read this"

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLERS_SPAN = "b7ad6b7169203331"
TRACE_PARENT = f"00-{TRACE}-{CALLERS_SPAN}-01"
GIVEN_UP = "Failed to export spans batch due to timeout, max retries or shutdown."
NOT_SAMPLED = f"00-{TRACE}-{CALLERS_SPAN}-00"

Serve = Callable[..., tuple[HubProcess, Caller]]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with a_collector() as collector:
        yield collector


@pytest.fixture
def serve(sqlite_url: str, tmp_path: Path) -> Iterator[Serve]:
    """A whole hub that sends through a stand-in, which calls back; and a caller of it."""
    with ExitStack() as at_end:

        def serve(**environment: str) -> tuple[HubProcess, Caller]:
            stand_in, port = StandIn(tmp_path, "twilio"), free_port()
            at_end.callback(stand_in.kill)
            public_url = f"http://127.0.0.1:{port}"
            site = at_end.enter_context(
                Site(sqlite_url, tmp_path, encryption_keys=ENCRYPTION_KEYS, public_url=public_url)
            )
            site.environment |= {"PYTHONPATH": import_path(), **stand_in.told["Environment"], **environment}
            # Before the hub starts, so that it has Twilio's library at hand with the first text.
            created = json.loads(pasted(f"{stand_in.told['CreateProgram']} --rate 20 --output json", site.environment))
            hub = site.start("serve", port=port).until_ready()
            credentials = Credentials(created["ProgramId"], created["ProgramSID"], created["ProgramKey"])
            return hub, site.caller(hub, credentials)

        yield serve


def to(collector: Collector) -> dict[str, str]:
    return {
        "SMSHUB_TRACES": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }


def post(caller: Caller, number: str = NUMBER, trace_parent: str | None = TRACE_PARENT) -> str:
    """A text whose end is waited for; its id."""
    headers = {"Prefer": "wait=30"} | ({} if trace_parent is None else {"traceparent": trace_parent})
    answer = caller.post("/api/TextMessages", {"Message": WORDS, "PhoneNumber": number}, headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["Id"])


def the_one(collector: Collector, name: str) -> SpanSeen:
    [span] = eventually(lambda: collector.called(name), what=f"a span {name}")
    return span


def test_a_callers_trace_goes_on_to_the_receipt(serve: Serve, collector: Collector) -> None:
    hub, caller = serve(**to(collector))

    message = post(caller)

    accept, send = the_one(collector, "sendTextMessage"), the_one(collector, "send")

    def receipts() -> list[SpanSeen]:
        found = collector.called("receipt")
        assert "delivered" in {each.attributes["smshub.state"] for each in found}
        return list(found)

    told = eventually(receipts)
    assert {span.trace for span in (accept, send, *told)} == {TRACE}
    assert accept.parent == CALLERS_SPAN
    assert {span.parent for span in (send, *told)} == {accept.id}
    assert [span.kind for span in (accept, send, told[0])] == ["server", "client", "consumer"]
    assert accept.service == "sms-hub"
    assert accept.attributes["http.response.status_code"] == 200
    assert send.attributes == {
        **send.attributes,
        "smshub.message": message,
        "smshub.provider": "twilio",
        "smshub.attempt": 1,
        "smshub.outcome": "accepted",
        "smshub.state": "sent",
    }
    assert accept.start_ns < send.start_ns < send.end_ns <= accept.end_ns
    assert abs(time.time_ns() - accept.end_ns) < 60_000_000_000
    [attempt], served = hub.logged("delivery_attempted"), hub.logged("request_served")
    assert attempt["trace"] == TRACE
    assert [line["trace"] for line in served if line["operation"] == "sendTextMessage"] == [TRACE]


def test_nothing_personal_or_secret_is_sent(serve: Serve, collector: Collector) -> None:
    _, caller = serve(**to(collector))

    post(caller)
    eventually(lambda: collector.called("receipt"))

    sent = b"".join(collector.bodies)
    for secret in (WORDS, NUMBER.removeprefix("+"), caller.token, caller.credentials.program_key):
        assert secret.encode() not in sent


def test_a_refused_text_fails_in_its_trace(serve: Serve, collector: Collector) -> None:
    _, caller = serve(**to(collector))

    post(caller, INVALID)

    send = the_one(collector, "send")
    assert (send.failed, send.attributes["smshub.reason"]) == (True, "invalid-recipient")


def test_a_refused_request_names_its_problem(serve: Serve, collector: Collector) -> None:
    _, caller = serve(**to(collector))

    answer = caller.post("/api/TextMessages", {"Message": WORDS, "PhoneNumber": "1"})

    accept = the_one(collector, "sendTextMessage")
    assert accept.parent == ""
    assert accept.attributes["http.response.status_code"] == answer.status_code
    assert accept.attributes["error.type"] == answer.json()["type"].rpartition("/")[2]


def test_what_the_caller_does_not_sample_is_not_sent(serve: Serve, collector: Collector) -> None:
    hub, caller = serve(**to(collector))

    post(caller, trace_parent=NOT_SAMPLED)

    assert hub.stop() == 0
    assert {span.name for span in collector.spans} >= {"logIn"}
    assert TRACE not in {span.trace for span in collector.spans}


def test_what_is_left_is_sent_at_the_stop(serve: Serve, collector: Collector) -> None:
    hub, caller = serve(**to(collector) | {"OTEL_BSP_SCHEDULE_DELAY": "3600000", "OTEL_SERVICE_NAME": "texts"})
    post(caller)
    assert collector.bodies == []

    assert hub.stop() == 0

    assert {span.name for span in collector.spans} >= {"sendTextMessage", "send"}
    assert {span.service for span in collector.spans} == {"texts"}


@pytest.mark.parametrize("answers", ["refused", "never"])
def test_a_collector_that_takes_nothing_holds_nothing_up(serve: Serve, answers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = free_port() if answers == "refused" else silent.getsockname()[1]
        collector = Collector(f"http://127.0.0.1:{port}")
        # So few that most are dropped.
        hub, caller = serve(**to(collector) | {"OTEL_BSP_MAX_QUEUE_SIZE": "2", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"})

        for _ in range(10):
            post(caller)

        assert hub.stop() == 0
        assert {line["state"] for line in hub.logged("delivery_attempted")} == {"sent"}
        assert {line["event"] for line in hub.log if line["level"] != "info"} <= {GIVEN_UP}


def test_without_the_setting_nothing_is_traced(serve: Serve, collector: Collector) -> None:
    hub, caller = serve(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)

    post(caller)

    assert hub.stop() == 0
    assert collector.bodies == []
    assert not [line for line in hub.log if "trace" in line]

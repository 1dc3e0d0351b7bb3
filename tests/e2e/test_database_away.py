"""A database that goes away while the hub runs, and comes back: nothing is accepted that is not stored, and nobody
has to restart anything.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import PostgresServer, migrate
from tests.e2e.running import Caller, Site, assert_none_twice, assert_paced, e164, eventually

RATE = 40

# Longer than a dispatcher may go on without a sign of life, so that it has to join anew.
LONG_OUTAGE_S = 7


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """Nobody else's, to be stopped and started."""
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture
def site(own_server: PostgresServer, tmp_path: Path) -> Iterator[Site]:
    own_server.start()
    with own_server.database() as url:
        migrate(url)
        with Site(url, tmp_path, enquiry_delays="PT1S,PT1S") as site:
            yield site
        own_server.start()


def a_text(count: int = 1, *, first: int = 0) -> dict[str, object]:
    return {"Message": "Hello", "PhoneNumber": ",".join(e164(count, first=first))}


def assert_unavailable(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["type"] == "store-unavailable"


def everything(caller: Caller) -> Sequence[str]:
    """The ids of all messages that the program has."""
    answer = caller.get("/api/TextMessages?Limit=1000")
    assert answer.status_code == 200, answer.text
    return [each["Id"] for each in answer.json()["Items"]]


def test_postgresql_away_and_back_again(own_server: PostgresServer, site: Site) -> None:
    count = 240
    api, dispatcher = site.api(), site.dispatcher()
    api.until_ready()
    dispatcher.until_ready()
    caller = site.caller(api, site.program(rate=str(RATE)))
    message_id = caller.send(e164(count))
    eventually(lambda: len(dispatcher.attempts) >= RATE)

    own_server.stop()
    stopped_at = time.monotonic()
    # What had its slot already may still be sent, and nothing after that.
    assert_unavailable(caller.post("/api/TextMessages", a_text(first=count)))
    assert_unavailable(caller.get("/api/TextMessages"))
    assert_unavailable(caller.get(f"/api/TextMessages/{message_id}"))
    assert_unavailable(caller.post("/api/Subscribers", {"PhoneNumber": "+19706904544", "DoNotText": True}))
    assert_unavailable(caller.log_in())
    for process in (api, dispatcher):
        assert process.readiness() == (
            200,
            {"ready": True, "checks": {"process": "running", "database": "unavailable"}},
        )
    late = site.api()
    eventually(lambda: late.checks(status=503) == {"process": "starting", "database": "unavailable"})
    sent_before = len(dispatcher.attempts)
    eventually(lambda: time.monotonic() - stopped_at > LONG_OUTAGE_S)
    assert late.logged("waiting_for_database")[0]["problem"] == "store-unavailable"
    assert dispatcher.logged("store_unavailable")
    assert dispatcher.metric("smshub_store_unavailable_total") > 0
    assert len(dispatcher.attempts) == sent_before < count

    own_server.start()
    late.until_ready()
    assert everything(caller) == [message_id]
    assert caller.log_in().status_code == 200
    caller.until_delivered(message_id, count)
    other = site.caller(late, caller.credentials)
    other.until_delivered(other.send(e164(1)), 1)

    assert len(dispatcher.attempts) > sent_before
    assert_none_twice(dispatcher.attempts)
    assert_paced(dispatcher.attempts, rate=RATE)
    assert [process.stop() for process in (api, dispatcher, late)] == [0, 0, 0]
    assert [process.errors for process in (api, dispatcher, late)] == ["", "", ""]
    assert "Traceback" not in api.output + dispatcher.output + late.output


def test_a_short_outage_costs_its_own_length_alone(own_server: PostgresServer, site: Site) -> None:
    count = 120
    hub = site.serve().until_ready()
    caller = site.caller(hub, site.program(rate=str(RATE)))
    message_id = caller.send(e164(count))
    eventually(lambda: len(hub.attempts) >= RATE)
    own_server.stop()
    own_server.start()
    eventually(lambda: hub.readiness()[1]["checks"]["database"] == "ok")
    caller.until_delivered(message_id, count)
    assert_none_twice(hub.attempts)
    assert_paced(hub.attempts, rate=RATE)
    assert len(hub.attempts) == count


def test_a_hub_may_be_stopped_while_its_database_is_away(own_server: PostgresServer, site: Site) -> None:
    site.environment["SMSHUB_STOP_GRACE"] = "PT2S"
    hub = site.serve().until_ready()
    own_server.stop()
    eventually(lambda: hub.logged("store_unavailable"))
    assert hub.stop() == 0
    assert hub.errors == ""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """The SQLite file in another process's exclusive transaction."""
    hold = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('BEGIN EXCLUSIVE'); print(); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", hold, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"\n"
        yield


def test_a_locked_sqlite_file_is_a_database_that_is_away(sqlite_url: str, tmp_path: Path) -> None:
    with Site(sqlite_url, tmp_path) as site:
        hub = site.serve().until_ready()
        caller = site.caller(hub, site.program(rate=str(RATE)))
        before = caller.send(e164(1))
        caller.until_delivered(before, 1)
        with locked(tmp_path / "hub.db"), ThreadPoolExecutor() as pool:
            # One that waits for the lock must not make the next one wait longer.
            for answer in pool.map(lambda index: caller.post("/api/TextMessages", a_text(first=index)), range(4)):
                assert_unavailable(answer)
            assert hub.readiness()[0] == 200
            eventually(lambda: hub.logged("store_unavailable"))
        assert everything(caller) == [before]
        caller.until_delivered(caller.send(e164(20)), 20)
        assert_none_twice(hub.attempts)
        assert_paced(hub.attempts, rate=RATE)
        assert hub.stop() == 0
        assert "Traceback" not in hub.output + hub.errors

"""The hub in a cluster: PostgreSQL, and interface and dispatchers in processes of their own."""

import socket
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.conftest import PostgresServer
from tests.e2e.running import (
    SMSHUB,
    HubProcess,
    Site,
    assert_none_twice,
    assert_paced,
    e164,
    eventually,
)
from tests.patience import PATIENCE_S
from tests.ports import free_port

INTERNAL_PATHS = ("/livez", "/readyz", "/metrics")


@pytest.fixture
def site(postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    with Site(postgres_url, tmp_path) as site:
        yield site


@pytest.fixture
def empty_site(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Site]:
    """On a database with nothing in it."""
    with postgres_server.database() as url, Site(url, tmp_path) as site:
        yield site


def test_a_text_goes_end_to_end_from_an_empty_database(empty_site: Site) -> None:
    site = empty_site
    migrated = subprocess.run(
        [SMSHUB, "migrate"], env=site.environment, capture_output=True, text=True, check=True, timeout=30
    )
    assert (migrated.stdout, migrated.stderr) == ("The database is at the schema of this version.\n", "")

    site.environment["SMSHUB_FROBNICATE"] = "1"
    api, dispatcher = site.api(), site.dispatcher()
    api.until_ready()
    dispatcher.until_ready()
    caller = site.caller(api, site.program())
    message_id = caller.send(["(970) 690-4544"])
    caller.until_delivered(message_id, 1)
    assert caller.deliveries(message_id)[0]["PhoneNumber"] == "+19706904544"
    assert not api.attempts
    assert len(dispatcher.attempts) == 1

    for process in (api, dispatcher):
        # A setting that is none, as Kubernetes injects them, is no reason not to start.
        assert [line["names"] for line in process.logged("unknown_settings")] == [["SMSHUB_FROBNICATE"]]
        assert process.metric("smshub_unknown_settings") == 1
        assert [process.get(path).status_code for path in INTERNAL_PATHS] == [200, 200, 200]
    assert [caller.get(path).status_code for path in INTERNAL_PATHS] == [404, 404, 404]
    assert api.metric("smshub_accepted_messages_total") == 1
    assert dispatcher.metric('smshub_attempts_total{outcome="accepted",provider="sandbox"}') == 1

    assert [process.stop() for process in (api, dispatcher)] == [0, 0]
    assert [process.errors for process in (api, dispatcher)] == ["", ""]


def test_any_interface_and_any_dispatcher_will_do(site: Site) -> None:
    rate, half = 20, 20
    apis, dispatchers = [site.api(), site.api()], [site.dispatcher(), site.dispatcher()]
    for process in [*apis, *dispatchers]:
        process.until_ready()
    credentials = site.program(rate=str(rate))
    one, other = (site.caller(api, credentials) for api in apis)
    texts = {one: one.send(e164(half)), other: other.send(e164(half, first=half))}

    other.token, one.token = one.token, other.token
    other.until_delivered(texts[one], half)
    one.until_delivered(texts[other], half)
    attempts = [attempt for each in dispatchers for attempt in each.attempts]
    assert len(attempts) == 2 * half
    assert_none_twice(attempts)
    assert_paced(attempts, rate=rate)


def test_a_process_waits_for_the_schema_and_is_not_ready_before(empty_site: Site) -> None:
    api, dispatcher = empty_site.api(), empty_site.dispatcher()
    for process in (api, dispatcher):
        checks = eventually(partial(process.checks, status=503))
        assert checks["process"] == "starting"
        assert "smshub migrate" in checks["database"]
        assert process.get("/livez").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{api.url}/openapi.json", trust_env=False)

    subprocess.run([SMSHUB, "migrate"], env=empty_site.environment, capture_output=True, check=True, timeout=PATIENCE_S)
    for process in (api, dispatcher):
        process.until_ready()
        assert process.logged("waiting_for_database")[0]["problem"] == "schema-differs"
    assert httpx.get(f"{api.url}/openapi.json", trust_env=False).status_code == 200


def test_while_it_drains_it_is_not_ready_and_finishes_what_it_has_begun(site: Site) -> None:
    api = site.api().until_ready()
    caller = site.caller(api, site.program())
    body = b'{"Message": "Hello", "PhoneNumber": "9706904544"}'
    head = [
        "POST /api/TextMessages HTTP/1.1",
        "Host: hub",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"Authorization: {caller.token}",
        "Expect: 100-continue",
    ]
    with socket.create_connection(("127.0.0.1", api.port), timeout=PATIENCE_S) as slow:
        slow.sendall("\r\n".join([*head, "\r\n"]).encode())
        assert slow.recv(100).startswith(b"HTTP/1.1 100")

        api.send_signal()
        checks = eventually(lambda: api.checks(status=503))
        assert (checks["process"], checks["database"]) == ("draining", "ok")
        assert api.get("/livez").status_code == 200
        eventually(lambda: refuses_connections(api))

        slow.sendall(body)
        assert slow.recv(100).startswith(b"HTTP/1.1 200")
    assert api.ended() == 0
    assert [line["event"] for line in api.log[-3:]] == ["process_draining", "request_served", "process_stopped"]


def refuses_connections(process: HubProcess) -> bool:
    try:
        socket.create_connection(("127.0.0.1", process.port), timeout=PATIENCE_S).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_dispatcher_that_is_stopped_hands_back_what_it_has_not_sent(site: Site) -> None:
    rate, count = 40, 80
    api, first = site.api().until_ready(), site.dispatcher().until_ready()
    caller = site.caller(api, site.program(rate=str(rate)))
    message_id = caller.send(e164(count))
    eventually(lambda: len(first.attempts) >= 20)
    assert first.stop() == 0

    assert first.logged("delivery_released"), "it had nothing reserved"
    counts = caller.counts(message_id)
    assert set(counts) <= {"queued", "sent", "delivered"}
    assert counts["queued"] == count - len(first.attempts)

    second = site.dispatcher().until_ready()
    caller.until_delivered(message_id, count)
    attempts = [*first.attempts, *second.attempts]
    assert len(attempts) == count
    assert_none_twice(attempts)
    assert_paced(attempts, rate=rate)
    assert not second.logged("deliveries_rescued"), "the first has left, there is nothing to be rescued"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(lambda site, port: site.start("api", port=port), id="public"),
        pytest.param(lambda site, port: site.start("api", internal_port=port), id="internal"),
        pytest.param(lambda site, port: site.start("dispatcher", internal_port=port), id="dispatcher"),
    ],
)
def test_a_port_in_use_is_told_in_one_line(
    site: Site, taken_port: int, start: Callable[[Site, int], HubProcess]
) -> None:
    process = start(site, taken_port)
    assert process.ended() == 1
    assert process.errors == (
        f"Error: The hub cannot listen on 127.0.0.1, port {taken_port}: Address already in use.\n"
    )


def test_of_two_that_wait_for_the_database_with_one_port_one_gives_up(empty_site: Site) -> None:
    port = free_port()
    both = [empty_site.start("api", port=port) for _ in range(2)]
    # One that sees the port taken already has ended by now; else it finds out when it is to listen.
    eventually(lambda: all(each.logged("waiting_for_database") or not each.alive for each in both))
    subprocess.run([SMSHUB, "migrate"], env=empty_site.environment, capture_output=True, check=True, timeout=PATIENCE_S)
    eventually(lambda: [each.alive for each in both].count(True) == 1, what="one has ended, one serves")
    loser = next(each for each in both if not each.alive)
    assert loser.ended() == 1
    assert loser.errors == f"Error: The hub cannot listen on 127.0.0.1, port {port}: Address already in use.\n"


def test_it_listens_where_the_environment_says_if_no_option_does(site: Site) -> None:
    site.environment["SMSHUB_HOST"] = "0.0.0.0"
    everywhere = site.dispatcher().until_ready()
    port = everywhere.internal_port
    socket.create_connection(("127.0.0.2", port), timeout=PATIENCE_S).close()

    command = [str(SMSHUB), "dispatcher", "--host", "127.0.0.2", "--internal-port", str(port)]
    second = subprocess.run(
        command, env=site.environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert second.stderr == f"Error: The hub cannot listen on 127.0.0.2, port {port}: Address already in use.\n"


@pytest.mark.parametrize("command", ["api", "serve"])
def test_missing_signing_keys_are_told_in_one_line(site: Site, command: str) -> None:
    del site.environment["SMSHUB_SIGNING_KEYS"]
    process = site.start(command)
    assert process.ended() == 1
    assert process.errors == "Error: SMSHUB_SIGNING_KEYS: is missing; `smshub keys generate` prints a key\n"


def test_a_dispatcher_needs_no_signing_keys(site: Site) -> None:
    del site.environment["SMSHUB_SIGNING_KEYS"]
    assert site.dispatcher().until_ready().stop() == 0

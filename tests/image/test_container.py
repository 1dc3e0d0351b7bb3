"""The image at work, with no right that it does not need."""

import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

import httpx
import pytest

from tests.e2e.running import Caller, assert_none_twice, assert_paced, e164, eventually
from tests.image.compose import services
from tests.image.running import HOME, MEMORY_MIB, USER, ContainerSite

pytestmark = pytest.mark.timeout(1800)  # The first of them waits for the image.

RATE = 50
CLIENTS = 16

# A program that may write nowhere, in the words of its file system.
_WRITES = "import sys\ntry: open(sys.argv[1], 'w')\nexcept OSError as error: print(error.strerror)"

# Stands for an import of the hub's, and does not come to its end.
_ENDLESS = "import time\nprint('importing', flush=True)\ntime.sleep(60)\n"


def test_a_text_goes_end_to_end(site: ContainerSite) -> None:
    hub = site.serve().until_ready(within_s=60)
    caller = site.caller(hub, site.create_program(hub, rate="1"))
    message_id = caller.send(["(970) 690-4544"])
    caller.until_delivered(message_id, 1)
    assert caller.deliveries(message_id)[0]["PhoneNumber"] == "+19706904544"

    assert hub.stop() == 0
    assert hub.errors == ""
    assert hub.log[-1]["event"] == "process_stopped"
    assert not hub.logged("unknown_settings")


def test_the_pages_are_there(site: ContainerSite) -> None:
    hub = site.serve().until_ready(within_s=60)
    for path in ("/openapi.json", "/docs", "/docs/reference.js", "/docs/assets/swagger-ui.css"):
        assert httpx.get(f"{hub.url}{path}", trust_env=False).status_code == 200, path


def test_it_has_no_right_that_it_does_not_need(site: ContainerSite) -> None:
    hub = site.serve().until_ready(within_s=60)
    status = dict(line.split(":\t", 1) for line in site.inside(hub, "cat", "/proc/1/status").splitlines())
    assert set(status["Uid"].split() + status["Gid"].split()) == {str(USER)}
    assert (status["Name"], int(status["CapEff"], 16), status["NoNewPrivs"], status["Seccomp"]) == (
        "smshub",
        0,
        "1",
        "2",
    )
    for path in ("/opt/smshub/new", "/tmp/new", "/etc/new"):
        assert site.inside(hub, "python3", "-c", _WRITES, path) == "Read-only file system", path
    assert int(status["VmHWM"].split()[0]) < MEMORY_MIB * 1024


def test_it_can_be_reached_from_outside_its_container(site: ContainerSite) -> None:
    del site.environment["SMSHUB_HOST"]
    hub = site.serve().until_ready(within_s=60)
    for port in (hub.port, hub.internal_port):
        socket.create_connection(("127.0.0.2", port), timeout=1).close()


def test_the_demo_needs_nothing_and_tells_where_it_is_reached(site: ContainerSite) -> None:
    site.environment.clear()
    demo = site.start("demo")
    eventually(lambda: f"SMS Hub is ready at http://127.0.0.1:{demo.port} " in demo.output, within_s=60)
    assert demo.until_ready().stop() == 0


@dataclass
class Posts:
    """Clients that post one text after the other, until the hub does not take one any more."""

    caller: Caller
    accepted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def post(self, client: int) -> None:
        for number in e164(5_000, first=client * 5_000):
            try:
                answer = self.caller.post("/api/TextMessages", {"Message": "Hello", "PhoneNumber": number})
            except httpx.TransportError as error:
                self.refused.append(type(error).__name__)
                return
            if answer.status_code != 200:
                self.refused.append(str(answer.status_code))
                return
            self.accepted.append(answer.json()["Id"])


def test_a_stop_under_load_loses_nothing_and_sends_nothing_twice(site: ContainerSite) -> None:
    first = site.serve().until_ready(within_s=60)
    credentials = site.create_program(first, rate=str(RATE))
    posts = Posts(site.caller(first, credentials))
    with ThreadPoolExecutor(CLIENTS) as clients:
        done = [clients.submit(posts.post, client) for client in range(CLIENTS)]
        eventually(lambda: len(posts.accepted) >= 400 and len(first.attempts) >= 50, within_s=60)
        site.stop(first)
        assert first.ended(within_s=25) == 0
        for each in done:
            each.result()
    assert first.log[-1]["event"] == "process_stopped"
    assert len(posts.refused) == CLIENTS

    stored = [str(UUID(message_id)) for (message_id,) in site.query("SELECT id FROM text_messages")]
    assert set(posts.accepted) <= set(stored)
    assert len(first.attempts) < len(stored), "nothing was waiting when it was stopped"

    second = site.serve().until_ready(within_s=60)
    caller = site.caller(second, credentials)
    eventually(lambda: len(first.attempts) + len(second.attempts) >= len(stored), within_s=len(stored) / RATE + 30)

    def all_delivered() -> bool:
        assert Counter(each["Status"] for each in caller.everything()) == {"delivered": len(stored)}
        return True

    eventually(all_delivered)
    attempts = [*first.attempts, *second.attempts]
    assert sorted(each.message for each in attempts) == sorted(stored)
    assert_none_twice(attempts)
    assert_paced(attempts, rate=RATE)
    assert not second.logged("deliveries_rescued"), "a hub that is stopped leaves nothing behind"


def test_a_stop_is_heard_while_it_starts(site: ContainerSite) -> None:
    (site.volume / "uvloop.py").write_text(_ENDLESS)
    hub = site.start("serve", PYTHONPATH=HOME)
    eventually(lambda: hub.output, within_s=20, what="it imports")
    site.stop(hub)
    assert hub.ended(within_s=5) == 143


def test_a_stop_is_heard_by_a_command_that_waits(site: ContainerSite) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://hub:hub@127.0.0.1:{silent.getsockname()[1]}/hub"
        migrate = site.run("migrate", SMSHUB_DATABASE_URL=url)
        silent.settimeout(30)
        connection, _ = silent.accept()
        with connection:
            site.stop(migrate)
            assert migrate.ended(within_s=3) == 143


def test_a_database_that_it_may_not_write_is_told(site: ContainerSite) -> None:
    hub = site.start("serve", SMSHUB_DATABASE_URL="sqlite:////opt/smshub.db")
    eventually(lambda: hub.checks(status=503).get("database") == "unavailable", within_s=30)
    site.stop(hub)
    assert hub.ended() == 0


def test_the_health_check_of_compose_is_one(site: ContainerSite) -> None:
    hub = site.serve().until_ready(within_s=60)
    kind, *check = services()["api"]["healthcheck"]["test"]
    assert kind == "CMD"
    site.inside(hub, *(word.replace(":8081/", f":{hub.internal_port}/") for word in check))
    with pytest.raises(AssertionError, match="404"):
        site.inside(hub, *(word.replace(":8081/readyz", f":{hub.internal_port}/nothing") for word in check))

"""A hub that reaches its database through PgBouncer, which lends it a connection for one transaction at a time."""

import asyncio
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.conftest import PostgresServer
from tests.e2e.pooler import PGBOUNCER, Pooler
from tests.e2e.running import SMSHUB, Caller, HubProcess, eventually
from tests.e2e.sending import ARRIVED_S, SendingSite, audit, senders
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="needs pgbouncer, which `make test-all` installs")

# Far fewer than the processes would like, so that each connection is lent to all of them in turn.
CONNECTIONS = 4


class PooledSite(SendingSite):
    """A site whose processes and commands know the pooler alone; the test itself looks past it."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.pooler = Pooler(database_url, folder, connections=CONNECTIONS)
        super().__init__(database_url, folder, database_pooler="true")
        self.environment["SMSHUB_DATABASE_URL"] = self.pooler.url
        self._at_end.callback(self.pooler.kill)
        self.pooler.start()
        self.run("migrate")


@pytest.fixture
def site(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[PooledSite]:
    with postgres_server.database() as url, PooledSite(url, tmp_path) as site:
        yield site


def started(site: PooledSite, *addresses: str, rate: str) -> tuple[Caller, HubProcess, Sequence[HubProcess]]:
    """A program that may send from the addresses, an interface, and two dispatchers."""
    api, dispatchers = site.api(), [site.dispatcher(), site.dispatcher()]
    program = site.office(*addresses, rate=rate)
    for process in (api, *dispatchers):
        process.until_ready()
    return site.caller(api, program), api, dispatchers


def post(caller: Caller, sender: str, numbers: Sequence[str]) -> httpx.Response:
    """With a key of its own, which its first number makes."""
    text = {"Message": "Hello", "PhoneNumber": ",".join(numbers), "Sender": sender}
    return caller.post("/api/TextMessages", text, headers={"Idempotency-Key": f"text-to-{numbers[0]}"})


def post_twice(caller: Caller, sender: str, numbers: Sequence[str]) -> None:
    """The second time is answered as the first was, and sends nothing."""
    first, again = (post(caller, sender, numbers) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200), first.text + again.text
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"


async def left_prepared(site: PooledSite) -> Sequence[int]:
    """How many statements that somebody has prepared are kept by each of the pooler's connections."""
    async with AsyncExitStack() as at_end:
        counts = []
        # All at once, so that each has a connection of its own.
        for _ in range(CONNECTIONS):
            connection = await asyncpg.connect(site.pooler.url, statement_cache_size=0)
            at_end.push_async_callback(connection.close)
            await at_end.enter_async_context(connection.transaction())
            counts.append(await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''"))
        return counts


def test_one_process_after_the_other_brings_the_database_to_its_schema(site: PooledSite) -> None:
    for _ in range(3):
        migrated = subprocess.run(
            [SMSHUB, "migrate"], env=site.environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        assert migrated.returncode == 0, migrated.stderr
    assert sum(asyncio.run(left_prepared(site))) == 0


def test_texts_are_sent_once_and_at_their_pace_over_connections_that_all_processes_share(site: PooledSite) -> None:
    rate = 10
    addresses = senders(6)
    caller, api, dispatchers = started(site, *addresses, rate=str(rate))
    batches = [(sender, site.fresh(6)) for sender in addresses * 6]
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(post_twice, caller, *batch) for batch in batches]:
            done.result()
    assert len(caller.everything(page=10)) == len(batches)
    canceled = site.post(caller, addresses[0], 5, SendAt=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    assert caller.cancel(canceled)["Canceled"] == 5
    site.run("pause")
    site.run("resume")
    assert addresses[5] in site.run("senders", "list")
    site.until_all_are("sent", "canceled")

    assert site.states == {"sent": 6 * 36, "canceled": 5}
    assert all(dispatcher.attempts for dispatcher in dispatchers)
    audit(site, rate=rate)
    assert not [line for process in (api, *dispatchers) for line in process.log if line["level"] != "info"]
    lent = site.console.run(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert int(str(lent)) <= CONNECTIONS
    assert sum(asyncio.run(left_prepared(site))) == 0, "connections are burdened more with every statement"


def test_a_pooler_that_is_killed_and_started_again_costs_no_text(site: PooledSite) -> None:
    rate = 10
    addresses = senders(4)
    caller, api, dispatchers = started(site, *addresses, rate=str(rate))
    for sender in addresses:
        assert post(caller, sender, site.fresh(60)).status_code == 200
    eventually(lambda: site.sent() >= 20)

    site.pooler.kill()
    numbers = site.fresh(1)
    refused = post(caller, addresses[0], numbers)
    assert (refused.status_code, refused.json()["type"]) == (503, "store-unavailable")
    time.sleep(ARRIVED_S)
    sent = len(site.provider.arrivals)
    time.sleep(0.5)
    assert len(site.provider.arrivals) == sent, "what cannot be claimed is not sent"

    site.pooler.start()
    eventually(lambda: post(caller, addresses[0], numbers).status_code == 200)
    post_twice(caller, addresses[0], numbers)
    site.until_all_are("sent")
    assert len(site.rows) == 4 * 60 + 1
    assert all(process.logged("store_unavailable") for process in dispatchers)
    audit(site, rate=rate)
    assert [process.stop() for process in (api, *dispatchers)] == [0, 0, 0]
    assert [process.errors for process in (api, *dispatchers)] == ["", "", ""]

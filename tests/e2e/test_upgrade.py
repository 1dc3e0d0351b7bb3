"""An upgrade to the next version, and the way back, while texts are posted and sent."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.balancer import Balancer, ConstantPosts
from tests.e2e.next_hub import REVISION, next_hub
from tests.e2e.running import SMSHUB, HubProcess, eventually
from tests.e2e.sending import SendingSite, audit, senders

RATE = "5"
# Nine processes start, and two at a time work beside them.
SENDERS = senders(8)


@pytest.fixture
def site(postgres_url: str, tmp_path: Path) -> Iterator[SendingSite]:
    with SendingSite(postgres_url, tmp_path) as site:
        yield site


def migrate(site: SendingSite, import_path: str) -> None:
    done = subprocess.run(
        [SMSHUB, "migrate"],
        env={"PATH": os.environ["PATH"], **site.environment, "PYTHONPATH": import_path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def roll(site: SendingSite, balancer: Balancer, running: list[HubProcess], import_path: str) -> None:
    """Each process is replaced by one of the other version, one after the other: the new one is ready first."""
    for index, old in enumerate(list(running)):
        new = site.start("api" if old in balancer.rotation else "dispatcher", PYTHONPATH=import_path)
        running[index] = new.until_ready()
        balancer.replace(old, new)
        assert old.stop() == 0


def test_an_upgrade_and_the_way_back_fail_no_request_and_lose_and_double_nothing_and_keep_the_pace(
    site: SendingSite, tmp_path: Path
) -> None:
    this = site.environment["PYTHONPATH"]
    newer = os.pathsep.join([str(next_hub(tmp_path / "next")), this])
    program = site.office(*SENDERS, rate=RATE)
    running = [site.api(), site.api(), site.dispatcher(), site.dispatcher()]
    old = list(running)
    for process in running:
        process.until_ready()
    balancer = Balancer(running[:2])
    caller = site.caller(running[0], program)
    with ConstantPosts(balancer, caller, SENDERS) as posts:
        eventually(lambda: site.sent() > 10)

        migrate(site, newer)

        assert site.console.run("SELECT version_num FROM alembic_version") == REVISION
        assert [process.readiness()[0] for process in running] == [200] * 4, "the old ones work on"
        sent = site.sent()
        eventually(lambda: site.sent() > sent + 20, what="the old ones send on")
        roll(site, balancer, running, newer)
        upgraded = list(running)
        sent = site.sent()
        eventually(lambda: site.sent() > sent + 20, what="the new ones send")

        # What a chart's hook does when a release is taken back: the older version's own command.
        migrate(site, this)
        roll(site, balancer, [upgraded[0], upgraded[2]], this)
        assert site.console.run("SELECT version_num FROM alembic_version") == REVISION
        sent = site.sent()
        eventually(lambda: site.sent() > sent + 20, what="the old version sends again")

    assert posts.failed == []
    assert len(posts.accepted) > 200
    site.until_all_are("sent", "delivered")
    assert sorted(row.number for row in site.rows) == sorted(posts.accepted)
    audit(site, rate=float(RATE))
    for process in site.processes:
        assert "Traceback" not in process.output + process.errors
    for process in [*old, upgraded[0], upgraded[2]]:
        assert not process.alive
        assert process.logged("process_stopped")

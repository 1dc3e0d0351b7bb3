"""The drill: a hub is backed up under load, sends on, dies, and is restored elsewhere."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import BOTH_DATABASES
from tests.e2e.backup import Backup, PostgresqlBackup, SqliteBackup
from tests.e2e.running import Caller, HubProcess, Site, eventually, smshub
from tests.e2e.sending import SendingSite, senders

RATE = "10"
SENDERS = senders(4)
EACH = 60

SENT = {"sent", "delivered"}


@pytest.fixture(params=BOTH_DATABASES)
def backup(request: pytest.FixtureRequest, tmp_path: Path) -> Backup:
    if request.param == "sqlite":
        return SqliteBackup(request.getfixturevalue("sqlite_url"), tmp_path)
    server = request.getfixturevalue("postgres_server")
    return PostgresqlBackup(request.getfixturevalue("postgres_url"), server, tmp_path)


@pytest.fixture
def site(backup: Backup, tmp_path: Path) -> Iterator[SendingSite]:
    with SendingSite(backup.url, tmp_path) as site:
        yield site


def started(site: Site) -> Sequence[HubProcess]:
    """The hub as it is run on the kind of database, the interface first."""
    sqlite = site.environment["SMSHUB_DATABASE_URL"].startswith("sqlite")
    processes = [site.serve()] if sqlite else [site.api(), site.dispatcher(), site.dispatcher()]
    return [process.until_ready() for process in processes]


def elsewhere(site: SendingSite, url: str, folder: Path) -> Site:
    """The same hub, at the same provider, on another database."""
    folder.mkdir(exist_ok=True)
    moved = Site(url, folder)
    moved.environment = {**site.environment, "SMSHUB_DATABASE_URL": url}
    return moved


def taken(site: SendingSite) -> Counter[str]:
    """How often the provider took a text to each number."""
    return Counter(each.to for each in site.provider.arrivals if each.sid)


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def states(caller: Caller, message_ids: Sequence[str]) -> Mapping[str, int]:
    """How many deliveries are in which state."""
    counts: Counter[str] = Counter()
    for message_id in message_ids:
        counts.update(caller.counts(message_id))
    return counts


def test_a_hub_that_is_restored_from_a_backup_sends_nothing_twice_and_all_that_had_not_been_sent(
    backup: Backup, site: SendingSite, tmp_path: Path
) -> None:
    running = started(site)
    program = site.office(*SENDERS, rate=RATE)
    caller = site.caller(running[0], program)
    messages = [site.post(caller, sender, EACH) for sender in SENDERS]
    soon, late = site.fresh(4), site.fresh(4)
    eventually(lambda: len(taken(site)) > 20)
    messages.append(caller.send(soon, SendAt=in_seconds(3), Priority="urgent"))
    tomorrow = caller.send(late, SendAt=in_seconds(86_400))

    backup.make()

    sent_before = len(taken(site))
    for sender in SENDERS:
        site.post(caller, sender, 5)
    eventually(lambda: len(taken(site)) > sent_before + 60)
    eventually(lambda: set(soon) <= taken(site).keys())
    said = smshub("restored", environment=site.environment)
    assert (said.exit_code, said.stderr.partition(":")[2].strip()) == (
        1,
        "A dispatcher works on this database: stop every process of the hub first.",
    )
    for process in running:
        process.kill()
    sent_at_the_end = taken(site)

    with backup.restored() as url, elsewhere(site, url, tmp_path / "restored") as restored:
        told = json.loads(ran(restored, "restored", "--output", "json"))
        running = started(restored)
        caller = restored.caller(running[0], program)
        # The provider's log settles what is unknown while nothing is sent.
        eventually(lambda: not states(caller, messages).get("unknown"))
        assert taken(site) == sent_at_the_end
        found = sum(count for state, count in states(caller, messages).items() if state in SENT)
        ran(restored, "resume")
        eventually(lambda: states(caller, messages).keys() <= SENT)
        assert caller.counts(tomorrow) == {"scheduled": len(late)}
        recipients = {each["PhoneNumber"] for message in messages for each in caller.deliveries(message)}
        assert all("Traceback" not in process.output + process.errors for process in running)

    assert taken(site).most_common(1)[0][1] == 1, "nothing is sent twice"
    assert recipients <= taken(site).keys(), "all of the backup is sent"
    assert recipients >= set(soon)
    assert found >= len(recipients & sent_at_the_end.keys())
    assert told["MayHaveBeenSent"] >= len(recipients & sent_at_the_end.keys()) - sent_before > 50
    assert not taken(site).keys() & set(late)


def ran(site: Site, *arguments: str) -> str:
    result = smshub(*arguments, environment=site.environment)
    assert result.exit_code == 0, result.output
    return result.stdout

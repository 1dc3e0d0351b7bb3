"""A hub that is stopped or killed in the middle of its work, and started again."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Console
from tests.e2e.running import Site, assert_none_twice, assert_paced, e164, eventually

RATE = 40


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """Asks about texts of unknown outcome sooner than a real provider would be asked."""
    with Site(database_url, tmp_path, enquiry_delays="PT1S,PT1S") as site:
        yield site


def test_a_stop_in_the_middle_of_a_backlog_loses_and_doubles_nothing_and_keeps_the_pace(site: Site) -> None:
    count = 160
    first = site.serve().until_ready()
    credentials = site.program(rate=str(RATE))
    message_id = site.caller(first, credentials).send(e164(count))
    eventually(lambda: len(first.attempts) >= count // 3)
    assert first.stop() == 0

    second = site.serve().until_ready()
    site.caller(second, credentials).until_sent(message_id, count)
    attempts = [*first.attempts, *second.attempts]
    assert len(attempts) == count
    assert_none_twice(attempts)
    assert_paced(attempts, rate=RATE)
    assert not second.logged("deliveries_rescued"), "a hub that is stopped leaves nothing behind"


def test_a_kill_in_the_middle_of_a_backlog_loses_and_doubles_nothing_and_keeps_the_pace(site: Site) -> None:
    count = 320
    first = site.serve().until_ready()
    credentials = site.program(rate=str(RATE))
    message_id = site.caller(first, credentials).send(e164(count))
    eventually(lambda: len(first.attempts) >= count // 5)
    first.kill()

    second = site.serve().until_ready()
    # The killed one's claims come back ten seconds after its last sign of life.
    site.caller(second, credentials).until_sent(message_id, count)
    attempts = [*first.attempts, *second.attempts]
    assert_none_twice(attempts)
    assert_paced(attempts, rate=RATE)
    # What has no attempt in the log was claimed by the killed one; it may have been sent, so the provider was asked.
    rescued = sum(line["count"] for line in second.logged("deliveries_rescued") if line["state"] == "unknown")
    settled = [line["delivery"] for line in second.logged("delivery_settled")]
    unseen = set(settled) - {each.delivery for each in attempts}
    assert len(attempts) + len(unseen) == count
    assert 0 < len(unseen) <= rescued < count // 5
    assert len(settled) == len(set(settled))


# A database so busy that a stop falls between the provider's answer and its record.
BE_SLOW = """
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NEW; END';
    CREATE TRIGGER slow BEFORE UPDATE ON deliveries FOR EACH ROW WHEN (NEW.state = 'delivered') EXECUTE FUNCTION slow()
"""


def test_an_answer_that_a_stop_interrupts_is_not_forgotten(postgres_url: str, tmp_path: Path) -> None:
    """What the provider said about a delivery is recorded before the end, or asked for again soon after."""
    with closing(Console(postgres_url)) as console, Site(postgres_url, tmp_path) as site:
        for statement in BE_SLOW.split(";\n"):
            console.run(statement)
        api, first = site.api().until_ready(), site.dispatcher().until_ready()
        caller = site.caller(api, site.program())
        message_id = caller.send(e164(1))
        eventually(lambda: first.logged("delivery_settled"))
        assert first.stop() == 0
        console.run("DROP TRIGGER slow ON deliveries")
        site.dispatcher().until_ready()
        caller.until_delivered(message_id, 1)

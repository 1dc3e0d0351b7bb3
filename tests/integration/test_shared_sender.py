"""A sender is one for the whole hub: programs that use it share its pace."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from tests.e2e.running import SENDER, Site, assert_none_twice, assert_paced, e164, eventually, smshub

RATE = 20


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with Site(database_url, tmp_path) as site:
        yield site


def test_two_programs_on_one_sender_share_its_pace(site: Site) -> None:
    each = 25
    one = site.program(name="Admissions", rate=str(RATE))
    other = site.program(name="Housing")
    assert one.sender_id == other.sender_id
    assert one.program_id != other.program_id

    # All is queued before anything is sent, and two may send.
    for program, first in ((one, 0), (other, each)):
        site.send(program, e164(each, first=first))
    dispatchers = [site.dispatcher(), site.dispatcher()]
    eventually(lambda: sum(len(process.attempts) for process in dispatchers) == 2 * each)

    attempts = [attempt for process in dispatchers for attempt in process.attempts]
    assert Counter(attempt.program for attempt in attempts) == {one.program_id: each, other.program_id: each}
    assert {attempt.sender for attempt in attempts} == {one.sender_id}
    assert_none_twice(attempts)
    assert_paced(attempts, rate=RATE)
    # It is the sender's whole pace, too: no slot is left out for the other's sake. On a busy machine some are missed.
    slots = sorted(attempt.slot_us for attempt in attempts)
    assert median(later - earlier for earlier, later in pairwise(slots)) < 1.25 * 1_000_000 / RATE


def test_two_senders_do_not_wait_for_each_other(site: Site) -> None:
    programs = [site.program(sender=sender, rate="1/min") for sender in (SENDER, "+19705550101")]
    for program in programs:
        site.send(program, e164(1))
    dispatcher = site.dispatcher()
    eventually(lambda: len(dispatcher.attempts) == 2)
    one, other = (attempt.at_us for attempt in dispatcher.attempts)
    assert abs(one - other) < 60_000_000


@pytest.mark.parametrize(("rate", "told"), [("2", "1/s"), ("1/min", "1/s")])
def test_a_second_program_with_another_rate_is_refused(site: Site, rate: str, told: str) -> None:
    site.program()
    refused = smshub(
        *["programs", "create", "--name", "Housing", "--sender", SENDER, "--provider", "sandbox", "--rate", rate],
        environment=site.environment,
    )
    assert refused.exit_code == 1
    assert refused.stderr == (f"Error: This sender is in use at a pace of {told}; a second program shares that pace.\n")
    listed = smshub("programs", "list", environment=site.environment).stdout
    assert "City Hall" in listed
    assert "Housing" not in listed


@pytest.mark.parametrize("rate", ["1", "60/min", None])
def test_a_second_program_with_the_same_rate_or_none_is_attached(site: Site, rate: str | None) -> None:
    assert site.program(rate="1/s").sender_id == site.program(name="Housing", rate=rate).sender_id

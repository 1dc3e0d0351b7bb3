"""What may happen to dispatchers, their database and their provider while they send, and what must hold all the same:
no text is lost, none is sent twice, and no two of one sender come closer than its pace allows.
"""

import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from signal import SIGCONT, SIGQUIT, SIGSTOP, SIGTERM
from statistics import median

import pytest

from entrypoints.stand_ins.twilio import ACCOUNT_SID, AUTH_TOKEN
from tests.conftest import PostgresServer, migrate
from tests.e2e.dying_dispatcher import (
    AFTER_THE_ANSWER,
    AFTER_THE_COMMIT,
    AT_THE_DEPARTURE,
    BEFORE_THE_CALL,
    BEFORE_THE_COMMIT,
    BEFORE_THE_RECORD,
    DURING_THE_CALL,
    POINTS,
)
from tests.e2e.running import Caller, HubProcess, eventually
from tests.e2e.sending import (
    ANSWER_TIMEOUT_S,
    ARRIVAL_JITTER_S,
    ARRIVED_S,
    RESERVED_S,
    Arrival,
    SendingSite,
    assert_distances,
    audit,
    senders,
)


@pytest.fixture
def site(postgres_url: str, tmp_path: Path) -> Iterator[SendingSite]:
    with SendingSite(postgres_url, tmp_path) as site:
        yield site


def with_dispatchers(site: SendingSite, number: int, *addresses: str, rate: str) -> tuple[Caller, list[HubProcess]]:
    """A program that may send from the addresses, and so many dispatchers, all ready."""
    api, dispatchers = site.api(), [site.dispatcher() for _ in range(number)]
    program = site.office(*addresses, rate=rate)
    for process in (api, *dispatchers):
        process.until_ready()
    return site.caller(api, program), dispatchers


def from_(sender: str, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
    return [each for each in arrivals if each.sender == sender]


def until_sent(site: SendingSite, count: int, *, sender: str = "") -> None:
    eventually(lambda: site.sent(sender) >= count, what=f"{count} texts sent")


def logged(event: str, processes: Sequence[HubProcess]) -> Sequence[Mapping[str, object]]:
    return [line for process in processes for line in process.logged(event)]


def test_dispatchers_share_the_senders_and_those_that_are_killed_at_any_moment_lose_and_double_nothing(
    site: SendingSite,
) -> None:
    moments = random.Random(7)
    addresses = senders(30)
    caller, running = with_dispatchers(site, 3, *addresses, rate="2")
    posted = 0

    def post(number: int) -> None:
        nonlocal posted
        for sender in addresses:
            site.post(caller, sender, number)
        posted += number * len(addresses)

    # Until each has heard of the others.
    time.sleep(1.2)
    post(6)
    had = [len(process.attempts) for process in running]

    def shares() -> Sequence[set[int]]:
        """Whom each sends for since then; all of them have texts."""
        if site.states.get("queued", 0) < 3 * len(addresses):
            post(6)
        its = [
            {each.sender for each in process.attempts[before:]} for process, before in zip(running, had, strict=True)
        ]
        assert len(set[int]().union(*its)) == len(addresses), its
        return its

    # A third each, were it not for those that change hands meanwhile, as many do on a busy machine.
    eventually(lambda: all(len(its) >= 7 for its in shares()))
    post(6)
    killed_at = 0.0
    for victim in (0, 2, 0, 1):
        time.sleep(moments.uniform(0.1, 0.6))
        running[victim].kill()
        killed_at = time.monotonic()
        running[victim] = site.dispatcher()
    post(4)
    site.until_all_are("sent")
    taken_over = {each.sender for each in site.provider.arrivals if each.at_s > killed_at + RESERVED_S}
    assert taken_over == set(addresses), "the senders of the killed are gone on with"
    assert len(site.rows) == posted
    assert logged("deliveries_rescued", site.processes), "no kill has hit anything"
    audit(site, rate=2)


# What a kill leaves behind of a text: how its delivery is stored, and whether the provider has it.
LEFT_BEHIND: Mapping[str, tuple[str, bool]] = {
    BEFORE_THE_COMMIT: ("queued", False),
    AFTER_THE_COMMIT: ("sending", False),
    BEFORE_THE_CALL: ("sending", False),
    AT_THE_DEPARTURE: ("sending", False),
    DURING_THE_CALL: ("sending", True),
    AFTER_THE_ANSWER: ("sending", True),
    BEFORE_THE_RECORD: ("sending", True),
}


def test_a_kill_at_any_point_of_a_send_neither_loses_nor_doubles_it(site: SendingSite) -> None:
    by_point = dict(zip(POINTS, senders(len(POINTS)), strict=True))
    caller, _ = with_dispatchers(site, 0, *by_point.values(), rate="5")
    dying = [
        site.start(
            "dispatcher",
            program=[sys.executable, "-m", "tests.e2e.dying_dispatcher"],
            DIES_AT=point,
            DIES_FOR=sender,
        )
        for point, sender in by_point.items()
    ]
    for process in dying:
        process.until_ready()
    for point, sender in by_point.items():
        numbers = site.fresh(3)
        if point == DURING_THE_CALL:
            site.provider.does("hang-but-taken", to=numbers[0])
        caller.send(numbers, Sender=sender)
    assert [process.ended() for process in dying] == [-9] * len(POINTS)

    first_rows = {row.sender: row for row in reversed(site.rows)}
    taken = {each.to for each in site.provider.arrivals if each.sid}
    found = {
        point: (first_rows[sender].state, first_rows[sender].number in taken) for point, sender in by_point.items()
    }
    assert found == LEFT_BEHIND
    assert len(taken) == 3

    healthy = site.dispatcher().until_ready()
    site.until_all_are("sent")
    assert healthy.logged("deliveries_rescued")
    audit(site, rate=5)


def stopped_for(process: HubProcess, seconds: float) -> None:
    process.send_signal(SIGSTOP)
    time.sleep(seconds)
    process.send_signal(SIGCONT)


def test_a_dispatcher_that_was_stopped_does_not_use_slots_that_have_passed_to_others(site: SendingSite) -> None:
    addresses = senders(4)
    caller, (sleeper, other) = with_dispatchers(site, 2, *addresses, rate="5")
    for sender in addresses:
        site.post(caller, sender, 35)
    until_sent(site, 8)
    for seconds in (0.3, 0.9, 0.5):
        stopped_for(sleeper, seconds)
        time.sleep(0.4)
    for sender in addresses:
        site.post(caller, sender, 30)
    had = len(sleeper.attempts)
    eventually(lambda: len(sleeper.attempts) >= had + 4, what="the sleeper sends again")

    # Longer than a dispatcher may be silent, and with the one that goes on out of breath as well.
    sleeper.send_signal(SIGSTOP)
    asleep_since = time.monotonic()
    for seconds in (0.4, 0.8, 1.0):
        time.sleep(1)
        stopped_for(other, seconds)
    time.sleep(max(12 - (time.monotonic() - asleep_since), 0))
    eventually(lambda: other.logged("deliveries_rescued"), what="the sleeper had something in hand")
    sleeper.send_signal(SIGCONT)
    site.until_all_are("sent")
    audit(site, rate=5)


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """Nobody else's, to be stopped and killed."""
    server = PostgresServer()
    yield server
    server.start()
    server.close()


def cut_connections(server: PostgresServer) -> None:
    server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'smshub'")


def crash(server: PostgresServer) -> None:
    """Ends the server without its tidying up: what is not in its log is gone."""
    pid = server._server.get_pid()
    server._console.hang_up()
    os.kill(pid, SIGQUIT)
    eventually(lambda: server._server.get_pid() is None or not Path(f"/proc/{pid}").exists())


def assert_sending_stands_still(site: SendingSite) -> None:
    time.sleep(ARRIVED_S)
    before = len(site.provider.arrivals)
    time.sleep(0.8)
    assert len(site.provider.arrivals) == before


def test_a_database_that_is_cut_off_killed_or_stopped_costs_no_text_and_stops_the_sending(
    own_server: PostgresServer, tmp_path: Path
) -> None:
    addresses = senders(4)
    with own_server.database() as url:
        migrate(url)
        with SendingSite(url, tmp_path) as site:
            caller, dispatchers = with_dispatchers(site, 2, *addresses, rate="10")
            for sender in addresses:
                site.post(caller, sender, 80)
            until_sent(site, 10)
            for _ in range(3):
                cut_connections(own_server)
                time.sleep(0.4)

            for away in (crash, PostgresServer.stop):
                until_sent(site, site.sent() + 8)
                site.console.hang_up()
                away(own_server)
                assert_sending_stands_still(site)
                own_server.start()
            site.until_all_are("sent")
            assert logged("store_unavailable", dispatchers)
            assert all(process.alive for process in dispatchers)
            assert all("Traceback" not in process.output + process.errors for process in dispatchers)
            audit(site, rate=10)
            site.console.hang_up()


def test_a_host_clock_that_is_minutes_ahead_makes_nothing_early(site: SendingSite) -> None:
    addresses = senders(6)
    api, right = site.api(), site.dispatcher()
    shifted = [
        site.start("dispatcher", program=[sys.executable, "-m", "tests.e2e.shifted_dispatcher"], CLOCK_AHEAD_S=ahead)
        for ahead in ("300", "-300")
    ]
    program = site.office(*addresses, rate="5")
    for process in (api, right, *shifted):
        process.until_ready()
    caller = site.caller(api, program)
    for sender in addresses:
        site.post(caller, sender, 16)
    due_s = time.monotonic() + 10
    send_at = datetime.now(UTC) + timedelta(seconds=10)
    scheduled = {
        delivery["PhoneNumber"]
        for sender in addresses
        for delivery in caller.deliveries(site.post(caller, sender, 1, SendAt=send_at.isoformat()))
    }
    site.until_all_are("sent")
    assert all(process.attempts for process in (right, *shifted))
    assert all(due_s - 0.01 <= each.at_s for each in site.provider.arrivals if each.to in scheduled)
    audit(site, rate=5)


def test_a_rate_that_is_changed_under_load_holds_from_then_on(site: SendingSite) -> None:
    changing, slow = senders(2)
    caller, _ = with_dispatchers(site, 2, changing, slow, rate="20")
    site.post(caller, changing, 110)
    site.post(caller, slow, 20)
    until_sent(site, 10, sender=changing)

    site.run("senders", "set", slow, "--rate", "1/min")
    site.run("senders", "set", changing, "--rate", "5")
    slower_from = time.monotonic() + ARRIVED_S
    time.sleep(5)
    slower_until = time.monotonic()
    site.run("senders", "set", changing, "--rate", "20")
    site.post(caller, changing, 40)
    until_sent(site, 150, sender=changing)

    arrivals = site.provider.arrivals
    during = [each for each in arrivals if slower_from <= each.at_s <= slower_until]
    assert len(from_(changing, during)) >= 2
    assert len(from_(slow, during)) <= 1
    assert_distances(site, during, rate=5)
    last = [each.at_s for each in from_(changing, arrivals)][-30:]
    assert median(later - earlier for earlier, later in pairwise(last)) < 1.5 / 20
    assert_distances(site, arrivals, rate=20)


@dataclass(frozen=True)
class Fault:
    """What the provider does to a text, and what becomes of it: its state, and how often it is brought there."""

    name: str
    state: str = "sent"
    calls: int = 1
    how: Mapping[str, object] = field(default_factory=dict)


FAULTS = (
    Fault("hang", calls=2),
    Fault("hang-but-taken"),
    Fault("drip", how={"delay_s": 0.05}),
    Fault("drip", how={"delay_s": 0.001}),
    Fault("reset-before-answer"),
    Fault("reset-without-taking", calls=2),
    Fault("html-200", calls=2),
    Fault("no-http", calls=2),
    Fault("cut-json"),
    Fault("cut-answer"),
    Fault("no-sid"),
    Fault("huge"),
    Fault("429", calls=2, how={"retry_after": "1"}),
    Fault("500", calls=2),
    Fault("500-but-taken"),
    Fault("error", "failed", how={"code": 21211}),
    Fault("error", "blocked", how={"code": 21610}),
)


def test_whatever_the_provider_does_to_one_text_the_others_go_on(site: SendingSite) -> None:
    addresses = senders(len(FAULTS))
    caller, _ = with_dispatchers(site, 2, *addresses, rate="2")
    hit: dict[str, Fault] = {}
    # The first of them, which hangs for longest, comes last: all others are posted by then.
    for sender, fault in reversed([*zip(addresses, FAULTS, strict=True)]):
        numbers = site.fresh(4)
        hit[numbers[1]] = fault
        site.provider.does(fault.name, to=numbers[1], **fault.how)
        caller.send(numbers, Sender=sender)
    site.until_all_are("sent", "failed", "blocked")

    rows = {row.number: row for row in site.rows}
    arrivals = site.provider.arrivals
    calls = Counter(each.to for each in arrivals)
    found = {number: (rows[number].state, calls[number]) for number in hit}
    assert found == {number: (fault.state, fault.calls) for number, fault in hit.items()}
    assert {row.state for number, row in rows.items() if number not in hit} == {"sent"}
    # A call that hangs keeps nobody waiting, of whatever sender: they have left before it is given up.
    others = [each.at_s for each in arrivals if each.to not in hit]
    hung, _ = (each for each in from_(addresses[0], arrivals) if each.to in hit)
    assert max(others) < hung.at_s + ANSWER_TIMEOUT_S
    (waited,) = [
        later.at_s - earlier.at_s
        for earlier, later in pairwise(
            from_(addresses[FAULTS.index(Fault("429", calls=2, how={"retry_after": "1"}))], arrivals)
        )
        if earlier.status == 429
    ]
    assert waited >= 1 - ARRIVAL_JITTER_S
    assert all(row.resends == 0 for row in rows.values())
    audit(site, rate=2)


def until_probed(site: SendingSite, dispatcher: HubProcess, number: int) -> None:
    """Brings the end of the bar forward to now, and waits for the one text that is tried then."""
    now_us = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    site.console.run(f"UPDATE senders SET due_us = {now_us} WHERE bars > 0")
    eventually(lambda: len(dispatcher.attempts) >= number, what=f"{number} calls")


def seconds_barred(site: SendingSite) -> float:
    left = site.console.run(
        "SELECT max(due_us) / 1e6 - extract(epoch FROM clock_timestamp()) FROM senders WHERE bars > 0"
    )
    return float(str(left))


def test_credentials_that_are_refused_bar_the_sender_and_keep_its_queue(site: SendingSite) -> None:
    sender, other = senders(2)
    api, dispatcher = site.api(), site.dispatcher()
    program = site.office(sender, other, rate="5", token="0" * 32)
    caller = site.caller(api.until_ready(), program)
    dispatcher.until_ready()
    site.post(caller, sender, 20)

    eventually(lambda: dispatcher.logged("sender_barred"))
    (line,) = dispatcher.logged("sender_barred")
    assert (line["reason"], line["times"], line["level"]) == ("credentials-refused", 1, "error")
    time.sleep(1.5)
    assert len(dispatcher.attempts) == 1, "what is barred is left alone"
    assert site.states == {"queued": 20}
    assert 0 < seconds_barred(site) <= 30
    for process in (api, dispatcher):
        status, told = process.readiness()
        assert status == 200
        assert told["checks"]["barred_senders"] == {str(program.sender_id): "credentials-refused"}
        assert process.metric("smshub_barred_senders") == 1
    assert dispatcher.metric('smshub_sender_bars_total{provider="twilio",reason="credentials-refused"}') == 1
    assert "barred: credentials-refused" in site.run("senders", "list")

    until_probed(site, dispatcher, 2)
    eventually(lambda: len(dispatcher.logged("sender_barred")) == 2)
    time.sleep(0.8)
    assert len(dispatcher.attempts) == 2, "one text is tried"
    assert site.states == {"queued": 20}
    assert 30 < seconds_barred(site) <= 60

    arguments = ["--program", program.program_id, "--sender", sender, "--provider", "twilio"]
    site.run(
        *["programs", "add-sender", *arguments, "--credentials-file", "-"],
        stdin=f'{{"account_sid": "{ACCOUNT_SID}", "auth_token": "{AUTH_TOKEN}"}}',
    )
    # A running one may go on with the old ones for ten seconds, which is less than any bar lasts.
    assert dispatcher.stop() == 0
    another = site.dispatcher().until_ready()
    assert another.metric("smshub_barred_senders") == 1
    assert not another.attempts
    # The first call of a process may come too late for its slot, and a probe comes but every fifteen seconds.
    site.post(caller, other, 1)
    until_sent(site, 1)
    until_probed(site, another, 2)
    site.until_all_are("sent")
    assert another.logged("sender_unbarred")
    assert another.readiness()[1]["checks"]["barred_senders"] == {}
    assert another.metric("smshub_barred_senders") == 0
    audit(site, rate=5)


def test_a_dispatcher_that_is_told_to_stop_ends_its_calls_and_others_go_on_at_once(
    postgres_url: str, tmp_path: Path
) -> None:
    answers_after_s = 1.5
    addresses = senders(6)
    with SendingSite(postgres_url, tmp_path, stand_in=["--delay-ms", str(answers_after_s * 1_000)]) as site:
        caller, (first, second) = with_dispatchers(site, 2, *addresses, rate="10")
        for sender in addresses:
            site.post(caller, sender, 40)
        until_sent(site, 60)
        first.send_signal(SIGTERM)
        assert first.ended() == 0
        its = {each.delivery for each in first.attempts}
        assert all(row.state == "sent" for row in site.rows if row.id in its)
        handed_back = {line["delivery"] for line in first.logged("delivery_released")}
        assert handed_back
        site.until_all_are("sent")

        assert not logged("deliveries_rescued", [second])
        audit(site, rate=10)


def assert_stands_still_while_paused(
    site: SendingSite, sender: str, *, paused: Sequence[str], resumed: Sequence[str]
) -> None:
    """Pauses and resumes by the operator's commands, and looks that nothing is sent in between and all goes on."""
    site.run(*paused)
    time.sleep(ARRIVED_S)
    before = len(from_(sender, site.provider.arrivals))
    time.sleep(0.7)
    assert len(from_(sender, site.provider.arrivals)) == before, paused
    assert site.sent(sender) == before
    site.run(*resumed)
    until_sent(site, before + 3, sender=sender)


def test_what_is_paused_expired_or_canceled_under_load_is_not_sent(site: SendingSite) -> None:
    sender, canceling, expiring, other = senders(4)
    caller, dispatchers = with_dispatchers(site, 3, sender, canceling, expiring, other, rate="20")
    program = caller.credentials.program_id
    site.post(caller, sender, 100)
    site.post(caller, other, 100)
    until_sent(site, 5, sender=sender)
    for paused, resumed in (
        (["senders", "pause", sender], ["senders", "resume", sender]),
        (["programs", "pause", "--program", program], ["programs", "resume", "--program", program]),
        (["pause"], ["resume"]),
    ):
        assert_stands_still_while_paused(site, sender, paused=paused, resumed=resumed)

    expires_at = datetime.now(UTC) + timedelta(seconds=4)
    to_expire = site.post(caller, expiring, 200, ExpiresAt=expires_at.isoformat())
    site.run("senders", "set", canceling, "--rate", "60")
    canceled = 0
    for _ in range(3):
        batches = [site.post(caller, canceling, 40) for _ in range(5)]
        until_sent(site, site.sent(canceling) + 1, sender=canceling)
        with ThreadPoolExecutor(4) as pool:
            canceled += sum(answer["Canceled"] for answer in pool.map(caller.cancel, batches * 2))
    site.until_all_are("sent", "canceled", "expired")

    rows = site.rows
    by_sender: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        by_sender[row.sender][row.state] += 1
    assert by_sender[sender] == by_sender[other] == {"sent": 100}
    assert by_sender[canceling]["canceled"] + by_sender[canceling]["sent"] == 600
    assert by_sender[canceling]["canceled"] > 0 < by_sender[canceling]["sent"]
    # What was reserved and handed back since is canceled then, and in nobody's answer.
    handed_back = len(logged("delivery_released", dispatchers))
    assert 0 <= by_sender[canceling]["canceled"] - canceled <= handed_back
    assert by_sender[expiring]["expired"] > 0 < by_sender[expiring]["sent"]
    left_us = [each.at_us for process in dispatchers for each in process.attempts if each.message == to_expire]
    assert max(left_us) < expires_at.timestamp() * 1_000_000
    audit(site, rate=None)
    assert_distances(site, [each for each in site.provider.arrivals if each.sender != canceling], rate=20)

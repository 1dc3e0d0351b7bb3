"""When a text is sent and whether at all: at its time, in its turn, not when it is too late, and not once canceled."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from adapters.sql.database import Database
from adapters.sql.tables import deliveries
from tests.conftest import close
from tests.e2e.running import Attempt, Caller, HubProcess, Site, assert_none_twice, e164, eventually
from tests.loops import run

SECOND_US = 1_000_000
HOUR_S = 3_600


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with Site(database_url, tmp_path) as site:
        yield site


def now_us() -> int:
    """On the hub's clock, which is this machine's here."""
    return time.time_ns() // 1_000


def in_s(seconds: float) -> int:
    return now_us() + int(seconds * SECOND_US)


def instant(at_us: int) -> str:
    return (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at_us)).isoformat()


def until(at_us: int) -> None:
    time.sleep(max(at_us - now_us(), 0) / SECOND_US)


def let_pass(site: Site, message_id: str, seconds: int) -> None:
    """As if the text had been accepted so much earlier; for when no process runs."""

    async def bring_forward() -> None:
        database = Database(site.environment["SMSHUB_DATABASE_URL"])
        by_us, its = seconds * SECOND_US, UUID(message_id)
        async with database.writing() as connection:
            earlier = {"due_us": deliveries.c.due_us - by_us, "expires_us": deliveries.c.expires_us - by_us}
            await connection.execute(update(deliveries).where(deliveries.c.message_id == its).values(earlier))
        await close(database)

    run(bring_forward())


def attempts_of(message_id: str, *processes: HubProcess) -> Sequence[Attempt]:
    return [attempt for process in processes for attempt in process.attempts if attempt.message == message_id]


def until_all_are(caller: Caller, message_id: str, *states: str) -> Mapping[str, int]:
    """Until no delivery is in any other state; how many are in which."""

    def settled() -> Mapping[str, int]:
        counts = caller.counts(message_id)
        assert set(counts) <= set(states), counts
        return counts

    return eventually(settled, what=f"all of them {states}")


def assert_attempted_or(end: str, caller: Caller, message_id: str, attempts: Sequence[Attempt]) -> None:
    """Each delivery has either been given to the provider, once, or come to that end without: never both."""
    assert_none_twice(attempts)
    deliveries = caller.deliveries(message_id)
    given = {each["ProviderReference"] for each in deliveries if each["Status"] != end}
    # The sandbox calls a text what its delivery is called in the log.
    assert given == {f"sandbox-{attempt.delivery}" for attempt in attempts}
    ended = [each for each in deliveries if each["Status"] == end]
    assert {each["ProviderReference"] for each in ended} <= {None}
    assert len(attempts) + len(ended) == len(deliveries)


def test_a_text_that_is_scheduled_is_sent_at_its_time_or_else_as_soon_as_the_hub_is_back(site: Site) -> None:
    first = site.serve().until_ready()
    caller = site.caller(first, credentials := site.program(rate="20"))
    missed, later = (caller.send(e164(2), SendAt=instant(in_s(HOUR_S))) for _ in range(2))
    assert first.stop() == 0
    let_pass(site, missed, HOUR_S)

    second = site.serve().until_ready()
    caller = site.caller(second, credentials)
    kept_us = in_s(4)
    kept = caller.send(e164(2), SendAt=instant(kept_us))
    caller.until_delivered(missed, 2)
    caller.until_delivered(kept, 2)
    assert caller.counts(later) == {"scheduled": 2}

    assert not first.attempts
    assert_none_twice(second.attempts)
    assert len(second.attempts) == 4
    assert all(kept_us <= each.at_us for each in attempts_of(kept, second))


def test_what_is_not_sent_before_it_expires_is_never_sent(site: Site) -> None:
    hub = site.serve().until_ready()
    caller = site.caller(hub, site.program(rate="1"))
    expires_us = in_s(4)
    message_id = caller.send(e164(10), ExpiresAt=instant(expires_us))

    counts = until_all_are(caller, message_id, "delivered", "expired")
    until(expires_us + 2 * SECOND_US)
    assert caller.counts(message_id) == counts
    attempts = attempts_of(message_id, hub)
    assert all(each.at_us < expires_us for each in attempts)
    assert_attempted_or("expired", caller, message_id, attempts)
    assert len(attempts) <= 5
    assert {each["Reason"] for each in caller.deliveries(message_id) if each["Status"] == "expired"} == {
        "not-sent-in-time"
    }


def test_what_expires_while_the_hub_is_down_is_never_sent(site: Site) -> None:
    first = site.serve().until_ready()
    caller = site.caller(first, credentials := site.program(rate="1"))
    queued = caller.send(e164(100), ExpiresAt=instant(in_s(2 * HOUR_S)))
    scheduled = caller.send(e164(2), SendAt=instant(in_s(HOUR_S)), ExpiresAt=instant(in_s(2 * HOUR_S)))
    eventually(lambda: first.attempts)
    assert first.stop() == 0
    for each in (queued, scheduled):
        let_pass(site, each, 2 * HOUR_S)

    second = site.serve().until_ready()
    caller = site.caller(second, credentials)
    assert until_all_are(caller, scheduled, "expired") == {"expired": 2}
    until_all_are(caller, queued, "delivered", "expired")
    assert_attempted_or("expired", caller, queued, attempts_of(queued, first))
    assert not second.attempts
    # The line is free for what comes now.
    caller.until_delivered(caller.send(e164(1)), 1)


def api_and_dispatcher(site: Site) -> tuple[HubProcess, HubProcess]:
    """Two processes, where the database takes them; else one that is both."""
    if site.environment["SMSHUB_DATABASE_URL"].startswith("sqlite"):
        return (hub := site.serve().until_ready()), hub
    return site.api().until_ready(), site.dispatcher().until_ready()


def test_of_a_batch_that_is_canceled_while_it_is_sent_each_delivery_has_one_of_the_two_fates(site: Site) -> None:
    api, dispatcher = api_and_dispatcher(site)
    caller = site.caller(api, site.program(rate="200"))
    # At once, and about when the dispatcher takes the next part of the batch.
    for after_s in (0, 0.48, 0.98):
        message_id = caller.send(e164(2_000))
        if after_s:
            eventually(partial(attempts_of, message_id, dispatcher))
            time.sleep(after_s)
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(caller.cancel, [message_id] * 3))

        counts = until_all_are(caller, message_id, "delivered", "canceled")
        assert counts.get("canceled", 0) > 0
        # Nothing is stopped twice; what was reserved and handed back, since its turn came too late, is stopped then.
        handed_back = len(dispatcher.logged("delivery_released"))
        assert 0 <= counts["canceled"] - sum(answer["Canceled"] for answer in answers) <= handed_back
        assert_attempted_or("canceled", caller, message_id, attempts_of(message_id, dispatcher))
        assert caller.cancel(message_id)["Canceled"] == 0
        assert caller.counts(message_id) == counts


def test_a_text_that_is_canceled_right_after_it_was_accepted_is_sent_or_canceled_as_the_answer_says(
    site: Site,
) -> None:
    api, dispatcher = api_and_dispatcher(site)
    caller = site.caller(api, site.program(rate="1000"))
    answers: dict[str, int] = {}
    for index in range(600):
        # Often enough, and until both have happened.
        if index >= 60 and len(set(answers.values())) == 2:
            break
        message_id = caller.send(e164(1, first=index))
        # Now before the dispatcher has looked for new texts, now after.
        time.sleep(index % 10 * 0.012)
        answers[message_id] = caller.cancel(message_id)["Canceled"]
    for message_id, canceled in answers.items():
        counts = until_all_are(caller, message_id, "delivered", "canceled")
        assert_attempted_or("canceled", caller, message_id, attempts_of(message_id, dispatcher))
        if not dispatcher.logged("delivery_released"):
            assert counts == ({"canceled": 1} if canceled else {"delivered": 1})
    assert set(answers.values()) == {0, 1}


def test_what_is_urgent_goes_before_what_is_normal_and_that_before_what_is_bulk(site: Site) -> None:
    rate = 20
    hub = site.serve().until_ready()
    caller = site.caller(hub, site.program(rate=str(rate)))
    bulk = caller.send(e164(200), Priority="bulk")
    eventually(lambda: len(hub.attempts) >= rate // 2)
    normal = caller.send(e164(2 * rate, first=200))
    urgent = caller.send(e164(2, first=300), Priority="urgent")
    accepted_us = now_us()
    caller.until_sent(normal, 2 * rate)
    sent_by_then = len(attempts_of(bulk, hub))
    eventually(lambda: len(attempts_of(bulk, hub)) > sent_by_then, what="the bulk goes on")

    at_us = {each: [attempt.at_us for attempt in attempts_of(each, hub)] for each in (urgent, normal, bulk)}
    # What was reserved before is sent before: no more than a second of it.
    assert len([each for each in at_us[bulk] if accepted_us < each < max(at_us[urgent])]) <= rate
    assert len([each for each in at_us[normal] if each < max(at_us[urgent])]) <= rate
    assert len([each for each in at_us[bulk] if accepted_us < each < max(at_us[normal])]) <= rate
    assert_none_twice(hub.attempts)

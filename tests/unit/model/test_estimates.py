"""Estimates against what comes of them: queues are worked off by the real plans, and nobody else comes meanwhile."""

import random
from collections.abc import Mapping

import pytest

from domain.model.limit import Counted, DailyCap, Limit, SharedSchedule
from domain.model.pace import Pace
from domain.model.priority import Priority
from domain.model.queue_ahead import QueueAhead
from domain.model.shared_line import SharedLine, WaitingSender
from domain.model.turns import Turns
from domain.model.waiting import Waiting
from tests.unit.builders import SECOND
from tests.unit.model.claiming import DAY, Hub, Sender

LIMITS = {
    "account": Limit(name="account", counts=Counted.REQUESTS, pace=Pace.parse("30/s")),
    "campaign": Limit(name="campaign", counts=Counted.SEGMENTS, pace=Pace.parse("4/s")),
    "capped": Limit(name="capped", counts=Counted.SEGMENTS, daily=DailyCap(500, "America/Chicago")),
}


def waiting_at(sender: Sender) -> Mapping[tuple[Priority, str], Waiting]:
    lines = {key: Waiting(len(line), sum(each.segments for each in line)) for key, line in sender.queued.items()}
    return {key: waiting for key, waiting in lines.items() if waiting.texts}


def as_found(hub: Hub, name: str) -> QueueAhead:
    """What a look at the store would find."""
    others = []
    for number, (other, its) in enumerate(hub.senders.items()):
        lines = waiting_at(its).values()
        if other != name and lines:
            waiting = Waiting(sum(each.texts for each in lines), sum(each.segments for each in lines))
            others.append((WaitingSender(number, frozenset(), its.schedule, waiting), its.limits))
    sender = hub.senders[name]
    shared = []
    for limit in sender.limits:
        taken, day, used = hub.kept[limit]
        schedule = SharedSchedule(hub.limits[limit], taken=taken, day=day, used=used, now_us=hub.now_us)
        under = [other for other, limits in others if limit in limits]
        shared.append(SharedLine.found(schedule, under, now_us=hub.now_us))
    return QueueAhead(
        pace=sender.schedule.pace,
        at_us=hub.now_us,
        free_us=sender.schedule.next_free_us - sender.schedule.backlog_us,
        backlog_us=sender.schedule.backlog_us,
        waiting=waiting_at(sender),
        turns=Turns.read(sender.turns),
        shared=shared,
    )


def takes_s(hub: Hub, sender: str, texts: int, *, segments: int, priority: Priority) -> tuple[float, float]:
    """How long it would take for the last of so many new texts to leave, and how long it then takes."""
    from_us = hub.now_us
    told_us = as_found(hub, sender).completed_us("ours", priority, texts=texts, segments=segments, now_us=from_us)
    assert told_us is not None
    hub.accept(sender, texts, segments=segments, program="ours", priority=priority)
    hub.run(3 * DAY)
    last_us = max(each.at_us for each in hub.sent(sender) if each.candidate.program_id == "ours")
    return (told_us - from_us) / SECOND, (last_us - from_us) / SECOND


def assert_is_right(told_s: float, took_s: float, *, pace: str) -> None:
    """Within a tenth; what takes next to no time, within a slot and what claims are apart."""
    slack_s = Pace.parse(pace).planned_interval_us() / SECOND + 0.3
    assert abs(told_s - took_s) <= max(0.1 * took_s, slack_s), (told_s, took_s)


@pytest.mark.parametrize("priority", list(Priority))
@pytest.mark.parametrize("seed", range(12))
def test_programs_and_priorities_at_one_sender(seed: int, priority: Priority) -> None:
    chance = random.Random(seed)
    pace = chance.choice(["1/s", "10/s", "50/s"])
    hub = Hub({})
    hub.sender("sender", pace)
    for program in ("theirs", "library", "parks"):
        if chance.random() < 0.7:
            hub.accept("sender", chance.randint(1, 300), program=program, priority=chance.choice(list(Priority)))
    hub.run(int(chance.uniform(0, 3) * SECOND))
    told_s, took_s = takes_s(hub, "sender", chance.choice([1, 20, 150]), segments=1, priority=priority)
    assert_is_right(told_s, took_s, pace=pace)


@pytest.mark.parametrize("seed", range(12))
def test_senders_that_share_limits(seed: int) -> None:
    chance = random.Random(seed)
    hub = Hub(LIMITS)
    for name in ("ours", "second", "third"):
        hub.sender(name, chance.choice(["1/s", "5/s", "50/s"]), *chance.sample(["account", "campaign"], 2))
    for name in ("second", "third"):
        hub.accept(name, chance.choice([0, 30, 400]), segments=chance.choice([1, 1, 3]))
    hub.accept("ours", chance.choice([0, 50]), program="theirs")
    hub.run(int(chance.uniform(0, 3) * SECOND))
    told_s, took_s = takes_s(hub, "ours", chance.choice([20, 150]), segments=1, priority=Priority.NORMAL)
    assert_is_right(told_s, took_s, pace="1/s")


@pytest.mark.parametrize("texts", [100, 600, 1_100])
def test_what_exceeds_a_daily_cap_goes_on_another_day(texts: int) -> None:
    hub = Hub(LIMITS)
    hub.sender("ours", "5/s", "capped")
    hub.accept("ours", 200, program="theirs")
    hub.run(2 * SECOND)
    told_s, took_s = takes_s(hub, "ours", texts, segments=1, priority=Priority.NORMAL)
    assert_is_right(told_s, took_s, pace="5/s")

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


def takes_s(
    hub: Hub,
    sender: str,
    texts: int,
    *,
    segments: int = 1,
    priority: Priority = Priority.NORMAL,
    found: QueueAhead | None = None,
    later_us: int = 0,
) -> tuple[float, float]:
    """How long it would take for the last of so many new texts to leave, as `found` tells or else a look at this
    moment, and how long it then takes.
    """
    from_us = hub.now_us
    told_us = (found or as_found(hub, sender)).completed_us(
        "ours",
        priority,
        texts=texts,
        segments=segments,
        now_us=from_us,
        not_before_us=from_us + later_us if later_us else None,
    )
    assert told_us is not None
    hub.run(later_us)
    hub.accept(sender, texts, segments=segments, program="ours", priority=priority)
    hub.run(3 * DAY)
    last_us = max(each.at_us for each in hub.sent(sender) if each.candidate.program_id == "ours")
    return (told_us - from_us) / SECOND, (last_us - from_us) / SECOND


def is_right(told_s: float, took_s: float) -> bool:
    return abs(told_s - took_s) <= max(0.1 * took_s, 0.2)


def a_busy_sender(chance: random.Random) -> Hub:
    hub = Hub({})
    hub.sender("sender", chance.choice(["1/s", "10/s", "50/s"]))
    for program in ("theirs", "library", "parks"):
        if chance.random() < 0.7:
            hub.accept("sender", chance.randint(1, 300), program=program, priority=chance.choice(list(Priority)))
    hub.run(int(chance.uniform(0, 3) * SECOND))
    return hub


@pytest.mark.parametrize("priority", list(Priority))
@pytest.mark.parametrize("seed", range(12))
def test_programs_and_priorities_at_one_sender(seed: int, priority: Priority) -> None:
    chance = random.Random(seed)
    hub = a_busy_sender(chance)
    told_s, took_s = takes_s(hub, "sender", chance.choice([1, 20, 150]), priority=priority)
    assert is_right(told_s, took_s), (told_s, took_s)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_for_later(seed: int) -> None:
    chance = random.Random(seed)
    hub = a_busy_sender(chance)
    later_us = chance.choice([5, 60, 600]) * SECOND
    told_s, took_s = takes_s(hub, "sender", chance.choice([1, 20, 150]), later_us=later_us)
    assert is_right(told_s, took_s), (told_s, took_s)


@pytest.mark.parametrize("priority", [Priority.URGENT, Priority.NORMAL])
@pytest.mark.parametrize("seed", range(12))
def test_a_look_that_is_half_a_second_old_beside_claims_that_are_late(seed: int, priority: Priority) -> None:
    chance = random.Random(seed)
    hub = Hub({})
    hub.sender("sender", chance.choice(["1/s", "10/s", "50/s"]))
    hub.accept("sender", 1_000, program="theirs")
    claim_now_and_then(hub, chance, for_us=int(chance.uniform(1, 3) * SECOND))
    found = as_found(hub, "sender")
    claim_now_and_then(hub, chance, for_us=int(chance.uniform(0, 0.5) * SECOND))
    told_s, took_s = takes_s(hub, "sender", 1, priority=priority, found=found)
    assert is_right(told_s, took_s), (told_s, took_s)


def claim_now_and_then(hub: Hub, chance: random.Random, *, for_us: int) -> None:
    until_us = hub.now_us + for_us
    while hub.now_us < until_us:
        hub.claim()
        hub.now_us = min(hub.now_us + chance.randint(1_000, 50_000), until_us)


@pytest.mark.parametrize(("theirs", "ours"), [(400, 100), (30, 100), (400, 1)])
@pytest.mark.parametrize("pace", ["1/s", "50/s"])
def test_two_senders_of_one_limit(pace: str, theirs: int, ours: int) -> None:
    hub = Hub({"campaign": Limit(name="campaign", pace=Pace.parse("1/s"))})
    for name in ("ours", "other"):
        hub.sender(name, pace, "campaign")
    hub.accept("other", theirs)
    hub.run(3 * SECOND)
    told_s, took_s = takes_s(hub, "ours", ours)
    assert is_right(told_s, took_s), (told_s, took_s)


def test_senders_of_different_paces_under_several_limits() -> None:
    # Where a sender is about as fast as its share of a limit, how well its slots fit into it decides.
    told = [takes_s(*a_sender_among_others(seed)) for seed in range(40)]
    assert sum(is_right(*each) for each in told) >= 0.95 * len(told)
    assert all(told_s == pytest.approx(took_s, rel=0.25, abs=0.5) for told_s, took_s in told)


def a_sender_among_others(seed: int) -> tuple[Hub, str, int]:
    chance = random.Random(seed)
    hub = Hub(LIMITS)
    for name in ("ours", "second", "third"):
        hub.sender(name, chance.choice(["1/s", "5/s", "50/s"]), *chance.sample(["account", "campaign"], 2))
    for name in ("second", "third"):
        hub.accept(name, chance.choice([0, 30, 400]), segments=chance.choice([1, 1, 3]))
    hub.accept("ours", chance.choice([0, 50]), program="theirs")
    hub.run(int(chance.uniform(0, 3) * SECOND))
    return hub, "ours", chance.choice([20, 150])


@pytest.mark.parametrize("texts", [100, 600, 1_100])
def test_what_exceeds_a_daily_cap_goes_on_another_day(texts: int) -> None:
    hub = Hub(LIMITS)
    hub.sender("ours", "5/s", "capped")
    hub.sender("other", "5/s", "capped")
    hub.accept("ours", 200, program="theirs")
    hub.accept("other", 150)
    hub.run(2 * SECOND)
    told_s, took_s = takes_s(hub, "ours", texts)
    assert is_right(told_s, took_s), (told_s, took_s)

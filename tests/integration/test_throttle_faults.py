"""Faults that throttles are known to be shipped with: each has a test that bears its name."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from adapters.sql.database import Database
from domain.errors import StoreUnavailable
from domain.model.delivery import Delivery, DeliveryState
from domain.model.limit import Counted, DailyCap, Limit, SharedSchedule
from domain.model.pace import Pace
from domain.model.program import Program
from domain.model.retry import RetryPolicy
from domain.model.send_outcome import CannotTell, NotSent, SendOutcome, Throttled, Unknown
from domain.model.share import EVERY_SENDER, Share
from domain.model.slots import Reservation
from domain.model.terms import OnUnknown
from domain.ports.delivery_queue import Claim
from domain.use_cases.operate_senders import SenderName
from tests.builders import NOW_US, SENDER, Store, a_program, numbers
from tests.e2e.running import e164
from tests.integration.working_hub import ScriptedProvider, WorkingHub, a_hub, assert_apart

SECOND_US = 1_000_000
AT_ONCE = Reservation(window_us=3_600 * SECOND_US, lookahead_us=0, most=10_000)


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    store = Store.on(database)
    yield store
    await store.intake.drained()


def slots(claims: Sequence[Claim]) -> list[int]:
    return sorted(claim.slot.at_us for claim in claims)


def gaps(claims: Sequence[Claim]) -> list[int]:
    return [later - earlier for earlier, later in pairwise(slots(claims))]


async def claimed_while(
    store: Store, *dispatchers: int, from_us: int, seconds: float, skews_us: Sequence[int] = (0,)
) -> list[Claim]:
    """All that the dispatchers claim in turn, twenty times a second, each by its own clock."""
    claims: list[Claim] = []
    for step in range(int(seconds * 20)):
        which = step % len(dispatchers)
        at_us = from_us + step * 50_000 + skews_us[which % len(skews_us)]
        claims += await store.claim(dispatchers[which], at_us=at_us)
    return claims


async def test_second_boundary_double_burst(store: Store) -> None:
    """Counted by the calendar's second, a second's worth goes right before its end and another right after it."""
    program = await store.add_program(pace="5/s")
    just_before_us = NOW_US + 990_000
    await store.add_text(program, *numbers(40), at_us=just_before_us)

    claims = await claimed_while(store, await store.join(), from_us=just_before_us, seconds=8)

    assert len(claims) == 40
    assert min(gaps(claims)) >= SECOND_US // 5
    times = slots(claims)
    assert max(sum(start <= at < start + SECOND_US for at in times) for start in times) == 5


@pytest.mark.parametrize("skew_us", [-300 * SECOND_US, -2 * SECOND_US, -80_000, 80_000, 2 * SECOND_US])
async def test_replica_clock_skew(store: Store, skew_us: int) -> None:
    """Two that share a sender and not the time: whatever each takes it to be, the line is one."""
    program = await store.add_program(pace="10/s")
    await store.add_text(program, *numbers(60), at_us=NOW_US - 400 * SECOND_US)

    claims = await claimed_while(
        store, await store.join(), await store.join(), from_us=NOW_US, seconds=12, skews_us=(0, skew_us)
    )

    assert len(claims) > 30
    assert min(gaps(claims)) >= SECOND_US // 10


async def test_equal_timestamps_colliding(store: Store) -> None:
    """Texts that are accepted, and claims that are made, in the same microsecond are one after the other."""
    program = await store.add_program(pace="10/s")
    for number in numbers(20):
        await store.add_text(program, number, at_us=NOW_US)
    me, other = await store.join(), await store.join()

    claims = [
        claim
        for round_us in range(0, 4 * SECOND_US, 500_000)
        for who in (me, me, other, other)
        for claim in await store.claim(who, at_us=NOW_US + round_us)
    ]

    assert len(set(slots(claims))) == len(claims) == 20
    assert min(gaps(claims)) >= SECOND_US // 10
    in_time = sorted(claims, key=lambda claim: claim.slot.at_us)
    assert [claim.delivery.number for claim in in_time] == list(numbers(20))


async def test_retries_without_order(database_url: str) -> None:
    """What was throttled goes before what came later, at the pace and not before it is told to."""
    provider = ScriptedProvider([Throttled(700_000)])
    async with a_hub(database_url, provider) as hub:
        program = await hub.program(rate="10")
        async with hub.dispatching():
            await hub.post(program, e164(15))
            await hub.until_left(16)
    assert provider.gaps_us()[0] >= 699_000
    first, *others = [each.number for each in provider.left]
    assert sorted(others) == e164(15)
    # At once, unless a busy machine misses its slot.
    assert others.index(first) < 5
    assert_apart(provider, pace="10")


@pytest.mark.parametrize("window_us", [1, 500_000])
async def test_cost_larger_than_the_bucket(store: Store, window_us: int) -> None:
    """A text of more segments than any window holds is sent all the same, and paid for by those after it."""
    program = await store.add_program(pace="1/s")
    await store.add_text(program, segments=23)
    await store.add_text(program, segments=1)
    me, reservation = await store.join(), Reservation(window_us=window_us, lookahead_us=0)

    [long] = await store.claim(me, reservation=reservation)
    assert await store.claim(me, at_us=NOW_US + 22 * SECOND_US, reservation=reservation) == []
    [short] = await store.claim(me, at_us=NOW_US + 23 * 1_005_000, reservation=reservation)

    assert short.slot.at_us - long.slot.at_us == 23 * 1_005_000


def test_cost_larger_than_the_bucket_of_a_day() -> None:
    """Of a day's allowance that one text is larger than, it gets a whole day's: it does not wait for ever."""
    shared = SharedSchedule(
        Limit(name="campaign", counts=Counted.SEGMENTS, daily=DailyCap(5, "UTC")), now_us=NOW_US, used=0
    )
    first_us = shared.earliest_us(NOW_US, 24)
    shared.take(first_us, 24)
    assert first_us == NOW_US
    assert shared.earliest_us(NOW_US, 1) > NOW_US


async def test_comma_list_counted_as_one(database_url: str) -> None:
    """A list of numbers in one request takes a slot for each of them, and for each segment of each."""
    provider = ScriptedProvider()
    async with a_hub(database_url, provider) as hub:
        program = await hub.program(rate="20")
        async with hub.dispatching():
            await hub.post(program, e164(10), text="x" * 300)
            await hub.until_left(10)
    assert sorted(each.number for each in provider.left) == e164(10)
    assert min(provider.gaps_us()) >= 2 * SECOND_US // 20 - 1_000


def is_sent(delivery: Delivery) -> bool:
    return delivery.state is DeliveryState.SENT


HASTY = RetryPolicy(first_backoff_us=100_000, enquiry_delays_us=(100_000,), asked_for_us=300_000)


async def test_a_side_path_round_the_limiter(database_url: str) -> None:
    """Single, bulk, scheduled, retried, throttled, resent, handed back and rescued texts all stand in one line."""
    rate = "20"
    outcomes: list[SendOutcome] = [
        NotSent("no-connection"),
        Throttled(),
        Unknown("no-answer"),
        NotSent("no-connection"),
    ]
    provider = ScriptedProvider(outcomes, answer=CannotTell("no-way-to-ask"))
    async with a_hub(database_url, provider, retry=HASTY) as hub:
        program = await hub.program(rate=rate, on_unknown=OnUnknown.RESEND)
        clock = hub.container.clock()
        await clock.synchronise()
        messages = [await hub.post(program, [number]) for number in e164(5)]
        messages.append(await hub.post(program, e164(20, first=5)))
        # Left behind by one that was killed eleven seconds ago, in a slot that it cannot have used and one that it may.
        gone_us = clock.now_us() - 11 * SECOND_US
        gone = await hub.container.dispatchers().join(now_us=gone_us)
        lost = await hub.container.queue().claim(
            gone, now_us=clock.now_us(), reservation=Reservation(), share=EVERY_SENDER
        )
        assert lost
        async with hub.dispatching():
            await hub.until_left(8)
        # What it had reserved is handed back, and gone on with.
        async with hub.dispatching():
            soon_us = clock.now_us() + 500_000
            messages.append(await hub.post(program, e164(10, first=25), send_at_us=soon_us))
            messages.append(await hub.post(program, e164(10, first=35)))
            await hub.until_left(45 + len(outcomes))
            deliveries = [each for message in messages for each in await hub.until_are(program, message, is_sent)]
    assert {each.state for each in deliveries} == {DeliveryState.SENT}
    assert len(provider.left) == 45 + len(outcomes)
    assert sum(each.resends for each in deliveries) == 1
    assert_apart(provider, pace=rate)


async def test_limiter_store_away(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can say whose turn it is, nothing is sent; it goes on by itself, and without a burst."""
    provider = ScriptedProvider()
    async with a_hub(database_url, provider) as hub:
        program = await hub.program(rate="20")
        queue = hub.container.queue()
        claim, away = queue.claim, False

        async def claim_unless_away(
            dispatcher_id: int, *, now_us: int, reservation: Reservation, share: Share = EVERY_SENDER
        ) -> Sequence[Claim]:
            if away:
                raise StoreUnavailable
            return await claim(dispatcher_id, now_us=now_us, reservation=reservation, share=share)

        monkeypatch.setattr(queue, "claim", claim_unless_away)
        async with hub.dispatching():
            await hub.post(program, e164(60))
            await hub.until_left(10)
            away = True
            await asyncio.sleep(2)
            before = len(provider.left)
            await asyncio.sleep(1)
            assert len(provider.left) == before < 60
            away = False
            await hub.until_left(60)
    assert_apart(provider, pace="20")


@pytest.mark.parametrize(
    ("pace", "exact_s"),
    [
        ("40/min", Fraction(3, 2)),
        ("7/s", Fraction(1, 7)),
        ("0.333333", Fraction(1_000_000, 333_333)),
        ("100/h", Fraction(36)),
        ("90/min", Fraction(2, 3)),
        ("3/min", Fraction(20)),
        ("999/s", Fraction(1, 999)),
    ],
)
async def test_integer_division_of_rates(store: Store, pace: str, exact_s: Fraction) -> None:
    """40 a minute are neither one a second nor none; over many texts the remainder does not add up."""
    program = await store.add_program(pace=pace)
    await store.add_text(program, *numbers(100))

    claims = await store.claim(await store.join(), reservation=replace(AT_ONCE, window_us=4_000 * SECOND_US))

    assert len(claims) == 100
    times = slots(claims)
    exact_us = 99 * exact_s * SECOND_US
    assert exact_us <= times[-1] - times[0] <= exact_us * Fraction(1_006, 1_000) + 99
    assert min(gaps(claims)) >= exact_s * SECOND_US


async def change(store: Store, pace: str, *, at_us: int) -> None:
    (sender,) = await store.senders.all()
    await store.senders.change(sender.id, pace=Pace.parse(pace), backlog_us=0, now_us=at_us)


@pytest.mark.parametrize(
    ("before", "after", "interval_us"),
    [
        ("20/s", "5/s", 201_000),
        ("20/s", "1/s", 1_005_000),
        ("20/s", "1/min", 60_300_000),
        ("1/min", "20/s", 50_250),
        ("5/s", "20/s", 50_250),
    ],
)
async def test_rate_change_strands_the_queue(store: Store, before: str, after: str, interval_us: int) -> None:
    """After the last slot that is given away already, the next one comes an interval later, of the longer kind."""
    program = await store.add_program(pace=before)
    await store.add_text(program, *numbers(60))
    me = await store.join()
    earlier = await store.claim(me)
    changed_us = NOW_US + 1_000

    await change(store, after, at_us=changed_us)
    due_us = slots(earlier)[-1] + max(interval_us, Pace.parse(before).planned_interval_us())
    [following, *_] = await store.claim(me, at_us=due_us - 100_000) or await store.claim(me, at_us=due_us + SECOND_US)

    assert following.slot.at_us >= slots(earlier)[-1] + interval_us
    assert following.slot.at_us <= due_us + SECOND_US


async def test_rate_change_strands_the_queue_of_a_dispatcher(database_url: str) -> None:
    """From one a minute to twenty a second: what waits goes on within a moment, at the same dispatcher."""
    provider = ScriptedProvider()
    async with a_hub(database_url, provider) as hub:
        program = await hub.program(rate="1/min")
        async with hub.dispatching():
            await hub.post(program, e164(20))
            await hub.until_left(1)
            await asyncio.sleep(0.3)
            changed_us = time.monotonic_ns() // 1_000
            await hub.container.change_sender()(SenderName(address=SENDER.value), pace=Pace.parse("20"))
            await hub.until_left(20)
    # Long before the minute is over that the first one cost.
    assert provider.left[1].at_us - changed_us < 30 * SECOND_US
    assert_apart(provider, pace="20")


async def test_restart_forgets_the_last_slot(database_url: str) -> None:
    """Stopped after each text and started again, it sends no faster than it would have."""
    provider = ScriptedProvider()
    for round_ in range(4):
        async with a_hub(database_url, provider) as hub:
            program = await hub.container.programs().find("city-hall") or await first_program(hub)
            await hub.post(program, e164(1, first=round_))
            async with hub.dispatching():
                await hub.until_left(round_ + 1)
    assert_apart(provider, pace="1/s")


async def test_restart_forgets_the_debt_of_a_long_text(database_url: str) -> None:
    provider = ScriptedProvider()
    async with a_hub(database_url, provider) as hub:
        program = await first_program(hub)
        await hub.post(program, e164(1), text="x" * 450)
        async with hub.dispatching():
            await hub.until_left(1)
    async with a_hub(database_url, provider) as hub:
        await hub.post(program, e164(1, first=1))
        async with hub.dispatching():
            await hub.until_left(2)
    assert provider.gaps_us()[0] >= 3 * SECOND_US


async def first_program(hub: WorkingHub) -> Program:
    return await hub.container.programs().add(a_program("city-hall", pace="1/s"))


async def test_a_slot_that_is_missed_costs_a_slow_sender_no_interval(database_url: str) -> None:
    """The first call of a process takes its time: what misses its slot by that is sent soon all the same."""
    provider = ScriptedProvider(ready_after_s=0.7)
    async with a_hub(database_url, provider) as hub:
        program = await hub.program(rate="1/min")
        async with hub.dispatching():
            await hub.post(program, e164(1))
            await hub.until_left(1)

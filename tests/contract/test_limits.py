from itertools import pairwise

import pytest

from domain.errors import AccountNotFound, LimitInUseStill, LimitNotFound, LimitsInACircle
from domain.model.limit import Counted, DailyCap, Limit
from domain.model.pace import SECOND_US, Pace
from domain.model.program import Program
from domain.model.sender import SenderAddress
from domain.ports.limits import LimitInUse
from tests.builders import NOW_US, Store, numbers

OTHER_SENDER = SenderAddress("+19705550199")

ACCOUNT = Limit(name="account", counts=Counted.REQUESTS, pace=Pace.parse("30/s"))
CAMPAIGN = Limit(name="campaign", pace=Pace.parse("2/s"), daily=DailyCap(2_000, "America/Chicago"), parent="account")


async def listed(store: Store) -> list[Limit]:
    return [each.limit for each in await store.limits.all(now_us=NOW_US)]


async def slots(store: Store, program: Program, *, at_us: int = NOW_US) -> list[int]:
    claims = await store.claim(await store.join(), at_us=at_us)
    return sorted(claim.slot.at_us for claim in claims if claim.program_id == program.id)


async def test_limits_are_kept_as_they_were_put(store: Store) -> None:
    await store.limits.put(ACCOUNT)
    await store.limits.put(CAMPAIGN)

    assert await listed(store) == [ACCOUNT, CAMPAIGN]


async def test_putting_one_again_changes_it_as_a_whole(store: Store) -> None:
    await store.limits.put(ACCOUNT)
    await store.limits.put(CAMPAIGN)
    changed = Limit(name="campaign", counts=Counted.REQUESTS, pace=Pace.parse("40/min"))

    await store.limits.put(changed)

    assert await listed(store) == [ACCOUNT, changed]


async def test_a_parent_that_there_is_not_is_refused(store: Store) -> None:
    with pytest.raises(LimitNotFound):
        await store.limits.put(CAMPAIGN)

    assert await listed(store) == []


async def test_no_limit_stands_under_itself(store: Store) -> None:
    await store.limits.put(ACCOUNT)
    await store.limits.put(CAMPAIGN)

    for parent in ("campaign", "account"):
        with pytest.raises(LimitsInACircle):
            await store.limits.put(Limit(name="account", pace=Pace.parse("30/s"), parent=parent))

    assert await listed(store) == [ACCOUNT, CAMPAIGN]


async def test_who_stands_under_a_limit_is_listed(store: Store) -> None:
    program = await store.add_program()
    await store.limits.put(ACCOUNT)
    await store.limits.put(CAMPAIGN)

    await store.limits.attach_sender(program.sender.id, "campaign")
    await store.limits.attach_account("sandbox", "sandbox", "account")

    assert await store.limits.all(now_us=NOW_US) == [
        LimitInUse(limit=ACCOUNT, senders=[], accounts=["sandbox:sandbox"], used_today=None),
        LimitInUse(limit=CAMPAIGN, senders=["+19705550100"], accounts=[], used_today=0),
    ]
    assert [each.limit for each in await store.senders.all()] == ["campaign"]


async def test_a_limit_in_use_cannot_be_removed(store: Store) -> None:
    program = await store.add_program()
    await store.limits.put(ACCOUNT)
    await store.limits.put(CAMPAIGN)
    await store.limits.attach_sender(program.sender.id, "campaign")

    for name in ("account", "campaign"):
        with pytest.raises(LimitInUseStill):
            await store.limits.remove(name)
    await store.limits.attach_sender(program.sender.id, None)
    await store.limits.remove("campaign")
    await store.limits.remove("account")

    assert await listed(store) == []


async def test_what_there_is_not_is_said_so(store: Store) -> None:
    program = await store.add_program()
    await store.limits.put(ACCOUNT)

    with pytest.raises(LimitNotFound):
        await store.limits.remove("campaign")
    with pytest.raises(LimitNotFound):
        await store.limits.attach_sender(program.sender.id, "campaign")
    with pytest.raises(LimitNotFound):
        await store.limits.attach_account("sandbox", "sandbox", "campaign")
    with pytest.raises(AccountNotFound):
        await store.limits.attach_account("sandbox", "nobody", "account")


async def test_a_sender_keeps_to_its_limit_and_to_what_that_stands_under(store: Store) -> None:
    program = await store.add_program(pace="100/s")
    await store.limits.put(Limit(name="top", pace=Pace.parse("10/s")))
    await store.limits.put(Limit(name="campaign", pace=Pace.parse("50/s"), parent="top"))
    await store.limits.attach_sender(program.sender.id, "campaign")
    await store.add_text(program, *numbers(20))

    taken = await slots(store, program)

    assert len(taken) >= 5
    assert all(later - earlier >= SECOND_US // 10 for earlier, later in pairwise(taken))


async def test_senders_of_an_account_share_its_limit(store: Store) -> None:
    programs = [
        await store.add_program("library", pace="10/s"),
        await store.add_program("parks", pace="10/s", sender=OTHER_SENDER),
    ]
    await store.limits.put(Limit(name="account", counts=Counted.REQUESTS, pace=Pace.parse("4/s")))
    await store.limits.attach_account("sandbox", "sandbox", "account")
    for program in programs:
        await store.add_text(program, *numbers(20), segments=3)

    claims = await store.claim(await store.join())

    taken = sorted(claim.slot.at_us for claim in claims)
    assert {claim.program_id for claim in claims} == {"library", "parks"}
    # However long a text is, it is one request.
    assert all(later - earlier >= SECOND_US // 4 for earlier, later in pairwise(taken))


async def test_a_daily_cap_ends_with_the_day_of_its_zone(store: Store) -> None:
    program = await store.add_program(pace="10/s")
    cap = DailyCap(3, "America/Chicago")
    await store.limits.put(Limit(name="daily", daily=cap))
    await store.limits.attach_sender(program.sender.id, "daily")
    await store.add_text(program, *numbers(5))
    dispatcher = await store.join()

    today = await store.claim(dispatcher)
    again = await store.claim(dispatcher, at_us=NOW_US + 2 * SECOND_US)
    midnight_us = cap.next_day_us(NOW_US)
    before_midnight = await store.claim(dispatcher, at_us=midnight_us - 2 * SECOND_US)
    tomorrow = await store.claim(dispatcher, at_us=midnight_us)

    assert [len(each) for each in (today, again, before_midnight, tomorrow)] == [3, 0, 0, 2]
    assert all(claim.slot.at_us >= midnight_us for claim in tomorrow)
    assert [each.used_today for each in await store.limits.all(now_us=midnight_us)] == [2]

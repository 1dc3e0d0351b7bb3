"""What waits, and in how long it will be through."""

import pytest

from domain.model.limit import Limit
from domain.model.pace import SECOND_US, Pace
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.sender import SenderAddress
from domain.ports.workload import SenderLoad
from tests.builders import NOW_US, Store, a_text, numbers


async def load_of(store: Store, program: Program, *, at_us: int = NOW_US) -> SenderLoad:
    load = await store.workload.now(now_us=at_us)
    return next(each for each in load.senders if each.sender_id == program.sender.id)


async def test_where_nothing_waits_all_is_through(store: Store) -> None:
    program = await store.add_program(pace="2/s")

    load = await store.workload.now(now_us=NOW_US)

    assert (load.queued, load.scheduled) == (0, 0)
    assert load.senders == [
        SenderLoad(sender_id=program.sender.id, pace=Pace.parse("2/s"), segments=0, late_us=0, through_in_us=0)
    ]


async def test_what_waits_is_counted_and_its_time_reckoned_by_segments(store: Store) -> None:
    library = await store.add_program("library", pace="2/s")
    parks = await store.add_program("parks", pace=None)
    await store.intake.add(a_text(library, *numbers(3), segments=2, priority=Priority.BULK))
    await store.intake.add(a_text(parks, *numbers(4)))
    await store.intake.add(a_text(parks, *numbers(5), send_at_us=NOW_US + SECOND_US))

    load = await store.workload.now(now_us=NOW_US)

    assert (load.queued, load.scheduled) == (7, 5)
    (its,) = load.senders
    assert its.segments == 10
    # The last of them leaves when all the others have, one of an average length among them.
    assert its.through_in_us == pytest.approx((10 - 10 / 7) / 2 * 1.005 * SECOND_US, abs=1_000)


async def test_the_estimate_is_that_of_the_hub(store: Store) -> None:
    """What one who asks for it is told of a text behind all that waits, and of the one before it."""
    program = await store.add_program(pace="3/s")
    await store.add_text(program, *numbers(9))
    ahead = await store.backlog.at(program.sender.id, now_us=NOW_US)
    behind_us = ahead.leaves_us(program.id, Priority.NORMAL, texts=1, segments=1)
    assert behind_us is not None

    through_in_us = (await load_of(store, program)).through_in_us

    assert through_in_us == behind_us - NOW_US - program.sender.pace.planned_interval_us()


async def test_a_sender_is_late_from_when_it_could_have_been_claimed_from(store: Store) -> None:
    program = await store.add_program()
    await store.add_text(program, *numbers(2))

    assert (await load_of(store, program)).late_us == 0
    assert (await load_of(store, program, at_us=NOW_US + 7 * SECOND_US)).late_us == 7 * SECOND_US


async def test_a_backlog_that_waits_for_its_pace_is_not_late(store: Store) -> None:
    program = await store.add_program()
    await store.add_text(program, *numbers(50))
    await store.claim(await store.join())

    interval_us = program.sender.pace.planned_interval_us()
    assert (await load_of(store, program, at_us=NOW_US + interval_us)).late_us == 0
    assert (await load_of(store, program, at_us=NOW_US + interval_us + 5)).late_us == 5


@pytest.mark.parametrize("stopped", ["sender", "hub", "barred"])
async def test_what_is_stopped_is_not_late_and_nobody_can_say_when_it_is_through(store: Store, stopped: str) -> None:
    program = await store.add_program()
    await store.add_text(program, *numbers(2))
    if stopped == "sender":
        await store.pauses.set_sender(program.sender.id, paused=True, now_us=NOW_US)
    elif stopped == "hub":
        await store.pauses.set_hub(paused=True, now_us=NOW_US)
    else:
        await store.queue.bar(program.sender.id, "credentials-refused", now_us=NOW_US)

    load = await load_of(store, program, at_us=NOW_US + 3_600 * SECOND_US)

    assert (load.segments, load.late_us, load.through_in_us) == (2, 0, None)


async def test_what_a_paused_program_has_does_not_wait_to_be_sent_now(store: Store) -> None:
    library = await store.add_program("library")
    parks = await store.add_program("parks", pace=None)
    for program in (library, parks):
        await store.add_text(program, *numbers(3))
    await store.pauses.set_program("parks", paused=True, now_us=NOW_US)

    assert (await store.workload.now(now_us=NOW_US)).queued == 6
    assert (await load_of(store, library)).segments == 3


async def test_those_who_share_a_limit_take_their_turns(store: Store) -> None:
    library = await store.add_program("library", pace="10/s")
    parks = await store.add_program("parks", pace="10/s", sender=SenderAddress("Parks"))
    await store.limits.put(Limit(name="account", pace=Pace.parse("1/s")))
    await store.limits.attach_account("sandbox", "sandbox", "account")
    await store.add_text(library, *numbers(2))
    await store.add_text(parks, *numbers(20))

    few, many = await load_of(store, library), await load_of(store, parks)

    assert few.through_in_us is not None
    assert many.through_in_us is not None
    assert few.through_in_us < 5 * SECOND_US
    assert many.through_in_us == pytest.approx(21 * 1.005 * SECOND_US, rel=0.05)


async def test_a_hundred_senders_are_told_those_with_the_most_waiting(store: Store) -> None:
    programs = [
        await store.add_program(f"P{index}", pace="1/s", sender=SenderAddress(f"+1970555{index:04}"))
        for index in range(100, 203)
    ]
    await store.limits.put(Limit(name="account", pace=Pace.parse("1/s")))
    await store.limits.attach_sender(programs[-1].sender.id, "account")
    for program in programs:
        await store.add_text(program, *numbers(2 if program is programs[-1] else 1))

    load = await store.workload.now(now_us=NOW_US)

    assert load.queued == 104
    assert len(load.senders) == 100
    its = next(each for each in load.senders if each.sender_id == programs[-1].sender.id)
    # Others that are not among them may wait for the same limit.
    assert (its.segments, its.through_in_us) == (2, None)
    assert all(each.through_in_us is not None for each in load.senders if each is not its)

from domain.model.limit import Counted, Limit
from domain.model.pace import SECOND_US, Pace
from domain.model.priority import Priority
from domain.model.queue_ahead import QueueAhead
from tests.builders import NOW_US, Store, a_text, numbers


async def test_nothing_waits_at_a_new_sender(store: Store) -> None:
    program = await store.add_program()

    assert await store.backlog.at(program.sender.id) == QueueAhead(pace=Pace.parse("1/s"), free_us=0)


async def test_what_waits_is_told_by_priority_and_program(store: Store) -> None:
    library = await store.add_program("library")
    parks = await store.add_program("parks", pace=None)
    for program, priority, count in (
        (library, Priority.BULK, 3),
        (parks, Priority.BULK, 2),
        (parks, Priority.URGENT, 1),
    ):
        await store.intake.add(a_text(program, *numbers(count), segments=2, priority=priority))

    ahead = await store.backlog.at(library.sender.id)

    assert ahead.segments == {
        (Priority.BULK, "library"): 6,
        (Priority.BULK, "parks"): 4,
        (Priority.URGENT, "parks"): 2,
    }


async def test_what_has_its_slot_is_owed_and_does_not_wait(store: Store) -> None:
    program = await store.add_program()
    await store.add_text(program, *numbers(3))
    await store.claim(await store.join())

    ahead = await store.backlog.at(program.sender.id)

    assert ahead.free_us == NOW_US + program.sender.pace.planned_interval_us()
    assert ahead.segments == {(Priority.NORMAL, "city-hall"): 2}


async def test_what_is_for_later_does_not_wait(store: Store) -> None:
    program = await store.add_program()
    await store.intake.add(a_text(program, send_at_us=NOW_US + SECOND_US))

    assert (await store.backlog.at(program.sender.id)).segments == {}


async def test_the_slowest_pace_of_those_that_bind_it_counts(store: Store) -> None:
    program = await store.add_program(pace="5/s")
    await store.limits.put(Limit(name="account", pace=Pace.parse("1/s"), counts=Counted.REQUESTS))
    await store.limits.put(Limit(name="top", pace=Pace.parse("2/s")))
    await store.limits.put(Limit(name="campaign", pace=Pace.parse("3/s"), parent="top"))
    await store.limits.attach_sender(program.sender.id, "campaign")
    await store.limits.attach_account("sandbox", "sandbox", "account")

    # One that counts requests says nothing about segments.
    assert (await store.backlog.at(program.sender.id)).pace == Pace.parse("2/s")


async def test_what_stands_still_is_told(store: Store) -> None:
    program = await store.add_program()
    sender_id = program.sender.id

    await store.pauses.set_program("city-hall", paused=True, now_us=NOW_US)
    assert (await store.backlog.at(sender_id)).paused == {"city-hall"}
    await store.queue.bar(sender_id, "credentials-refused", now_us=NOW_US)
    assert (await store.backlog.at(sender_id)).stopped
    await store.queue.unbar(sender_id, now_us=NOW_US)
    assert not (await store.backlog.at(sender_id)).stopped
    await store.pauses.set_sender(sender_id, paused=True, now_us=NOW_US)
    assert (await store.backlog.at(sender_id)).stopped
    await store.pauses.set_sender(sender_id, paused=False, now_us=NOW_US)
    await store.pauses.set_hub(paused=True, now_us=NOW_US)
    assert (await store.backlog.at(sender_id)).stopped

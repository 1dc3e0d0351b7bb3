from domain.model.limit import Counted, DailyCap, Limit
from domain.model.pace import SECOND_US, Pace
from domain.model.priority import Priority
from domain.model.queue_ahead import QueueAhead
from domain.model.sender import SenderAddress
from domain.model.waiting import Waiting
from tests.builders import NOW_US, Store, a_text, numbers


async def test_nothing_waits_at_a_new_sender(store: Store) -> None:
    program = await store.add_program()

    assert await store.backlog.at(program.sender.id, now_us=NOW_US) == QueueAhead(
        pace=Pace.parse("1/s"), at_us=NOW_US, shared=[]
    )


async def test_what_waits_is_told_by_priority_and_program(store: Store) -> None:
    library = await store.add_program("library")
    parks = await store.add_program("parks", pace=None)
    for program, priority, count in (
        (library, Priority.BULK, 3),
        (parks, Priority.BULK, 2),
        (parks, Priority.URGENT, 1),
    ):
        await store.intake.add(a_text(program, *numbers(count), segments=2, priority=priority))

    ahead = await store.backlog.at(library.sender.id, now_us=NOW_US)

    assert ahead.waiting == {
        (Priority.BULK, "library"): Waiting(3, 6),
        (Priority.BULK, "parks"): Waiting(2, 4),
        (Priority.URGENT, "parks"): Waiting(1, 2),
    }


async def test_what_has_its_slot_is_owed_and_does_not_wait(store: Store) -> None:
    program = await store.add_program()
    await store.add_text(program, *numbers(3))
    await store.claim(await store.join())

    ahead = await store.backlog.at(program.sender.id, now_us=NOW_US)

    assert ahead.free_us == NOW_US + program.sender.pace.planned_interval_us()
    assert ahead.waiting == {(Priority.NORMAL, "city-hall"): Waiting(2, 2)}


async def test_what_is_for_later_does_not_wait(store: Store) -> None:
    program = await store.add_program()
    await store.intake.add(a_text(program, send_at_us=NOW_US + SECOND_US))

    assert (await store.backlog.at(program.sender.id, now_us=NOW_US)).waiting == {}


async def test_the_limits_that_bind_it_are_told_with_what_is_given_away_of_them(store: Store) -> None:
    program = await store.add_program(pace="5/s")
    await store.limits.put(Limit(name="account", pace=Pace.parse("1/s"), counts=Counted.REQUESTS))
    await store.limits.put(Limit(name="top", daily=DailyCap(100, "UTC")))
    await store.limits.put(Limit(name="campaign", pace=Pace.parse("3/s"), parent="top"))
    await store.limits.attach_sender(program.sender.id, "campaign")
    await store.limits.attach_account("sandbox", "sandbox", "account")
    await store.add_text(program)
    await store.claim(await store.join())

    ahead = await store.backlog.at(program.sender.id, now_us=NOW_US)

    assert ahead.pace == Pace.parse("5/s")
    told = {line.limit.name: (line.free_us - NOW_US, line.used) for line in ahead.shared}
    assert told == {
        "account": (Pace.parse("1/s").planned_interval_us(), 0),
        "campaign": (Pace.parse("3/s").planned_interval_us(), 0),
        "top": (0, 1),
    }


async def test_who_waits_for_the_same_limit_is_told(store: Store) -> None:
    program = await store.add_program()
    other = await store.add_program("library", sender=SenderAddress("Library"))
    stranger = await store.add_program("parks", sender=SenderAddress("Parks"))
    await store.limits.put(Limit(name="top", pace=Pace.parse("2/s")))
    await store.limits.put(Limit(name="campaign", pace=Pace.parse("1/s"), parent="top"))
    await store.limits.attach_sender(program.sender.id, "top")
    await store.limits.attach_sender(other.sender.id, "campaign")
    await store.intake.add(a_text(program, *numbers(2)))
    await store.intake.add(a_text(other, *numbers(4), segments=3))
    await store.intake.add(a_text(stranger, *numbers(5)))

    (top,) = (await store.backlog.at(program.sender.id, now_us=NOW_US)).shared
    assert [(each.texts, each.units) for each in top.others] == [(4, 3)]
    # It waits for the limit above as well.
    under = {line.limit.name: line for line in (await store.backlog.at(other.sender.id, now_us=NOW_US)).shared}
    assert [(each.texts, each.units) for each in under["top"].others] == [(2, 1)]
    assert not under["campaign"].others

    await store.pauses.set_sender(other.sender.id, paused=True, now_us=NOW_US)
    (top,) = (await store.backlog.at(program.sender.id, now_us=NOW_US)).shared
    assert not top.others


async def test_what_a_paused_program_has_takes_nobodys_turn(store: Store) -> None:
    library = await store.add_program("library")
    parks = await store.add_program("parks", pace=None)
    for program in (library, parks):
        await store.intake.add(a_text(program, *numbers(3)))
    await store.pauses.set_program("parks", paused=True, now_us=NOW_US)

    ahead = await store.backlog.at(library.sender.id, now_us=NOW_US)

    assert ahead.waiting == {(Priority.NORMAL, "library"): Waiting(3, 3)}


async def test_what_stands_still_is_told(store: Store) -> None:
    program = await store.add_program()
    sender_id = program.sender.id

    await store.pauses.set_program("city-hall", paused=True, now_us=NOW_US)
    assert (await store.backlog.at(sender_id, now_us=NOW_US)).paused == {"city-hall"}
    await store.queue.bar(sender_id, "credentials-refused", now_us=NOW_US)
    assert (await store.backlog.at(sender_id, now_us=NOW_US)).stopped
    await store.queue.unbar(sender_id, now_us=NOW_US)
    assert not (await store.backlog.at(sender_id, now_us=NOW_US)).stopped
    await store.pauses.set_sender(sender_id, paused=True, now_us=NOW_US)
    assert (await store.backlog.at(sender_id, now_us=NOW_US)).stopped
    await store.pauses.set_sender(sender_id, paused=False, now_us=NOW_US)
    await store.pauses.set_hub(paused=True, now_us=NOW_US)
    assert (await store.backlog.at(sender_id, now_us=NOW_US)).stopped

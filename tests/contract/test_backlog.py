"""What waits at a sender before a new text."""

from domain.model.priority import Priority
from domain.model.sender import SenderAddress
from domain.ports.backlog import Ahead
from tests.builders import NOW_US, Store, a_text, numbers


async def test_nothing_is_ahead_at_an_idle_sender(store: Store) -> None:
    program = await store.add_program()

    assert await store.backlog.ahead_of(program.sender.id, Priority.BULK) == Ahead(segments=0, free_us=0)


async def test_what_is_queued_is_counted_in_segments_by_priority(store: Store) -> None:
    program = await store.add_program()
    await store.intake.add(a_text(program, *numbers(3), segments=2))
    await store.intake.add(a_text(program, *numbers(5), priority=Priority.BULK))
    await store.intake.add(a_text(program, priority=Priority.URGENT))
    await store.intake.add(a_text(program, send_at_us=NOW_US + 1))

    ahead = [(await store.backlog.ahead_of(program.sender.id, each)).segments for each in Priority]

    assert ahead == [1, 7, 12]


async def test_what_is_reserved_takes_time_and_waits_no_more(store: Store) -> None:
    program = await store.add_program(pace="1/s")
    await store.add_text(program, *numbers(3))
    await store.claim(await store.join())

    ahead = await store.backlog.ahead_of(program.sender.id, Priority.NORMAL)

    assert ahead.segments == 2
    assert ahead.free_us >= NOW_US + 1_000_000


async def test_other_senders_do_not_count(store: Store) -> None:
    program = await store.add_program()
    other = await store.add_program("library", sender=SenderAddress("+19705550101"))
    await store.add_text(other, *numbers(3))

    assert (await store.backlog.ahead_of(program.sender.id, Priority.BULK)).segments == 0

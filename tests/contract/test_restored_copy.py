"""A database that was restored from a backup: what may have been sent since is in doubt, all else is not."""

from dataclasses import replace

from domain.model.delivery import Delivery, DeliveryState
from domain.model.program import Program
from domain.model.receipt import Receipt
from domain.model.retry import RetryPolicy
from domain.model.send_outcome import CannotTell
from domain.model.terms import OnUnknown
from domain.model.text_message import TextMessage
from tests.builders import NOW_US, Store, a_text, numbers

SECOND = 1_000_000
HOUR = 3_600 * SECOND
# When the backup was made, and when it is taken up.
BACKUP_US = NOW_US + 10 * SECOND
LATER_US = NOW_US + HOUR


async def doubt(store: Store) -> int:
    return await store.restored_copy.doubt(
        sent_since_us=BACKUP_US, due_before_us=LATER_US, ask_after_us=SECOND, now_us=LATER_US
    )


async def all_doubted(store: Store) -> int:
    doubted = 0
    while portion := await doubt(store):
        doubted += portion
    return doubted


def as_doubted(delivery: Delivery) -> Delivery:
    return delivery.doubted(now_us=LATER_US, ask_after_us=SECOND)


async def the_delivery(store: Store, program: Program, text: TextMessage) -> Delivery:
    (delivery,) = await store.deliveries(program, text)
    return delivery


async def test_what_was_queued_may_have_been_claimed_and_sent_since_the_backup(store: Store) -> None:
    program = await store.add_program()
    text = await store.add_text(program, *numbers(3))
    before = await store.deliveries(program, text)

    assert await all_doubted(store) == 3

    assert await store.deliveries(program, text) == [as_doubted(each) for each in before]
    enquiries = await store.due.enquiries(now_us=LATER_US + SECOND, limit=10)
    assert [each.attempted_us for each in enquiries] == [BACKUP_US] * 3


async def test_what_was_being_sent_is_looked_for_from_its_slot_on(store: Store) -> None:
    program = await store.add_program()
    text = await store.add_text(program, *numbers(1))
    (claim,) = await store.claim(await store.join())

    assert await all_doubted(store) == 1

    assert await the_delivery(store, program, text) == as_doubted(claim.delivery)
    (enquiry,) = await store.due.enquiries(now_us=LATER_US + SECOND, limit=10)
    assert enquiry.attempted_us == claim.slot.at_us
    assert await store.dispatchers.orphans(silent_since_us=LATER_US, limit=10) == []


async def test_what_was_to_be_sent_at_a_time_that_has_come_may_have_been(store: Store) -> None:
    program = await store.add_program()
    come = a_text(program, send_at_us=LATER_US - 1)
    to_come = a_text(program, send_at_us=LATER_US)
    for text in (come, to_come):
        await store.intake.add(text)
    before = await the_delivery(store, program, come.message)
    untouched = await the_delivery(store, program, to_come.message)

    assert await all_doubted(store) == 1

    assert await the_delivery(store, program, come.message) == as_doubted(before)
    assert await the_delivery(store, program, to_come.message) == untouched


async def test_what_is_to_be_tried_again_may_have_been_taken_over_by_another_sender(store: Store) -> None:
    program = await store.add_program()
    text = await store.add_text(program, *numbers(1))
    (claim,) = await store.claim(await store.join())
    retried = claim.delivery.retried("no-connection", now_us=NOW_US, after_us=2 * HOUR)
    await store.queue.record([retried])

    assert await all_doubted(store) == 1

    assert await the_delivery(store, program, text) == as_doubted(retried)


async def test_what_was_through_or_unknown_already_stays_as_it_is(store: Store) -> None:
    program = await store.add_program(pace="1000/s")
    text = await store.add_text(program, *numbers(3))
    sent, refused, unknown = (each.delivery for each in await store.claim(await store.join()))
    after = [
        sent.sent("SM1", now_us=NOW_US),
        refused.refused("unroutable", now_us=NOW_US),
        unknown.lost_sight_of("no-answer", now_us=NOW_US, ask_after_us=SECOND),
    ]
    await store.queue.record(after)

    assert await all_doubted(store) == 0

    assert await store.deliveries(program, text) == after


async def test_a_provider_without_a_log_is_waited_for_an_hour_from_now_on_however_old_the_backup_is(
    store: Store,
) -> None:
    program = await store.add_program()
    text = await store.add_text(program, *numbers(1))
    await all_doubted(store)
    delivery = await the_delivery(store, program, text)
    retry, no_receipt = RetryPolicy(), CannotTell("no-receipt", 300 * SECOND)

    def answered(now_us: int) -> Delivery:
        return retry.after_enquiry(delivery, no_receipt, on_unknown=OnUnknown.RESEND, now_us=now_us)

    assert answered(LATER_US + SECOND).state is DeliveryState.UNKNOWN
    assert answered(LATER_US + HOUR).resends == 1


async def test_a_receipt_of_the_attempt_that_the_backup_does_not_know_settles_it(store: Store) -> None:
    program = await store.add_program()
    text = await store.add_text(program, *numbers(1))
    digits = (await the_delivery(store, program, text)).number.e164.removeprefix("+")
    receipt = Receipt(state=DeliveryState.UNDELIVERED, reference="V1", digits=digits, attempt=1)
    assert not receipt.is_of(await the_delivery(store, program, text))

    await all_doubted(store)

    doubted = await the_delivery(store, program, text)
    assert receipt.is_of(doubted)
    assert receipt.settle(doubted, now_us=LATER_US).state is DeliveryState.UNDELIVERED


async def test_many_are_doubted_in_portions(store: Store) -> None:
    program = await store.add_program()
    text = await store.add_text(program, *numbers(6_000))

    assert await doubt(store) == 5_000
    assert await all_doubted(store) == 1_000
    assert set(await store.states(program, text)) == {DeliveryState.UNKNOWN}


async def test_what_was_surely_not_sent_is_sent_in_an_attempt_of_its_own(store: Store) -> None:
    """A receipt of the attempt that the backup does not know may still come, and must not be taken for this one's."""
    program = await store.add_program()
    text = await store.add_text(program, *numbers(1))
    await all_doubted(store)
    doubted = await the_delivery(store, program, text)
    await store.queue.record([doubted.retried("not-at-provider", now_us=LATER_US, after_us=0)])
    assert await store.due.queue(now_us=LATER_US) == 1

    (claim,) = await store.claim(await store.join(at_us=LATER_US), at_us=LATER_US)

    assert claim.delivery == replace(claim.delivery, id=doubted.id, state=DeliveryState.SENDING, attempt=2)


async def test_it_tells_how_old_it_is(store: Store) -> None:
    assert await store.restored_copy.last_beat_us() is None
    assert await store.restored_copy.last_text_us() is None
    program = await store.add_program()
    for seconds in (1, 3):
        await store.add_text(program, *numbers(1), at_us=NOW_US + seconds * SECOND)
        await store.join(at_us=NOW_US + 2 * seconds * SECOND)

    assert await store.restored_copy.last_text_us() == NOW_US + 3 * SECOND
    assert await store.restored_copy.last_beat_us() == NOW_US + 6 * SECOND


async def test_it_forgets_dispatchers_of_another_database(store: Store) -> None:
    await store.join()

    await store.restored_copy.forget_dispatchers()

    assert await store.restored_copy.last_beat_us() is None

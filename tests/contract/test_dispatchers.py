import asyncio
from collections import Counter
from collections.abc import Sequence

from adapters.sql.database import Database
from adapters.sql.dispatchers import SqlDispatchers
from domain.model.delivery import Delivery, DeliveryState
from domain.model.retry import RetryPolicy
from domain.model.sender import SenderAddress
from domain.model.share import Share
from domain.ports.delivery_queue import Claim
from domain.ports.dispatchers import Orphan
from domain.use_cases.hold_membership import MembershipTerms
from domain.use_cases.rescue_deliveries import RescueDeliveries
from tests.builders import NOW_US, Store, numbers
from tests.conftest import close
from tests.unit.fakes import FakeClock, RecordingObserver

SECOND = 1_000_000
GIVEN_UP = 10 * SECOND


async def claimed_by(store: Store, dispatcher: int, count: int, *, at_us: int = NOW_US) -> Sequence[Claim]:
    """So many deliveries, from a sender of the dispatcher's own, that it is sending."""
    program = await store.add_program(
        f"office-{dispatcher}", pace="1000/s", sender=SenderAddress(f"Office {dispatcher}")
    )
    await store.add_text(program, *numbers(count), at_us=at_us)
    claims = await store.claim(dispatcher, at_us=at_us)
    assert len(claims) == count
    return claims


async def left_behind(store: Store, *, silent_since_us: int, limit: int = 100) -> Sequence[Delivery]:
    orphans = await store.dispatchers.orphans(silent_since_us=silent_since_us, limit=limit)
    return [orphan.delivery for orphan in orphans]


async def test_each_start_is_a_new_member(store: Store) -> None:
    assert len({await store.join() for _ in range(3)}) == 3


async def test_an_id_is_never_given_again(store: Store) -> None:
    first = await store.join()
    await store.dispatchers.leave(first)

    second = await store.join()
    await store.dispatchers.dismiss(silent_since_us=NOW_US + GIVEN_UP)

    assert len({first, second, await store.join()}) == 3


async def test_a_members_beat_is_heard(store: Store) -> None:
    member = await store.join()

    assert await store.dispatchers.beat(member, now_us=NOW_US + SECOND, heard_since_us=NOW_US)


async def test_those_that_were_heard_of_share_the_senders_in_the_order_of_their_ids(store: Store) -> None:
    first, second, third = [await store.join() for _ in range(3)]

    shares = [
        await store.dispatchers.beat(member, now_us=NOW_US, heard_since_us=NOW_US) for member in (second, third, first)
    ]

    assert shares == [Share(1, 3), Share(2, 3), Share(0, 3)]


async def test_one_that_was_not_heard_of_since_then_has_no_share(store: Store) -> None:
    silent, alive = await store.join(), await store.join()
    later_us = NOW_US + 4 * SECOND

    alone = await store.dispatchers.beat(alive, now_us=later_us, heard_since_us=NOW_US + SECOND)
    back = await store.dispatchers.beat(silent, now_us=later_us, heard_since_us=NOW_US + SECOND)

    assert alone == Share(0, 1)
    assert back == Share(0, 2)


async def test_one_that_has_left_has_no_share(store: Store) -> None:
    leaver, member = await store.join(), await store.join()

    await store.dispatchers.leave(leaver)

    assert await store.dispatchers.beat(member, now_us=NOW_US, heard_since_us=NOW_US) == Share(0, 1)


async def test_one_whose_clock_is_behind_still_has_its_share(store: Store) -> None:
    """Its own beat may be older than what counts as silence to it, when its clock was set meanwhile."""
    member, other = await store.join(), await store.join()
    await store.dispatchers.beat(other, now_us=NOW_US + 10 * SECOND, heard_since_us=NOW_US)

    share = await store.dispatchers.beat(member, now_us=NOW_US, heard_since_us=NOW_US - 3 * SECOND)

    assert share == Share(0, 2)


async def test_a_member_that_left_is_none_any_more(store: Store) -> None:
    member, other = await store.join(), await store.join()

    await store.dispatchers.leave(member)
    await store.dispatchers.leave(member)

    assert not await store.dispatchers.beat(member, now_us=NOW_US, heard_since_us=NOW_US)
    assert await store.dispatchers.beat(other, now_us=NOW_US, heard_since_us=NOW_US)


async def test_what_a_silent_member_was_sending_is_left_behind(store: Store) -> None:
    silent = await store.join()
    claims = await claimed_by(store, silent, 3)

    orphans = await store.dispatchers.orphans(silent_since_us=NOW_US + 1, limit=100)

    assert [orphan.delivery for orphan in orphans] == [claim.delivery for claim in claims]
    assert [orphan.slot_us for orphan in orphans] == [claim.slot.at_us for claim in claims]
    assert {orphan.last_seen_us for orphan in orphans} == {NOW_US}


async def test_a_member_that_was_heard_of_since_then_has_left_nothing_behind(store: Store) -> None:
    member = await store.join()
    await claimed_by(store, member, 1)
    assert await store.dispatchers.beat(member, now_us=NOW_US + SECOND, heard_since_us=NOW_US)

    assert await left_behind(store, silent_since_us=NOW_US + SECOND) == []
    assert len(await left_behind(store, silent_since_us=NOW_US + SECOND + 1)) == 1


async def test_what_was_recorded_is_not_left_behind(store: Store) -> None:
    silent = await store.join()
    first, second, third, fourth = await claimed_by(store, silent, 4)
    await store.queue.record(
        [
            first.delivery.sent("a", now_us=NOW_US),
            second.delivery.lost_sight_of("no-answer", now_us=NOW_US, ask_after_us=None),
            third.delivery.released(now_us=NOW_US),
        ]
    )

    assert await left_behind(store, silent_since_us=NOW_US + GIVEN_UP) == [fourth.delivery]


async def test_what_others_are_sending_is_not_left_behind(store: Store) -> None:
    silent, other = await store.join(), await store.join()
    await claimed_by(store, silent, 1)
    await claimed_by(store, other, 1)
    await store.dispatchers.beat(other, now_us=NOW_US + GIVEN_UP, heard_since_us=NOW_US)

    [orphan] = await store.dispatchers.orphans(silent_since_us=NOW_US + GIVEN_UP, limit=100)

    assert orphan.last_seen_us == NOW_US


async def test_orphans_come_in_portions(store: Store) -> None:
    claims = await claimed_by(store, await store.join(), 5)

    portion = await left_behind(store, silent_since_us=NOW_US + 1, limit=3)
    await store.queue.record([delivery.released(now_us=NOW_US + GIVEN_UP) for delivery in portion])
    rest = await left_behind(store, silent_since_us=NOW_US + 1, limit=3)

    assert [*portion, *rest] == [claim.delivery for claim in claims]


async def test_a_silent_member_that_left_nothing_is_forgotten(store: Store) -> None:
    silent, alive = await store.join(), await store.join()
    await store.dispatchers.beat(alive, now_us=NOW_US + GIVEN_UP, heard_since_us=NOW_US)

    await store.dispatchers.dismiss(silent_since_us=NOW_US + GIVEN_UP)

    assert not await store.dispatchers.beat(silent, now_us=NOW_US + GIVEN_UP, heard_since_us=NOW_US)
    assert await store.dispatchers.beat(alive, now_us=NOW_US + GIVEN_UP, heard_since_us=NOW_US)


async def test_a_silent_member_is_remembered_until_all_it_left_is_taken_over(store: Store) -> None:
    silent = await store.join()
    [claim] = await claimed_by(store, silent, 1)

    await store.dispatchers.dismiss(silent_since_us=NOW_US + GIVEN_UP)
    assert await left_behind(store, silent_since_us=NOW_US + GIVEN_UP) == [claim.delivery]

    await store.queue.record([claim.delivery.released(now_us=NOW_US + GIVEN_UP)])
    await store.dispatchers.dismiss(silent_since_us=NOW_US + GIVEN_UP)
    assert not await store.dispatchers.beat(silent, now_us=NOW_US + GIVEN_UP, heard_since_us=NOW_US)


async def test_a_late_result_of_a_forgotten_member_changes_nothing(store: Store) -> None:
    silent, heir = await store.join(), await store.join()
    program = await store.add_program(pace="1000/s")
    message = await store.add_text(program)
    [lost] = await store.claim(silent)
    later_us = NOW_US + GIVEN_UP

    await store.queue.record([lost.delivery.released(now_us=later_us)])
    await store.dispatchers.dismiss(silent_since_us=later_us)
    [taken_over] = await store.claim(heir, at_us=later_us + SECOND)
    await store.queue.record([lost.delivery.sent("late", now_us=later_us + SECOND)])

    assert taken_over.delivery.attempt == 2
    assert await store.states(program, message) == [DeliveryState.SENDING]


async def test_what_a_member_left_behind_when_it_left_is_not_lost(store: Store) -> None:
    leaver = await store.join()
    [claim] = await claimed_by(store, leaver, 1)

    await store.dispatchers.leave(leaver)

    assert await left_behind(store, silent_since_us=NOW_US + GIVEN_UP) == [claim.delivery]


class InStep(SqlDispatchers):
    """Of those that look for orphans at the same moment, none goes on before all have found theirs."""

    def __init__(self, database: Database, others: asyncio.Barrier) -> None:
        super().__init__(database)
        self._others = others

    async def orphans(self, *, silent_since_us: int, limit: int) -> Sequence[Orphan]:
        found = await super().orphans(silent_since_us=silent_since_us, limit=limit)
        await self._others.wait()
        return found


async def test_what_two_rescue_at_the_same_moment_is_rescued_and_told_of_once(store: Store, database_url: str) -> None:
    claims = await claimed_by(store, await store.join(), 5)
    terms = MembershipTerms(stops_after_us=claims[2].slot.at_us - NOW_US, given_up_after_us=GIVEN_UP)
    others, observer = asyncio.Barrier(2), RecordingObserver()
    another = Database(database_url)
    rescues = [
        RescueDeliveries(
            dispatchers=InStep(its.database, others),
            queue=its.queue,
            clock=FakeClock(NOW_US + GIVEN_UP + 1),
            observer=observer,
            retry=RetryPolicy(),
            terms=terms,
        )
        for its in (store, Store.on(another))
    ]

    rescued = await asyncio.gather(*[rescue() for rescue in rescues])
    await close(another)

    assert sum(rescued) == 5
    told = [delivery for deliveries in observer.rescues for delivery in deliveries]
    assert {each.id for each in told} == {claim.delivery.id for claim in claims}
    assert Counter(each.state for each in told) == {DeliveryState.UNKNOWN: 3, DeliveryState.QUEUED: 2}

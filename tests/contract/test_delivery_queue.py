"""Queue and throttle in one. Times are given, so every test tells its own story of a sender's line."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Column, Table, event, insert, select, update

from adapters.sql.database import Database
from adapters.sql.tables import deliveries, hub, limits, programs, provider_accounts, senders
from domain.errors import StoreUnavailable
from domain.model.delivery import Delivery, DeliveryState
from domain.model.message_body import MessageBody
from domain.model.pace import Pace
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.retry import RetryPolicy
from domain.model.sender import SenderAddress
from domain.model.share import EVERY_SENDER, Share
from domain.model.slots import Reservation
from domain.ports.delivery_queue import Claim
from tests.builders import NOW_US, Store, a_body, a_delivery, a_number, a_text, an_opt_in, an_opt_out, numbers

SECOND = 1_000_000

# Later than any sender's next claim is due, so that whoever comes then may take it over.
MUCH_LATER = 60 * SECOND

AT_ONCE = Reservation(window_us=3_600 * SECOND, lookahead_us=0, most=10_000)


def ids(claims: Sequence[Claim]) -> list[int]:
    return [claim.delivery.id for claim in claims]


def slots(claims: Sequence[Claim]) -> Sequence[int]:
    return [claim.slot.at_us for claim in claims]


def gaps(claims: Sequence[Claim]) -> Sequence[int]:
    return [later - earlier for earlier, later in pairwise(slots(claims))]


async def one_delivery(store: Store, *, pace: str = "1/s") -> tuple[Program, Claim]:
    """A delivery that is being sent."""
    program = await store.add_program(pace=pace)
    await store.add_text(program)
    [claim] = await store.claim(await store.join())
    return program, claim


async def state_of(store: Store, program: Program, claim: Claim) -> Delivery:
    page = await store.texts.deliveries(program.id, claim.message_id, after=0, limit=10)
    assert page is not None
    [logged] = page.items
    return logged.delivery


class TestWhatIsClaimed:
    async def test_where_nothing_is_queued_nothing_is_claimed(self, store: Store) -> None:
        await store.add_program()

        assert await store.claim(await store.join()) == []

    async def test_a_claim_carries_all_that_is_needed_to_send(self, store: Store) -> None:
        program = await store.add_program()
        message = await store.add_text(program, a_number(7), segments=2)

        [claim] = await store.claim(await store.join())

        assert claim.delivery.number == a_number(7)
        assert (claim.delivery.state, claim.delivery.attempt) == (DeliveryState.SENDING, 1)
        assert claim.delivery.segments == 2
        assert (claim.message_id, claim.program_id) == (message.id, program.id)
        assert claim.sender == program.sender
        assert claim.body == a_body(2)
        assert claim.slot.delivery_id == claim.delivery.id

    async def test_what_was_claimed_is_stored_as_being_sent(self, store: Store) -> None:
        program, claim = await one_delivery(store)

        assert await state_of(store, program, claim) == claim.delivery

    async def test_what_was_claimed_is_not_claimed_again(self, store: Store) -> None:
        _, claim = await one_delivery(store)
        me, other = await store.join(), await store.join()

        assert await store.claim(me, at_us=NOW_US + MUCH_LATER) == []
        assert await store.claim(other, at_us=NOW_US + 2 * MUCH_LATER) == []
        assert claim.delivery.attempt == 1

    async def test_first_come_is_first_served(self, store: Store) -> None:
        program = await store.add_program(pace="1000/s")
        wanted = [a_number(index) for index in (9, 2, 7, 1, 8, 3)]
        for start in (0, 2, 4):
            await store.add_text(program, *wanted[start : start + 2])

        claims = await store.claim(await store.join())

        assert [claim.delivery.number for claim in claims] == wanted

    async def test_the_same_number_may_stand_in_many_texts(self, store: Store) -> None:
        program = await store.add_program(pace="1000/s")
        for _ in range(3):
            await store.add_text(program, a_number())

        assert len(await store.claim(await store.join())) == 3

    async def test_a_text_to_come_is_not_claimed_yet(self, store: Store) -> None:
        program = await store.add_program()
        await store.add_text(program, at_us=NOW_US)
        me = await store.join()

        assert await store.claim(me, at_us=NOW_US - 1) == []
        assert len(await store.claim(me, at_us=NOW_US)) == 1

    async def test_every_sender_has_a_line_of_its_own(self, store: Store) -> None:
        for name in ("Parks", "Library", "Shelter"):
            program = await store.add_program(name, sender=SenderAddress(name), pace="1/s")
            await store.add_text(program, *numbers(3))

        claims = await store.claim(await store.join())

        assert len({claim.sender.id for claim in claims}) == 3
        assert max(slots(claims)) - NOW_US <= 2 * Reservation().stagger_us

    async def test_what_cannot_be_sent_soon_is_left_for_later(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        message = await store.add_text(program, *numbers(100))

        claims = await store.claim(await store.join(), reservation=Reservation(window_us=SECOND, lookahead_us=0))

        assert len(claims) == 10
        assert (await store.states(program, message)).count(DeliveryState.QUEUED) == 90

    async def test_no_more_is_claimed_of_one_sender_than_was_asked_for(self, store: Store) -> None:
        program = await store.add_program(pace="1000/s")
        await store.add_text(program, *numbers(100))
        me = await store.join()

        first = await store.claim(me, reservation=Reservation(most=30))
        second = await store.claim(me, at_us=NOW_US + SECOND, reservation=Reservation(most=30))

        assert (len(first), len(second)) == (30, 30)
        assert ids(first) + ids(second) == sorted({*ids(first), *ids(second)})

    async def test_more_senders_than_one_claim_takes_are_served_in_turn(self, store: Store) -> None:
        message = await store.add_text(program := await store.add_program(), *numbers(510))
        async with store.database.writing() as connection:
            lines = [
                {"account_id": 1, "address": f"Office {index}", "pace_numerator": 1, "pace_denominator": 1}
                | {"due_us": NOW_US - index}
                for index in range(510)
            ]
            await connection.execute(insert(senders), lines)
            await connection.execute(update(deliveries).values(sender_id=program.sender.id + deliveries.c.position))
        me = await store.join()

        first, second = await store.claim(me), await store.claim(me)

        assert {claim.sender.address.value for claim in second} == {f"Office {index}" for index in range(10)}
        assert len(first) == 500
        assert set(await store.states(program, message)) == {DeliveryState.SENDING}


class TestSlots:
    @pytest.mark.parametrize(("pace", "interval_us"), [("1/s", 1_005_000), ("2", 502_500), ("40/min", 1_507_500)])
    async def test_slots_stand_a_little_wider_apart_than_the_pace(
        self, store: Store, pace: str, interval_us: int
    ) -> None:
        program = await store.add_program(pace=pace)
        await store.add_text(program, *numbers(5))

        claims = await store.claim(await store.join(), reservation=AT_ONCE)

        assert slots(claims)[0] == NOW_US
        assert gaps(claims) == [interval_us] * 4

    async def test_a_long_text_keeps_the_line_for_all_its_segments(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        for segments in (1, 3, 2, 1):
            await store.add_text(program, segments=segments)

        claims = await store.claim(await store.join(), reservation=AT_ONCE)

        assert gaps(claims) == [1_005_000, 3 * 1_005_000, 2 * 1_005_000]

    async def test_a_long_text_is_a_debt_to_the_claims_after_it(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        await store.add_text(program, segments=10)
        me = await store.join()
        [long] = await store.claim(me)
        await store.add_text(program, at_us=NOW_US + SECOND)

        assert await store.claim(me, at_us=NOW_US + 9 * SECOND) == []
        [next_one] = await store.claim(me, at_us=NOW_US + 10 * SECOND)

        assert next_one.slot.at_us == long.slot.at_us + 10 * 1_005_000

    async def test_a_sender_that_has_rested_sends_at_once_and_not_in_a_burst(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        me = await store.join()
        await store.add_text(program)
        await store.claim(me)
        later_us = NOW_US + 3_600 * SECOND
        await store.add_text(program, *numbers(3), at_us=later_us)

        claims = await store.claim(me, at_us=later_us, reservation=AT_ONCE)

        assert slots(claims)[0] == later_us
        assert gaps(claims) == [1_005_000, 1_005_000]

    async def test_a_sender_whose_line_is_taken_is_not_claimed_from_before_its_time(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        await store.add_text(program, *numbers(3))
        me = await store.join()
        [first] = await store.claim(me)
        due_us = first.slot.at_us + 1_005_000 - Reservation().lookahead_us

        assert await store.claim(me, at_us=due_us - 1) == []
        [second] = await store.claim(me, at_us=due_us)
        assert gaps([first, second]) == [1_005_000]

    async def test_a_dispatcher_that_keeps_up_leaves_no_slot_unused(self, store: Store) -> None:
        program = await store.add_program(pace="50/s")
        await store.add_text(program, *numbers(300))
        me, claims = await store.join(), list[Claim]()

        for at_us in range(NOW_US, NOW_US + 7 * SECOND, 50_000):
            claims += await store.claim(me, at_us=at_us)

        assert gaps(claims) == [20_100] * 299

    async def test_programs_that_share_a_sender_share_its_pace(self, store: Store) -> None:
        one, other = await store.add_program("city-hall", pace="2/s"), await store.add_program("library", pace="2/s")
        for program in (one, other, one, other):
            await store.add_text(program)

        claims = await store.claim(await store.join(), reservation=AT_ONCE)

        assert [claim.program_id for claim in claims] == [one.id, other.id, one.id, other.id]
        assert gaps(claims) == [502_500] * 3

    async def test_a_slot_may_be_used_late_by_no_more_than_the_guard(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program, *numbers(4))

        claims = await store.claim(await store.join())

        assert [claim.slot.not_after_us - claim.slot.at_us for claim in claims][-1] == Reservation().guard_us
        assert all(claim.slot.not_after_us >= claim.slot.at_us for claim in claims)

    async def test_a_delay_keeps_the_line_free(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        me = await store.join()
        await store.add_text(program)
        await store.claim(me)
        await store.add_text(program, *numbers(2), at_us=NOW_US + 1)

        await store.queue.delay(program.sender.id, 30 * SECOND, now_us=NOW_US + 1)
        claims = await store.claim(me, at_us=NOW_US + 2, reservation=AT_ONCE)

        assert slots(claims)[0] == NOW_US + 1 + 30 * SECOND
        assert gaps(claims) == [100_500]

    async def test_a_short_delay_does_not_cut_short_what_is_reserved(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        me = await store.join()
        await store.add_text(program, segments=20)
        [long] = await store.claim(me)

        await store.queue.delay(program.sender.id, SECOND, now_us=NOW_US)
        await store.add_text(program)
        [next_one] = await store.claim(me, at_us=NOW_US + 20 * SECOND)

        assert next_one.slot.at_us == long.slot.at_us + 20 * 1_005_000


class TestTakingOver:
    async def test_a_sender_that_is_taken_over_keeps_a_guard(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program, *numbers(100))
        first_owner, second_owner = await store.join(), await store.join()
        earlier = await store.claim(first_owner)
        late_us = slots(earlier)[-1]

        later = await store.claim(second_owner, at_us=late_us)

        assert later[0].slot.at_us == slots(earlier)[-1] + 100_500 + Reservation().guard_us
        assert_paced([*earlier, *later], {first_owner: earlier, second_owner: later})

    async def test_the_owner_itself_needs_no_guard(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program, *numbers(100))
        me = await store.join()
        earlier = await store.claim(me)

        later = await store.claim(me, at_us=slots(earlier)[-1])

        assert later[0].slot.at_us - slots(earlier)[-1] == 100_500

    async def test_the_schedule_outlives_the_process(self, database_url: str, database: Database) -> None:
        before = Store.on(database)
        program = await before.add_program(pace="1/s")
        await before.add_text(program, *numbers(2), segments=5)
        [first] = await before.claim(await before.join())
        await database.close()

        reopened = Database(database_url)
        after = Store.on(reopened)
        [second] = await after.claim(await after.join(), at_us=first.slot.at_us + 5 * SECOND)
        await reopened.close()

        assert second.slot.at_us == first.slot.at_us + 5 * 1_005_000 + Reservation().guard_us

    async def test_a_dispatcher_does_not_take_over_what_is_not_due(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program, *numbers(100))
        me, other = await store.join(), await store.join()
        claims = await store.claim(me)

        assert await store.claim(other, at_us=slots(claims)[-1] - Reservation().lookahead_us) == []

    async def test_a_new_owner_that_finds_nothing_to_send_keeps_the_guard_for_what_comes(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        first_owner, second_owner = await store.join(), await store.join()
        await store.add_text(program, *numbers(7))
        earlier = await store.claim(first_owner)
        late_us = slots(earlier)[-1]

        assert await store.claim(second_owner, at_us=late_us) == []
        await store.add_text(program, at_us=late_us + 1)
        later = await store.claim(second_owner, at_us=late_us + 1)

        assert len(later) == 1
        assert_paced([*earlier, *later], {first_owner: earlier, second_owner: later})

    async def test_a_new_owner_that_only_blocks_keeps_the_guard_for_what_comes(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        first_owner, second_owner = await store.join(), await store.join()
        await store.add_text(program, *numbers(7))
        earlier = await store.claim(first_owner)
        late_us = slots(earlier)[-1]
        await store.add_text(program, a_number(100))
        await store.add_text(program, a_number(101))
        await store.opt_outs.record([an_opt_out(program.id, a_number(100))])

        assert (
            await store.claim(second_owner, at_us=late_us, reservation=Reservation(window_us=0, lookahead_us=0)) == []
        )
        later = await store.claim(second_owner, at_us=late_us + SECOND)

        assert len(later) == 1
        assert_paced([*earlier, *later], {first_owner: earlier, second_owner: later})


def assert_paced(claims: Sequence[Claim], by_dispatcher: dict[int, Sequence[Claim]]) -> None:
    """No two texts of a sender can leave closer together than its pace allows, however late each slot is used.

    A dispatcher keeps the distance between its own texts itself.
    """
    owner = {claim.delivery.id: dispatcher for dispatcher, own in by_dispatcher.items() for claim in own}
    for sender in {claim.sender.id for claim in claims}:
        line = sorted((claim for claim in claims if claim.sender.id == sender), key=lambda claim: claim.slot.at_us)
        for position, later in enumerate(line):
            for earlier in line[:position]:
                same = owner[earlier.delivery.id] == owner[later.delivery.id]
                leaves_us = earlier.slot.at_us if same else earlier.slot.not_after_us
                assert later.slot.at_us - leaves_us >= earlier.sender.pace.interval_us(earlier.delivery.segments)


class TestManyDispatchers:
    @pytest.mark.parametrize("seed", range(3))
    async def test_every_delivery_is_claimed_once_and_no_slots_overlap(self, database_url: str, seed: int) -> None:
        chance = random.Random(seed)
        databases = [Database(database_url, pool_size=2) for _ in range(4)]
        stores = [Store.on(database) for database in databases]
        added = 0
        for name, pace in (("Parks", "50/s"), ("Library", "200/s"), ("Shelter", "3/s")):
            program = await stores[0].add_program(name, sender=SenderAddress(name), pace=pace)
            for _ in range(20):
                to = numbers(chance.randint(1, 3))
                await stores[0].add_text(program, *to, segments=chance.choice((1, 1, 1, 2, 5)))
                added += len(to)
        by_dispatcher: dict[int, Sequence[Claim]] = {await store.join(): [] for store in stores}

        async def claim(store: Store, dispatcher: int, at_us: int) -> None:
            by_dispatcher[dispatcher] = [*by_dispatcher[dispatcher], *await store.claim(dispatcher, at_us=at_us)]

        now_us = NOW_US
        while sum(map(len, by_dispatcher.values())) < added:
            # Their clocks differ a little, and some stay away for so long that the others take over.
            awake = [each for each in zip(stores, by_dispatcher, strict=True) if chance.random() < 0.6]
            await asyncio.gather(
                *(claim(store, dispatcher, now_us + chance.randint(-5_000, 5_000)) for store, dispatcher in awake)
            )
            now_us += chance.choice((50_000, 100_000, 100_000, 400_000))
            assert now_us < NOW_US + 200 * SECOND

        everything = [claim for own in by_dispatcher.values() for claim in own]
        assert len(set(ids(everything))) == len(everything) == added
        assert_paced(everything, by_dispatcher)
        for sender in {claim.sender.id for claim in everything}:
            line = sorted((each for each in everything if each.sender.id == sender), key=lambda each: each.slot.at_us)
            assert ids(line) == sorted(ids(line))
        assert sum(1 for own in by_dispatcher.values() if own) > 1
        for database in databases:
            await database.close()

    async def test_whatever_happens_no_slots_of_a_sender_overlap(self, store: Store) -> None:
        """Texts, opt-outs and claims of three dispatchers, at random; the senders fall idle now and then."""
        for seed in range(5):
            chance = random.Random(seed)
            program = await store.add_program(f"office-{seed}", sender=SenderAddress(f"Office {seed}"), pace="20/s")
            by_dispatcher: dict[int, Sequence[Claim]] = {await store.join(): [] for _ in range(3)}
            now_us = NOW_US

            for _ in range(100):
                now_us += chance.randint(1, 250_000)
                whoever = a_number(chance.randint(0, 3))
                said = an_opt_out if chance.random() < 0.5 else an_opt_in
                await store.opt_outs.record([said(program.id, whoever, at_us=now_us)])
                if chance.random() < 0.4:
                    to = [a_number(index) for index in chance.sample(range(8), k=chance.randint(1, 4))]
                    await store.add_text(program, *to, segments=chance.choice((1, 1, 4)), at_us=now_us)
                dispatcher = chance.choice(list(by_dispatcher))
                by_dispatcher[dispatcher] = [*by_dispatcher[dispatcher], *await store.claim(dispatcher, at_us=now_us)]

            everything = [claim for own in by_dispatcher.values() for claim in own]
            assert len(everything) > 30
            assert_paced(everything, by_dispatcher)

    async def test_one_who_claims_does_not_hold_up_those_who_accept(self, store: Store) -> None:
        program = await store.add_program(pace="1000/s")
        me = await store.join()

        claims = list[Claim]()

        async def accept(count: int) -> None:
            for _ in range(count):
                await store.add_text(program, *numbers(2))

        async def claim_all(wanted: int) -> None:
            at_us = NOW_US
            while len(claims) < wanted:
                at_us += 100_000
                claims.extend(await store.claim(me, at_us=at_us))

        await asyncio.gather(claim_all(120), *(accept(20) for _ in range(3)))

        assert len(set(ids(claims))) == 120


class TestOptOuts:
    async def test_who_opted_out_meanwhile_is_blocked_and_spends_no_slot(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        message = await store.add_text(program, *numbers(4))
        for index in (0, 2):
            await store.opt_outs.record([an_opt_out(program.id, a_number(index))])

        claims = await store.claim(await store.join(), at_us=NOW_US + 5, reservation=AT_ONCE)

        assert [claim.delivery.number for claim in claims] == [a_number(1), a_number(3)]
        assert (slots(claims)[0], gaps(claims)) == (NOW_US + 5, [1_005_000])
        first, _, third, _ = await store.deliveries(program, message)
        assert first.state is third.state is DeliveryState.BLOCKED
        assert (first.reason, first.attempt, first.updated_us) == ("opted-out", 0, NOW_US + 5)

    async def test_the_opt_out_of_one_program_does_not_block_another(self, store: Store) -> None:
        mine, others = await store.add_program("city-hall"), await store.add_program("library")
        await store.add_text(mine, a_number())
        await store.add_text(others, a_number())
        await store.opt_outs.record([an_opt_out(mine.id, a_number())])

        claims = await store.claim(await store.join(), reservation=AT_ONCE)

        assert [claim.program_id for claim in claims] == [others.id]

    async def test_an_opt_out_that_was_lifted_does_not_block(self, store: Store) -> None:
        program = await store.add_program()
        await store.add_text(program, a_number())
        await store.opt_outs.record([an_opt_out(program.id, a_number())])
        await store.opt_outs.record([an_opt_in(program.id, a_number())])

        assert len(await store.claim(await store.join())) == 1

    async def test_many_who_opted_out_do_not_hide_those_behind_them(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        await store.add_text(program, *numbers(5))
        for index in range(4):
            await store.opt_outs.record([an_opt_out(program.id, a_number(index))])
        me, claims = await store.join(), list[Claim]()

        for _ in range(5):
            claims += await store.claim(me)

        assert [claim.delivery.number for claim in claims] == [a_number(4)]
        assert slots(claims) == [NOW_US]

    async def test_one_who_opted_out_ends_no_claim_however_much_it_takes(self, store: Store) -> None:
        for which in range(70):
            sender = SenderAddress(f"+1970555{which:04}")
            program = await store.add_program(f"office-{which}", pace="100000/s", sender=sender)
            await store.add_text(program, *numbers(500))
        await store.opt_outs.record([an_opt_out("office-0", a_number(0))])

        claims = await store.claim(await store.join())

        # More than a statement may have parameters.
        assert len(claims) == 70 * 500 - 1


class TestPriorities:
    async def test_the_more_urgent_goes_first_and_within_that_the_earlier(self, store: Store) -> None:
        program = await store.add_program(pace="1000/s")
        order = [Priority.BULK, Priority.NORMAL, Priority.URGENT, Priority.NORMAL, Priority.URGENT]
        texts = [a_text(program, priority=priority) for priority in order]
        for text in texts:
            await store.intake.add(text)

        claims = await store.claim(await store.join())

        first = [texts[place].message.id for place in (2, 4, 1, 3, 0)]
        assert [claim.message_id for claim in claims] == first

    async def test_what_comes_urgently_goes_before_a_backlog(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        await store.add_text(program, *numbers(50))
        me = await store.join()
        await store.claim(me)
        urgent = a_text(program, priority=Priority.URGENT)
        await store.intake.add(urgent)

        [claim] = await store.claim(me, at_us=NOW_US + 1_000_000)

        assert claim.message_id == urgent.message.id


class TestCanceling:
    async def test_what_was_canceled_is_not_claimed(self, store: Store) -> None:
        program = await store.add_program(pace="1000/s")
        canceled, other = await store.add_text(program, *numbers(3)), await store.add_text(program)

        assert await store.texts.cancel(program.id, canceled.id, now_us=NOW_US) == 3
        claims = await store.claim(await store.join())

        assert [claim.message_id for claim in claims] == [other.id]
        assert set(await store.states(program, canceled)) == {DeliveryState.CANCELED}

    async def test_what_is_tried_again_after_that_is_not_sent(self, store: Store) -> None:
        program = await store.add_program(pace="1000/s")
        message = await store.add_text(program, *numbers(2))
        me = await store.join()
        first, second = await store.claim(me)
        assert await store.texts.cancel(program.id, message.id, now_us=NOW_US) == 0
        await store.queue.record(
            [
                first.delivery.retried("no-connection", now_us=NOW_US, after_us=0),
                second.delivery.held_back("throttled", now_us=NOW_US),
            ]
        )
        await store.due.queue(now_us=NOW_US + 1)

        claims = await store.claim(me, at_us=NOW_US + 1_000_000)

        assert claims == []
        assert await store.states(program, message) == [DeliveryState.CANCELED] * 2

    @pytest.mark.parametrize("turn", range(5))
    async def test_each_delivery_is_claimed_or_canceled_and_the_answers_say_which(
        self, store: Store, turn: int
    ) -> None:
        program = await store.add_program(pace="100/s")
        message = await store.add_text(program, *numbers(200))
        me = await store.join()

        async def claim_on() -> list[Claim]:
            claims = list[Claim]()
            for step in range(8):
                claims += await store.claim(me, at_us=NOW_US + step * 300_000)
            return claims

        async def cancel() -> int | None:
            await asyncio.sleep(turn * 0.005)
            return await store.texts.cancel(program.id, message.id, now_us=NOW_US)

        claims, canceled = await asyncio.gather(claim_on(), cancel())

        states = await store.states(program, message)
        assert states.count(DeliveryState.SENDING) == len(claims)
        assert states.count(DeliveryState.CANCELED) == canceled == 200 - len(claims)


class TestRecording:
    @pytest.mark.parametrize(
        ("outcome", "state"),
        [
            (lambda each: each.sent("SM1", now_us=NOW_US + 1, ask_after_us=9), DeliveryState.SENT),
            (lambda each: each.refused("invalid-recipient", now_us=NOW_US + 1), DeliveryState.FAILED),
            (lambda each: each.refused("opted-out", now_us=NOW_US + 1, opted_out=True), DeliveryState.BLOCKED),
            (lambda each: each.held_back("throttled", now_us=NOW_US + 1), DeliveryState.QUEUED),
            (lambda each: each.released(now_us=NOW_US + 1), DeliveryState.QUEUED),
            (lambda each: each.retried("no-connection", now_us=NOW_US + 1, after_us=9), DeliveryState.SCHEDULED),
            (lambda each: each.given_up("no-connection", now_us=NOW_US + 1), DeliveryState.FAILED),
            (lambda each: each.lost_sight_of("no-answer", now_us=NOW_US + 1, ask_after_us=9), DeliveryState.UNKNOWN),
        ],
    )
    async def test_what_became_of_a_delivery_is_stored_once_and_for_all(
        self, store: Store, outcome: Callable[[Delivery], Delivery], state: DeliveryState
    ) -> None:
        program, claim = await one_delivery(store)
        after = outcome(claim.delivery)

        for _ in range(2):
            await store.queue.record([after])
            assert await state_of(store, program, claim) == after

        assert after.state is state

    async def test_recording_nothing_is_no_fault(self, store: Store) -> None:
        await store.queue.record([])

    async def test_the_result_of_an_earlier_attempt_changes_nothing(self, store: Store) -> None:
        program, first = await one_delivery(store)
        await store.queue.record([first.delivery.released(now_us=NOW_US)])
        [second] = await store.claim(await store.join(), at_us=NOW_US + MUCH_LATER)

        await store.queue.record([first.delivery.sent("late", now_us=NOW_US + MUCH_LATER)])

        assert second.delivery.attempt == 2
        assert await state_of(store, program, first) == second.delivery

    @pytest.mark.parametrize(
        "settled", [DeliveryState.DELIVERED, DeliveryState.UNDELIVERED, DeliveryState.FAILED, DeliveryState.EXPIRED]
    )
    async def test_what_a_receipt_has_settled_stays(self, store: Store, settled: DeliveryState) -> None:
        program, claim = await one_delivery(store)
        receipt = claim.delivery.receipt(settled, now_us=NOW_US + 1, reason="said so")
        await store.queue.record([receipt])

        for late in (
            claim.delivery.sent("SM1", now_us=NOW_US + 2),
            claim.delivery.released(now_us=NOW_US + 2),
            claim.delivery.refused("no", now_us=NOW_US + 2),
            claim.delivery.retried("no-connection", now_us=NOW_US + 2, after_us=0),
            claim.delivery.lost_sight_of("no-answer", now_us=NOW_US + 2, ask_after_us=9),
            claim.delivery.receipt(DeliveryState.DELIVERED, now_us=NOW_US + 2),
        ):
            await store.queue.record([late])

        assert await state_of(store, program, claim) == receipt

    async def test_a_receipt_settles_what_was_sent(self, store: Store) -> None:
        program, claim = await one_delivery(store)
        sent = claim.delivery.sent("SM1", now_us=NOW_US)
        await store.queue.record([sent])

        await store.queue.record([sent.receipt(DeliveryState.DELIVERED, now_us=NOW_US + 1)])

        stored = await state_of(store, program, claim)
        assert (stored.state, stored.provider_reference) == (DeliveryState.DELIVERED, "SM1")

    async def test_an_unknown_outcome_does_not_take_back_that_it_was_sent(self, store: Store) -> None:
        program, claim = await one_delivery(store)
        sent = claim.delivery.sent("SM1", now_us=NOW_US + 1)
        await store.queue.record([sent])

        await store.queue.record([claim.delivery.lost_sight_of("no-answer", now_us=NOW_US + 2, ask_after_us=9)])

        assert await state_of(store, program, claim) == sent

    async def test_an_unknown_outcome_becomes_known_when_the_provider_has_it(self, store: Store) -> None:
        program, claim = await one_delivery(store)
        unknown = claim.delivery.lost_sight_of("no-answer", now_us=NOW_US + 1, ask_after_us=9)
        await store.queue.record([unknown])
        found = unknown.found("SM1", now_us=NOW_US + 2)

        await store.queue.record([found])

        assert await state_of(store, program, claim) == found

    async def test_a_release_does_not_take_back_that_the_outcome_is_unknown(self, store: Store) -> None:
        program, claim = await one_delivery(store)
        unknown = claim.delivery.lost_sight_of("no-answer", now_us=NOW_US + 1, ask_after_us=9)
        await store.queue.record([unknown])

        await store.queue.record([claim.delivery.released(now_us=NOW_US + 2)])

        assert await state_of(store, program, claim) == unknown

    async def test_what_is_taken_over_is_recorded_and_anothers_no_more(self, store: Store) -> None:
        program, claim = await one_delivery(store)
        unknown = claim.delivery.lost_sight_of("dispatcher-lost", now_us=NOW_US + 1, ask_after_us=9)

        assert await store.queue.take_over([unknown]) == [unknown]
        assert await store.queue.take_over([unknown]) == []

        assert await state_of(store, program, claim) == unknown

    async def test_what_was_recorded_or_claimed_anew_meanwhile_is_not_taken_over(self, store: Store) -> None:
        program = await store.add_program(pace="1000/s")
        message = await store.add_text(program, *numbers(3))
        left, recorded, released = await store.claim(await store.join())
        sent = recorded.delivery.sent("SM1", now_us=NOW_US + 1)
        await store.queue.record([sent, released.delivery.released(now_us=NOW_US + 1)])
        [anew] = await store.claim(await store.join(), at_us=NOW_US + MUCH_LATER)

        taken_over = await store.queue.take_over(
            [each.delivery.released(now_us=NOW_US + MUCH_LATER) for each in (released, recorded, left)]
        )

        assert [each.id for each in taken_over] == [left.delivery.id]
        assert await store.deliveries(program, message) == [*taken_over, sent, anew.delivery]

    async def test_what_is_taken_over_unsent_is_claimed_again(self, store: Store) -> None:
        _, claim = await one_delivery(store)

        await store.queue.take_over([claim.delivery.released(now_us=NOW_US + MUCH_LATER)])

        [again] = await store.claim(await store.join(), at_us=NOW_US + MUCH_LATER)
        assert (again.delivery.id, again.delivery.attempt) == (claim.delivery.id, 2)

    async def test_taking_over_nothing_is_no_fault(self, store: Store) -> None:
        assert await store.queue.take_over([]) == []

    async def test_what_was_never_claimed_cannot_be_recorded(self, store: Store) -> None:
        program = await store.add_program()
        message = await store.add_text(program)
        [queued] = await store.deliveries(program, message)

        await store.queue.record([queued.claimed(now_us=NOW_US).sent("SM1", now_us=NOW_US)])

        assert await store.deliveries(program, message) == [queued]

    async def test_many_outcomes_are_recorded_together(self, store: Store) -> None:
        program = await store.add_program(pace="1000/s")
        message = await store.add_text(program, *numbers(300))
        claims = await store.claim(await store.join())
        outcomes = [
            claim.delivery.sent(f"SM{claim.delivery.id}", now_us=NOW_US)
            if claim.delivery.id % 2
            else claim.delivery.refused("no", now_us=NOW_US)
            for claim in claims
        ]

        await store.queue.record(outcomes)

        assert await store.deliveries(program, message) == outcomes

    async def test_as_much_can_be_handed_back_as_a_dispatcher_can_hold(self, store: Store) -> None:
        held = [a_delivery(delivery_id=number, state=DeliveryState.SENDING, attempt=1) for number in range(40_000)]

        await store.queue.record([delivery.released(now_us=NOW_US) for delivery in held])


class TestHandingBack:
    async def test_what_is_handed_back_can_be_claimed_at_once(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program)
        me = await store.join()
        [claim] = await store.claim(me)

        await store.queue.record([claim.delivery.released(now_us=NOW_US + 5)])
        [again] = await store.claim(me, at_us=NOW_US + 5)

        assert again.delivery.id == claim.delivery.id
        assert again.delivery.attempt == 2

    async def test_what_is_handed_back_is_first_again(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program, *numbers(20))
        me = await store.join()
        claims = await store.claim(me)

        await store.queue.record([claim.delivery.released(now_us=NOW_US) for claim in claims[2:]])
        again = await store.claim(me, at_us=slots(claims)[-1], reservation=AT_ONCE)

        assert ids(again)[: len(claims) - 2] == ids(claims)[2:]
        assert len(again) == 18

    async def test_a_slot_that_was_handed_back_unused_is_free_again(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program)
        me = await store.join()
        [claim] = await store.claim(me)

        await store.queue.record([claim.delivery.released(now_us=NOW_US)])
        [again] = await store.claim(me)

        assert again.slot.at_us == claim.slot.at_us

    async def test_a_slot_is_not_free_again_while_later_ones_are_taken(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program, *numbers(20))
        me = await store.join()
        first, second, *others = await store.claim(me)

        await store.queue.record([first.delivery.released(now_us=NOW_US), second.delivery.released(now_us=NOW_US)])
        again = await store.claim(me, at_us=slots(others)[-1])

        assert slots(again)[0] == slots(others)[-1] + 100_500
        assert [claim.delivery.id for claim in again[:2]] == [first.delivery.id, second.delivery.id]

    async def test_slots_from_the_end_of_the_line_are_free_again(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program, *numbers(20))
        me = await store.join()
        *others, last_but_one, last = await store.claim(me)

        await store.queue.record([each.delivery.released(now_us=NOW_US) for each in (last, last_but_one)])
        again = await store.claim(me, at_us=NOW_US + 1)

        assert slots(again)[0] == slots(others)[-1] + 100_500

    async def test_a_slot_in_which_the_provider_was_called_is_used(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program)
        me = await store.join()
        [claim] = await store.claim(me)

        await store.queue.record([claim.delivery.held_back("throttled", now_us=NOW_US)])
        [again] = await store.claim(me, at_us=NOW_US + 1)

        assert again.slot.at_us == claim.slot.at_us + 100_500

    async def test_a_slot_that_another_has_by_now_is_not_given_back(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program)
        [late] = await store.claim(await store.join())
        await store.queue.record([late.delivery.released(now_us=NOW_US)])
        other = await store.join()
        await store.claim(other)
        before = await store.backlog.at(program.sender.id, now_us=NOW_US)

        await store.queue.record([late.delivery.released(now_us=NOW_US)])

        assert (await store.backlog.at(program.sender.id, now_us=NOW_US)).free_us == before.free_us

    async def test_what_a_provider_held_back_is_queued_again(self, store: Store) -> None:
        _, claim = await one_delivery(store)

        await store.queue.record([claim.delivery.held_back("throttled", now_us=NOW_US)])
        [again] = await store.claim(await store.join(), at_us=NOW_US + MUCH_LATER)

        assert (again.delivery.id, again.delivery.failures) == (claim.delivery.id, 0)

    async def test_an_idle_sender_whose_texts_come_back_is_roused(self, store: Store) -> None:
        program, claim = await one_delivery(store)
        other = await store.join()
        assert await store.claim(other, at_us=NOW_US + MUCH_LATER) == []

        await store.queue.record([claim.delivery.released(now_us=NOW_US + MUCH_LATER)])

        assert len(await store.claim(other, at_us=NOW_US + 2 * MUCH_LATER)) == 1
        assert program.sender.id == claim.sender.id


class TestStrays:
    async def test_what_was_claimed_and_not_recorded_is_found(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        await store.add_text(program, *numbers(3))
        me = await store.join()
        first, second, third = await store.claim(me, reservation=AT_ONCE)
        await store.queue.record([second.delivery.sent("SM1", now_us=NOW_US)])

        before_the_third = await store.queue.strays(me, slots_before_us=third.slot.at_us)
        after_it = await store.queue.strays(me, slots_before_us=third.slot.at_us + 1)

        assert list(before_the_third) == [first.delivery]
        assert sorted(after_it, key=lambda each: each.id) == [first.delivery, third.delivery]

    async def test_what_others_have_claimed_is_no_stray(self, store: Store) -> None:
        await one_delivery(store)

        assert await store.queue.strays(await store.join(), slots_before_us=NOW_US + MUCH_LATER) == []

    async def test_what_another_has_taken_over_is_no_stray(self, store: Store) -> None:
        program = await store.add_program()
        await store.add_text(program)
        me, other = await store.join(), await store.join()
        [claim] = await store.claim(me)
        await store.queue.record([claim.delivery.released(now_us=NOW_US)])
        [taken] = await store.claim(other, at_us=NOW_US + MUCH_LATER)

        assert await store.queue.strays(me, slots_before_us=NOW_US + 2 * MUCH_LATER) == []
        assert await store.queue.strays(other, slots_before_us=NOW_US + 2 * MUCH_LATER) == [taken.delivery]

    async def test_a_claim_whose_answer_was_lost_is_a_stray(self, store: Store) -> None:
        """The claim is committed; the database goes away before the sender can be looked at once more."""
        program = await store.add_program(pace="10/s")
        await store.add_text(program)
        me = await store.join()
        begun = 0

        def go_away(_connection: object) -> None:
            nonlocal begun
            begun += 1
            if begun > 1:
                raise ConnectionResetError

        event.listen(store.database.engine.sync_engine, "begin", go_away, insert=True)
        with suppress(StoreUnavailable):
            await store.claim(me)
        event.remove(store.database.engine.sync_engine, "begin", go_away)

        assert begun == 2
        assert len(await store.queue.strays(me, slots_before_us=NOW_US + 1)) == 1


class TestIdleSenders:
    async def test_a_sender_goes_idle_and_is_roused_by_a_new_text(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        me = await store.join()
        await store.add_text(program)
        [first] = await store.claim(me)
        assert await store.claim(me, at_us=NOW_US + MUCH_LATER) == []
        assert await store.due.rouse(now_us=NOW_US + MUCH_LATER) == 0

        await store.add_text(program, at_us=NOW_US + MUCH_LATER)
        [second] = await store.claim(me, at_us=NOW_US + MUCH_LATER)

        assert second.delivery.id > first.delivery.id

    async def test_a_text_to_those_who_opted_out_alone_leaves_its_sender_idle(self, store: Store) -> None:
        program = await store.add_program()
        await store.add_text(program, a_number())
        await store.opt_outs.record([an_opt_out(program.id, a_number())])
        me = await store.join()

        for _ in range(3):
            assert await store.claim(me) == []

        assert await store.due.rouse(now_us=NOW_US) == 0

    async def test_a_senders_lost_wake_up_is_noticed_by_whoever_claimed_last(self, store: Store) -> None:
        """A text is stored while its sender is being claimed from, too late for that claim and unseen by it."""
        program = await store.add_program(pace="1000/s")
        me = await store.join()
        await store.add_text(program)

        async def stored_unseen() -> None:
            await store.add_text(program)
            async with store.database.writing() as connection:
                await connection.execute(update(senders).values(due_us=None))

        await stored_unseen()
        assert await store.claim(me, at_us=NOW_US + SECOND) == []
        assert await store.queue.rouse_if_queued([program.sender.id], now_us=NOW_US + SECOND) == 1

        assert len(await store.claim(me, at_us=NOW_US + SECOND)) == 2


async def test_a_body_is_sent_as_it_was_written(store: Store) -> None:
    program = await store.add_program()
    await store.add_text(program, segments=1)

    [claim] = await store.claim(await store.join())

    assert claim.body == MessageBody("Hello")
    assert claim.sender.pace == Pace.parse("1/s")


async def change(store: Store, table: Table, row_id: object, **values: object) -> None:
    async with store.database.writing() as connection:
        await connection.execute(update(table).where(table.c.id == row_id).values(**values))


async def stored(store: Store, column: Column[Any], row_id: object) -> Any:  # noqa: ANN401 - whatever the column holds
    async with store.database.reading() as connection:
        return (await connection.execute(select(column).where(column.table.c.id == row_id))).scalar_one()


async def add_limit(
    store: Store,
    name: str = "campaign",
    *,
    pace: int | None = None,
    counts: str = "segments",
    daily: int | None = None,
    zone: str | None = None,
    parent_id: int | None = None,
) -> int:
    """`pace` is per second."""
    values = {
        "name": name,
        "counts": counts,
        "pace_numerator": pace,
        "pace_denominator": None if pace is None else 1,
        "daily": daily,
        "zone": zone,
        "parent_id": parent_id,
    }
    async with store.database.writing() as connection:
        return int((await connection.execute(insert(limits).values(values).returning(limits.c.id))).scalar_one())


async def a_line(
    store: Store, name: str, *, pace: str = "1000/s", limit_id: int | None = None, count: int = 0
) -> Program:
    """A program with a sender of its own, under the limit, and so many texts."""
    program = await store.add_program(name, sender=SenderAddress(name), pace=pace)
    await change(store, senders, program.sender.id, limit_id=limit_id)
    if count:
        await store.add_text(program, *numbers(count))
    return program


async def claimed_on(store: Store, dispatcher: int, *, until_us: int, every_us: int = 50_000) -> list[Claim]:
    """What a dispatcher gets that claims all the time."""
    claims = list[Claim]()
    for at_us in range(NOW_US, until_us, every_us):
        claims += await store.claim(dispatcher, at_us=at_us)
    return claims


class TestTurns:
    async def test_programs_that_share_a_sender_take_turns_from_claim_to_claim(self, store: Store) -> None:
        one, other = await store.add_program("city-hall", pace="2/s"), await store.add_program("library", pace="2/s")
        await store.add_text(one, *numbers(40))
        await store.add_text(other, *numbers(40))

        claims = await claimed_on(store, await store.join(), until_us=NOW_US + 10 * SECOND)

        order = [claim.program_id for claim in claims]
        assert len(order) >= 20
        assert order == ([one.id, other.id] * len(order))[: len(order)]

    async def test_whose_turn_it_is_outlives_the_process_and_the_dispatcher(self, store: Store) -> None:
        one, other = await store.add_program("city-hall"), await store.add_program("library")
        await store.add_text(one, segments=5)
        await store.add_text(one, *numbers(20))
        await store.add_text(other, *numbers(20))
        [long] = await store.claim(await store.join())
        assert await stored(store, senders.c.turns, one.sender.id) is not None

        claims = await Store.on(store.database).claim(
            await store.join(), at_us=NOW_US + 6 * SECOND, reservation=Reservation(window_us=8 * SECOND, most=8)
        )

        assert long.program_id == one.id
        assert [claim.program_id for claim in claims] == [other.id] * 5 + [one.id, other.id, one.id]

    async def test_one_text_waits_only_a_few_slots_for_a_great_batch_of_another_program(self, store: Store) -> None:
        batch, single = await store.add_program("city-hall", pace="10/s"), await store.add_program("library", pace=None)
        await store.add_text(batch, *numbers(2_000))
        me = await store.join()
        earlier = await store.claim(me)
        await store.add_text(single, at_us=NOW_US + 1)

        later = await store.claim(me, at_us=slots(earlier)[-1])

        assert single.id in [claim.program_id for claim in later[:2]]

    async def test_nothing_is_remembered_of_a_program_that_is_alone(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program, *numbers(50))

        await claimed_on(store, await store.join(), until_us=NOW_US + SECOND)

        assert await stored(store, senders.c.turns, program.sender.id) is None

    async def test_what_waits_below_the_urgent_gets_every_tenth_slot(self, store: Store) -> None:
        program = await store.add_program(pace="2/s")
        for priority in (Priority.URGENT, Priority.BULK):
            await store.intake.add(a_text(program, *numbers(60), priority=priority))
        me = await store.join()

        claims = await claimed_on(store, me, until_us=NOW_US + 20 * SECOND)

        order = await self.priorities(store, claims)
        assert order[:40] == ([Priority.URGENT] * 9 + [Priority.BULK]) * 4

    async def test_with_three_lanes_each_has_a_turn_in_a_dozen(self, store: Store) -> None:
        program = await store.add_program(pace="2/s")
        for priority in Priority:
            await store.intake.add(a_text(program, *numbers(80), priority=priority))

        order = await self.priorities(store, await claimed_on(store, await store.join(), until_us=NOW_US + 30 * SECOND))

        assert len(order) > 50
        for start in range(len(order) - 12):
            assert set(order[start : start + 12]) == set(Priority)

    async def priorities(self, store: Store, claims: Sequence[Claim]) -> list[Priority]:
        async with store.database.reading() as connection:
            rows = await connection.execute(select(deliveries.c.id, deliveries.c.priority))
            of_each = {row.id: Priority(row.priority) for row in rows}
        return [of_each[claim.delivery.id] for claim in claims]


class TestShares:
    async def test_each_sender_is_claimed_from_by_the_one_whose_share_it_is(self, store: Store) -> None:
        programs_by_name = {name: await a_line(store, name, count=1) for name in ("A", "B", "C", "D")}
        first, second = await store.join(), await store.join()

        even = await store.claim(first, share=Share(0, 2))
        odd = await store.claim(second, share=Share(1, 2))

        assert {claim.sender.id % 2 for claim in even} == {0}
        assert {claim.sender.id % 2 for claim in odd} == {1}
        assert len(even) + len(odd) == len(programs_by_name)

    async def test_a_sender_that_is_late_is_anybodys(self, store: Store) -> None:
        program = await store.add_program()
        await store.add_text(program)
        others = Share((program.sender.id + 1) % 2, 2)
        me = await store.join()

        assert await store.claim(me, at_us=NOW_US + 249_999, share=others) == []
        assert len(await store.claim(me, at_us=NOW_US + 250_000, share=others)) == 1

    async def test_when_something_is_due_next_is_asked_by_share(self, store: Store) -> None:
        one, other = await a_line(store, "A", count=1), await a_line(store, "B", count=1)
        await change(store, senders, one.sender.id, due_us=NOW_US + 7)
        await change(store, senders, other.sender.id, due_us=NOW_US + 9)

        assert await store.queue.next_due_us() == NOW_US + 7
        assert await store.queue.next_due_us(share=Share(one.sender.id % 2, 2)) == NOW_US + 7
        assert await store.queue.next_due_us(share=Share(other.sender.id % 2, 2)) == NOW_US + 9

    async def test_where_nothing_is_queued_nothing_is_due(self, store: Store) -> None:
        program = await store.add_program()
        assert await store.queue.next_due_us() is None
        await store.add_text(program)
        me = await store.join()
        assert await store.queue.next_due_us() == NOW_US
        await store.claim(me)
        assert await store.claim(me, at_us=NOW_US + MUCH_LATER) == []
        assert await store.queue.next_due_us() is None

    async def test_what_a_backlog_makes_due_is_when_the_next_claim_brings_something(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        await store.add_text(program, *numbers(3))
        me = await store.join()
        [first] = await store.claim(me)

        due_us = await store.queue.next_due_us()

        assert due_us == first.slot.at_us + 1_005_000 - Reservation().lookahead_us
        assert len(await store.claim(me, at_us=due_us)) == 1


def assert_within(claims: Sequence[Claim], per_second: int, *, requests: bool = False) -> None:
    """No two of them stand closer than the limit allows, whoever sends them."""
    pace = Pace.parse(f"{per_second}/s")
    line = sorted(claims, key=lambda claim: claim.slot.at_us)
    for earlier, later in pairwise(line):
        cost = 1 if requests else earlier.delivery.segments
        assert later.slot.at_us - earlier.slot.at_us >= pace.planned_interval_us(cost)


class TestSharedLimits:
    async def test_senders_of_one_limit_share_its_pace(self, store: Store) -> None:
        limit_id = await add_limit(store, pace=20)
        for name in ("A", "B", "C"):
            await a_line(store, name, limit_id=limit_id, count=200)

        claims = await claimed_on(store, await store.join(), until_us=NOW_US + 10 * SECOND)

        assert_within(claims, 20)
        in_time = [claim for claim in claims if claim.slot.at_us < NOW_US + 10 * SECOND]
        assert len(in_time) >= 198
        counts = [sum(claim.program_id == name for claim in in_time) for name in ("A", "B", "C")]
        assert max(counts) <= 1.1 * min(counts)

    async def test_senders_of_one_account_share_its_limit(self, store: Store) -> None:
        limit_id = await add_limit(store, "account", pace=20)
        for name in ("A", "B"):
            await a_line(store, name, count=100)
        await change(store, provider_accounts, 1, limit_id=limit_id)

        claims = await claimed_on(store, await store.join(), until_us=NOW_US + 3 * SECOND)

        assert len(claims) >= 60
        assert_within(claims, 20)

    async def test_a_limit_stands_under_another(self, store: Store) -> None:
        account = await add_limit(store, "account", pace=20)
        campaign = await add_limit(store, "campaign", pace=12, parent_id=account)
        await a_line(store, "A", limit_id=campaign, count=100)
        await a_line(store, "B", limit_id=campaign, count=100)
        await a_line(store, "C", limit_id=account, count=100)

        claims = await claimed_on(store, await store.join(), until_us=NOW_US + 3 * SECOND)

        assert_within(claims, 20)
        assert_within([claim for claim in claims if claim.program_id != "C"], 12)

    async def test_a_limit_that_a_sender_has_twice_is_kept_once(self, store: Store) -> None:
        limit_id = await add_limit(store, pace=10)
        await a_line(store, "A", limit_id=limit_id, count=10)
        await change(store, provider_accounts, 1, limit_id=limit_id)

        claims = await store.claim(await store.join())

        assert gaps(claims) == [100_500] * (len(claims) - 1)
        assert len(claims) == 8

    async def test_a_limit_on_requests_counts_a_long_text_once(self, store: Store) -> None:
        limit_id = await add_limit(store, pace=10, counts="requests")
        program = await a_line(store, "A", limit_id=limit_id)
        for _ in range(4):
            await store.add_text(program, segments=5)

        assert gaps(await store.claim(await store.join())) == [100_500] * 3

    async def test_what_is_taken_outlives_the_process(self, store: Store) -> None:
        limit_id = await add_limit(store, pace=1)
        one, other = await a_line(store, "A", limit_id=limit_id), await a_line(store, "B", limit_id=limit_id)
        await store.add_text(one, segments=4)
        [first] = await store.claim(await store.join())
        await store.add_text(other)

        again = Store.on(store.database)
        assert await again.claim(await again.join(), at_us=NOW_US + SECOND) == []
        [second] = await again.claim(await again.join(), at_us=NOW_US + 4 * SECOND)

        assert second.slot.at_us == first.slot.at_us + 4 * 1_005_000

    @pytest.mark.parametrize("seed", range(2))
    async def test_two_dispatchers_that_race_for_one_limit_never_overlap(self, database_url: str, seed: int) -> None:
        chance = random.Random(seed)
        databases = [Database(database_url, pool_size=2) for _ in range(2)]
        stores = [Store.on(database) for database in databases]
        account = await add_limit(stores[0], "account", pace=80)
        campaign = await add_limit(stores[0], "campaign", pace=50, parent_id=account)
        for number in range(6):
            program = await a_line(stores[0], f"L{number}", pace="100/s", limit_id=campaign if number % 2 else account)
            for _ in range(15):
                await stores[0].add_text(program, *numbers(4), segments=chance.choice((1, 1, 3)))
        members = [await store.join() for store in stores]
        claims = list[Claim]()
        now_us = NOW_US

        async def claim(rank: int) -> None:
            share = Share(rank, 2) if chance.random() < 0.8 else EVERY_SENDER
            at_us = now_us + chance.randint(-5_000, 5_000)
            claims.extend(await stores[rank].claim(members[rank], at_us=at_us, share=share))

        for _ in range(60):
            await asyncio.gather(claim(0), claim(1))
            now_us += 50_000

        assert len(claims) > 60
        assert len(set(ids(claims))) == len(claims)
        assert_within(claims, 80)
        assert_within([claim for claim in claims if int(claim.program_id[1:]) % 2], 50)
        for database in databases:
            await database.close()

    async def test_a_daily_cap_stops_its_senders_until_midnight(self, store: Store) -> None:
        limit_id = await add_limit(store, daily=5, zone="America/Chicago")
        lines = [await a_line(store, name, pace="10/s", limit_id=limit_id, count=6) for name in ("A", "B")]
        zone = ZoneInfo("America/Chicago")
        now = datetime.fromtimestamp(NOW_US / SECOND, zone)
        tomorrow = datetime.combine(now.date() + timedelta(days=1), time.min, zone)
        midnight_us = int(tomorrow.timestamp()) * SECOND
        me = await store.join()

        today = await claimed_on(store, me, until_us=NOW_US + 3 * SECOND)
        due_us = await store.queue.next_due_us()

        assert len(today) == 5
        assert due_us is not None
        assert midnight_us - Reservation().reach_us <= due_us < midnight_us
        assert await store.due.rouse(now_us=NOW_US + 3 * SECOND) == 0
        later = list[Claim]()
        for at_us in range(due_us, midnight_us + 2 * SECOND, 50_000):
            later += await store.claim(me, at_us=at_us)
        assert min(slots(later)) == midnight_us
        assert len(later) == 5
        assert {claim.sender.id for claim in today} == {line.sender.id for line in lines}


class TestPausing:
    async def test_nothing_is_claimed_from_a_sender_that_is_paused(self, store: Store) -> None:
        paused, other = await a_line(store, "A", count=1), await a_line(store, "B", count=1)
        await change(store, senders, paused.sender.id, paused_us=NOW_US)
        me = await store.join()

        assert [claim.sender.id for claim in await store.claim(me)] == [other.sender.id]
        assert await store.queue.next_due_us() is None

        await change(store, senders, paused.sender.id, paused_us=None)
        assert [claim.sender.id for claim in await store.claim(me)] == [paused.sender.id]

    async def test_nothing_is_claimed_of_a_program_that_is_paused(self, store: Store) -> None:
        paused, other = await store.add_program("city-hall", pace="10/s"), await store.add_program("library", pace=None)
        await store.add_text(paused, *numbers(3))
        await store.add_text(other, *numbers(3))
        await change(store, programs, paused.id, paused_us=NOW_US)

        claims = await store.claim(await store.join())

        assert [claim.program_id for claim in claims] == [other.id] * 3

    async def test_a_program_that_goes_on_is_claimed_from_again(self, store: Store) -> None:
        program = await store.add_program()
        await store.add_text(program)
        await change(store, programs, program.id, paused_us=NOW_US)
        me = await store.join()
        assert await store.claim(me) == []
        assert await store.queue.next_due_us() is None
        assert await store.due.rouse(now_us=NOW_US + SECOND) == 0

        await change(store, programs, program.id, paused_us=None)

        assert await store.due.rouse(now_us=NOW_US + SECOND) == 1
        assert len(await store.claim(me, at_us=NOW_US + SECOND)) == 1

    async def test_nothing_is_claimed_while_the_hub_is_paused(self, store: Store) -> None:
        await a_line(store, "A", count=1)
        await change(store, hub, 1, paused_us=NOW_US)
        me = await store.join()

        assert await store.claim(me, at_us=NOW_US + SECOND) == []
        assert await store.queue.next_due_us() is None

        await change(store, hub, 1, paused_us=None)
        assert await store.queue.next_due_us() == NOW_US
        assert len(await store.claim(me, at_us=NOW_US + SECOND)) == 1


class TestBars:
    async def test_a_sender_that_is_barred_is_left_alone_for_longer_every_time(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program, *numbers(9))
        retry = RetryPolicy()

        for times in (1, 2, 3):
            assert await store.queue.bar(program.sender.id, "no-credit", now_us=NOW_US) == times
            assert await store.queue.next_due_us() == NOW_US + retry.barred_for_us(times)

    async def test_one_text_is_tried_at_a_sender_that_is_barred(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program, *numbers(9))
        me = await store.join()
        await store.queue.bar(program.sender.id, "no-credit", now_us=NOW_US)
        over_us = NOW_US + RetryPolicy().barred_for_us(1)

        assert await store.claim(me, at_us=over_us - 1) == []
        [tried] = await store.claim(me, at_us=over_us)

        assert tried.sender.bar_reason == "no-credit"
        assert await store.claim(me, at_us=over_us + 14 * SECOND) == []
        assert len(await store.claim(me, at_us=over_us + 15 * SECOND)) == 1

    async def test_what_is_accepted_or_handed_back_meanwhile_does_not_end_a_bar(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program, *numbers(2))
        me = await store.join()
        claims = await store.claim(me)
        await store.queue.bar(program.sender.id, "no-credit", now_us=NOW_US)

        await store.queue.record([claim.delivery.held_back("no-credit", now_us=NOW_US) for claim in claims])
        await store.add_text(program)
        await store.due.rouse(now_us=NOW_US + SECOND)

        assert await store.claim(me, at_us=NOW_US + 2 * SECOND) == []
        assert (await store.queue.next_due_us()) == NOW_US + RetryPolicy().barred_for_us(1)

    async def test_a_sender_that_is_no_longer_barred_is_claimed_from_at_once(self, store: Store) -> None:
        program = await store.add_program(pace="10/s")
        await store.add_text(program, *numbers(5))
        me = await store.join()
        await store.queue.bar(program.sender.id, "no-credit", now_us=NOW_US)

        await store.queue.unbar(program.sender.id, now_us=NOW_US + SECOND)
        claims = await store.claim(me, at_us=NOW_US + SECOND)

        assert len(claims) == 5
        assert claims[0].sender.bar_reason is None
        assert await store.queue.bar(program.sender.id, "no-credit", now_us=NOW_US) == 1

    async def test_one_that_was_not_barred_is_not_unbarred(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        await store.add_text(program, *numbers(2))
        await store.claim(await store.join())
        due_us = await store.queue.next_due_us()

        await store.queue.unbar(program.sender.id, now_us=NOW_US)

        assert await store.queue.next_due_us() == due_us


async def test_a_sender_whose_provider_queues_gives_away_what_that_may_queue(store: Store) -> None:
    program = await store.add_program(pace="10/s")
    await change(store, senders, program.sender.id, backlog_us=10 * SECOND)
    await store.add_text(program, *numbers(200))
    me = await store.join()

    claims = await store.claim(me)

    assert {at_us - NOW_US for at_us in slots(claims)[:100]} == {0}
    assert 100 <= len(claims) <= 108
    assert claims[0].sender.backlog_us == 10 * SECOND


async def test_a_clock_that_was_set_back_does_not_keep_a_sender_from_being_roused(store: Store) -> None:
    program = await store.add_program()
    await store.add_text(program)
    await change(store, senders, program.sender.id, due_us=NOW_US + 365 * 86_400 * SECOND)

    assert await store.due.rouse(now_us=NOW_US) == 1

    assert len(await store.claim(await store.join())) == 1

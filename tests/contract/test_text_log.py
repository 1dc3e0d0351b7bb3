import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text as sql
from uuid_utils.compat import uuid7

import adapters.sql.database
import adapters.sql.text_log
from adapters.sql.database import Database, DatabaseFault
from domain.errors import StoreUnavailable
from domain.model.delivery import Delivery, DeliveryState
from domain.model.message_body import MessageBody
from domain.model.message_id import new_message_id
from domain.model.program import Program
from domain.model.text_message import NUMBERS_SHOWN, NewText
from domain.ports.text_log import TextFilter
from tests.builders import NOW_US, Store, a_delivery, a_number, a_text, an_opt_out, numbers
from tests.conftest import PostgresServer

BROADCAST = numbers(10_000)


async def ids_of(store: Store, program: Program, *, before: UUID | None = None, limit: int = 100) -> Sequence[UUID]:
    return [each.message.id for each in (await store.texts.page(program.id, before=before, limit=limit)).items]


async def rows_in(store: Store, table: str) -> int:
    async with store.database.reading() as connection:
        return int((await connection.execute(sql(f"SELECT count(*) FROM {table}"))).scalar_one())


async def test_a_text_is_found_as_it_was_added(store: Store) -> None:
    program = await store.add_program()
    added = a_text(program, a_number(1), a_number(2), client_date_sent="2026-11-02T09:00:00")

    await store.intake.add(added)
    found = await store.texts.find(program.id, added.message.id)

    assert found is not None
    assert found.message == added.message
    assert list(found.numbers) == [a_number(1), a_number(2)]
    assert found.counts == {DeliveryState.QUEUED: 2}


@pytest.mark.parametrize(
    "body", ["Ø€^", "日本語 \N{GRINNING FACE}", "  two\r\nlines\t ", "\\x00 %s :a '\"", "é" * 1_600]
)
async def test_a_body_comes_back_to_the_letter(store: Store, body: str) -> None:
    program = await store.add_program()
    added = a_text(program)
    message = type(added.message)(
        id=added.message.id,
        program_id=program.id,
        sender_id=program.sender.id,
        sender=program.sender.address,
        body=MessageBody(body),
        recipients=1,
        created_us=NOW_US,
    )

    await store.intake.add(NewText(message=message, deliveries=added.deliveries))
    found = await store.texts.find(program.id, message.id)

    assert found is not None
    assert found.message.body == MessageBody(body)


@pytest.mark.parametrize("written", ["", "yesterday", "2026-11-02 09:00", "\N{GRINNING FACE}", "x" * 10_000])
async def test_whatever_an_old_client_wrote_as_its_date_is_kept(store: Store, written: str) -> None:
    program = await store.add_program()
    added = a_text(program, client_date_sent=written)

    await store.intake.add(added)
    found = await store.texts.find(program.id, added.message.id)

    assert found is not None
    assert found.message.client_date_sent == written


async def test_counts_follow_the_deliveries(store: Store) -> None:
    program = await store.add_program(pace="50/s")
    message = await store.add_text(program, *numbers(5))
    first, second, *_ = await store.claim(await store.join())

    await store.queue.record([first.delivery.sent("a", now_us=NOW_US), second.delivery.refused("no", now_us=NOW_US)])
    found = await store.texts.find(program.id, message.id)

    assert found is not None
    assert found.counts == {DeliveryState.SENT: 1, DeliveryState.FAILED: 1, DeliveryState.SENDING: 3}
    assert found.state is DeliveryState.SENDING


async def test_a_summary_shows_the_first_numbers_alone(store: Store) -> None:
    program = await store.add_program()
    message = await store.add_text(program, *numbers(NUMBERS_SHOWN + 1))

    found = await store.texts.find(program.id, message.id)
    [listed] = (await store.texts.page(program.id, before=None, limit=10)).items

    assert found is not None
    assert list(found.numbers) == numbers(NUMBERS_SHOWN)
    assert found.counts == {DeliveryState.QUEUED: NUMBERS_SHOWN + 1}
    assert listed == found


async def test_a_delivery_that_was_blocked_from_the_start_stays_so(store: Store) -> None:
    program = await store.add_program()
    queued = a_text(program, a_number(1), a_number(2))
    blocked = queued.deliveries[1].blocked("opted-out", now_us=NOW_US)

    await store.intake.add(NewText(message=queued.message, deliveries=[queued.deliveries[0], blocked]))

    first, second = await store.deliveries(program, queued.message)
    assert (first.state, first.reason) == (DeliveryState.QUEUED, None)
    assert (second.state, second.reason) == (DeliveryState.BLOCKED, "opted-out")


async def test_an_unknown_text_is_not_found(store: Store) -> None:
    program = await store.add_program()
    await store.add_text(program)

    assert await store.texts.find(program.id, uuid7()) is None
    assert await store.texts.deliveries(program.id, uuid7(), after=0, limit=10) is None


async def test_a_program_sees_its_own_texts_alone(store: Store) -> None:
    mine, others = await store.add_program("city-hall"), await store.add_program("library")
    message = await store.add_text(mine, a_number(1))
    foreign = await store.add_text(others, a_number(2))

    assert await ids_of(store, mine) == [message.id]
    assert await ids_of(store, others) == [foreign.id]
    assert await store.texts.find(mine.id, foreign.id) is None
    assert await store.texts.deliveries(mine.id, foreign.id, after=0, limit=10) is None
    assert await store.texts.find("", message.id) is None


async def test_texts_are_listed_newest_first(store: Store) -> None:
    program = await store.add_program()
    added = [(await store.add_text(program)).id for _ in range(5)]

    assert await ids_of(store, program) == added[::-1]


async def test_a_program_without_texts_has_an_empty_log(store: Store) -> None:
    page = await store.texts.page((await store.add_program()).id, before=None, limit=10)

    assert list(page.items) == []
    assert page.end is None


async def test_pages_of_texts_join_up_while_new_ones_come_in(store: Store) -> None:
    program = await store.add_program()
    added = [(await store.add_text(program)).id for _ in range(7)]

    first = await store.texts.page(program.id, before=None, limit=3)
    await store.add_text(program)
    second = await store.texts.page(program.id, before=first.items[-1].message.id, limit=3)
    await store.add_text(program)
    third = await store.texts.page(program.id, before=second.items[-1].message.id, limit=3)

    assert [each.message.id for page in (first, second, third) for each in page.items] == added[::-1]
    assert (first.end is None, second.end is None, third.end is None) == (False, False, True)


async def test_a_page_that_ends_with_the_oldest_text_says_so(store: Store) -> None:
    program = await store.add_program()
    for _ in range(3):
        await store.add_text(program)

    page = await store.texts.page(program.id, before=None, limit=3)

    assert len(page.items) == 3
    assert page.end is None


async def test_the_texts_of_others_do_not_count_into_a_page(store: Store) -> None:
    mine, others = await store.add_program("city-hall"), await store.add_program("library")
    added = []
    for _ in range(3):
        added.append((await store.add_text(mine)).id)
        await store.add_text(others)

    page = await store.texts.page(mine.id, before=None, limit=3)

    assert [each.message.id for each in page.items] == added[::-1]
    assert page.end is None


async def test_deliveries_are_paged_in_the_order_of_the_request(store: Store) -> None:
    program = await store.add_program()
    wanted = [a_number(index) for index in (5, 1, 4, 2, 3)]
    message = await store.add_text(program, *wanted)
    seen, after, more = list[Delivery](), 0, True

    while more:
        page = await store.texts.deliveries(program.id, message.id, after=after, limit=2)
        assert page is not None
        seen += [each.delivery for each in page.items]
        after, more = page.end or 0, page.end is not None
        await store.add_text(program, *wanted)

    assert [delivery.number for delivery in seen] == wanted
    assert [delivery.position for delivery in seen] == [1, 2, 3, 4, 5]


async def test_pages_of_deliveries_stay_as_they_are_when_deliveries_move_on(store: Store) -> None:
    program = await store.add_program(pace="50/s")
    message = await store.add_text(program, *numbers(4))

    first = await store.texts.deliveries(program.id, message.id, after=0, limit=2)
    await store.queue.record([each.delivery.sent("a", now_us=NOW_US) for each in await store.claim(await store.join())])
    second = await store.texts.deliveries(program.id, message.id, after=2, limit=2)

    assert first is not None
    assert second is not None
    assert [each.delivery.number for page in (first, second) for each in page.items] == numbers(4)


async def test_a_page_after_the_last_delivery_is_empty(store: Store) -> None:
    program = await store.add_program()
    message = await store.add_text(program, *numbers(2))

    page = await store.texts.deliveries(program.id, message.id, after=2, limit=10)

    assert page is not None
    assert list(page.items) == []
    assert page.end is None


async def test_ten_thousand_deliveries_are_stored_in_their_order(store: Store) -> None:
    program = await store.add_program()
    message = await store.add_text(program, *BROADCAST)

    stored = await store.deliveries(program, message)

    assert [delivery.number for delivery in stored] == BROADCAST
    assert [delivery.id for delivery in stored] == sorted(delivery.id for delivery in stored)
    assert {delivery.state for delivery in stored} == {DeliveryState.QUEUED}


async def test_where_the_last_of_ten_thousand_cannot_be_stored_nothing_is(store: Store) -> None:
    program = await store.add_program()
    whole = a_text(program, *BROADCAST)
    last_at_a_place_that_is_taken = a_delivery(a_number(), position=1)

    with pytest.raises(DatabaseFault) as fault:
        await store.intake.add(
            NewText(message=whole.message, deliveries=[*whole.deliveries[:-1], last_at_a_place_that_is_taken])
        )

    assert fault.value.breaks_a_rule
    assert await store.texts.find(program.id, whole.message.id) is None
    assert await rows_in(store, "deliveries") == 0
    await store.intake.add(whole)
    assert await rows_in(store, "deliveries") == 10_000


async def test_a_caller_who_goes_away_leaves_all_or_nothing_and_no_lock(store: Store) -> None:
    program = await store.add_program()
    for steps in range(1, 100, 7):
        given_up = a_text(program, *numbers(500))
        adding = asyncio.create_task(store.intake.add(given_up))
        for _ in range(steps):
            await asyncio.sleep(0)
        adding.cancel()
        await asyncio.wait([adding])

        found = await store.texts.find(program.id, given_up.message.id)
        assert found is None or found.counts == {DeliveryState.QUEUED: 500}
        message = await store.add_text(program)
        assert await ids_of(store, program, limit=1) == [message.id]


# So that there is a middle to be cut in.
INSERT_SLOWLY = (
    "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(5); RETURN NULL; END'",
    "CREATE TRIGGER slow AFTER INSERT ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION slow()",
)


async def test_where_the_connection_is_cut_in_the_middle_nothing_is_stored(
    postgres_server: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The driver may notice a cut no sooner than its time for the statement is over.
    monkeypatch.setattr(adapters.sql.database, "_STATEMENT_TIMEOUT_S", 8)
    name = postgres_url.split("?", maxsplit=1)[0].rsplit("/", maxsplit=1)[1]
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        f"WHERE datname = '{name}' AND query LIKE '%WITH new_key%' AND state <> 'idle'"
    )
    database = Database(postgres_url)
    store = Store.on(database)
    program = await store.add_program()
    async with database.writing() as connection:
        for statement in INSERT_SLOWLY:
            await connection.execute(sql(statement))
    adding = asyncio.create_task(store.intake.add(a_text(program, *BROADCAST)))

    while await asyncio.to_thread(postgres_server.run, cut) == 0:
        assert not adding.done()
    with pytest.raises(StoreUnavailable):
        await adding

    assert await rows_in(store, "text_messages") == 0
    assert await rows_in(store, "deliveries") == 0
    await database.close()


class TestFilters:
    async def found(self, store: Store, program: Program, limit: int = 100, **wanted: Any) -> Sequence[UUID]:  # noqa: ANN401
        page = await store.texts.page(program.id, wanted=TextFilter(**wanted), before=None, limit=limit)
        assert page.end is None
        return [each.message.id for each in page.items]

    async def test_texts_are_found_by_what_became_of_them(self, store: Store) -> None:
        program = await store.add_program(pace="50/s")
        sending = await store.add_text(program, *numbers(2))
        await store.claim(await store.join())
        queued = await store.add_text(program)
        canceled = await store.add_text(program)
        await store.texts.cancel(program.id, canceled.id, now_us=NOW_US)

        assert await self.found(store, program, state=DeliveryState.SENDING) == [sending.id]
        assert await self.found(store, program, state=DeliveryState.QUEUED) == [queued.id]
        assert await self.found(store, program, state=DeliveryState.CANCELED) == [canceled.id]
        assert await self.found(store, program, state=DeliveryState.UNKNOWN) == []

    async def test_a_texts_state_is_that_of_its_least_advanced_delivery(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        message = await store.add_text(program, *numbers(2))
        [claim] = await store.claim(await store.join())
        await store.queue.record([claim.delivery.sent("a", now_us=NOW_US)])

        assert await self.found(store, program, state=DeliveryState.QUEUED) == [message.id]
        assert await self.found(store, program, state=DeliveryState.SENT) == []

    async def test_texts_are_found_by_any_of_their_numbers(self, store: Store) -> None:
        program, other = await store.add_program("city-hall"), await store.add_program("library")
        first = await store.add_text(program, a_number(1), a_number(2))
        second = await store.add_text(program, a_number(2))
        await store.add_text(other, a_number(2))

        assert await self.found(store, program, number=a_number(1)) == [first.id]
        assert await self.found(store, program, number=a_number(2)) == [second.id, first.id]
        assert await self.found(store, program, number=a_number(3)) == []

    async def test_texts_are_found_by_the_time_of_their_acceptance(self, store: Store) -> None:
        program = await store.add_program()
        times = [NOW_US, NOW_US + 1, NOW_US + 999, NOW_US + 1_000, NOW_US + 2_000_000]
        added = [a_text(program, message_id=new_message_id(at_us), at_us=at_us) for at_us in times]
        for text in added:
            await store.intake.add(text)
        ids = [text.message.id for text in added]

        assert await self.found(store, program, from_us=NOW_US + 1) == ids[:0:-1]
        assert await self.found(store, program, before_us=NOW_US + 1_000) == ids[2::-1]
        assert await self.found(store, program, from_us=NOW_US + 999, before_us=NOW_US + 1_001) == [ids[3], ids[2]]
        assert await self.found(store, program, from_us=NOW_US + 3_000_000) == []
        assert await self.found(store, program, from_us=NOW_US + 5, before_us=NOW_US) == []

    async def test_pages_of_a_state_join_up_while_others_come_in(self, store: Store) -> None:
        program = await store.add_program()
        canceled = []
        for turn in range(40):
            message = await store.add_text(program)
            if turn % 4 == 0:
                await store.texts.cancel(program.id, message.id, now_us=NOW_US)
                canceled.append(message.id)
        wanted = TextFilter(state=DeliveryState.CANCELED)
        seen: list[UUID] = []
        end: UUID | None = None

        for _ in range(20):
            page = await store.texts.page(program.id, wanted=wanted, before=end, limit=3)
            seen += [each.message.id for each in page.items]
            await store.add_text(program)
            end = page.end
            if end is None:
                break

        assert end is None
        assert seen == canceled[::-1]

    async def test_a_page_looks_no_further_than_it_may_and_says_where_to_go_on(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(adapters.sql.text_log, "_MOST_SCANNED", 10)
        monkeypatch.setattr(adapters.sql.text_log, "_SCANNED_AT_ONCE", 5)
        program = await store.add_program()
        oldest = await store.add_text(program)
        await store.texts.cancel(program.id, oldest.id, now_us=NOW_US)
        for _ in range(24):
            await store.add_text(program)
        pages, end = list[int](), None

        while not pages or end is not None:
            page = await store.texts.page(
                program.id, wanted=TextFilter(state=DeliveryState.CANCELED), before=end, limit=2
            )
            pages.append(len(page.items))
            end = page.end

        assert pages == [0, 0, 1]

    async def test_deliveries_in_a_state_are_listed_in_their_order(self, store: Store) -> None:
        program = await store.add_program(pace="3/s")
        message = await store.add_text(program, *numbers(6))
        claimed = await store.claim(await store.join())
        state = DeliveryState.QUEUED

        first = await store.texts.deliveries(program.id, message.id, state=state, after=0, limit=2)
        assert first is not None
        assert first.end is not None
        rest = await store.texts.deliveries(program.id, message.id, state=state, after=first.end, limit=10)

        assert rest is not None
        waiting = [each.delivery.position for each in (*first.items, *rest.items)]
        assert waiting == list(range(len(claimed) + 1, 7))
        assert rest.end is None


class TestCanceling:
    async def test_what_waits_ends_and_what_has_ended_stays(self, store: Store) -> None:
        program = await store.add_program()
        await store.opt_outs.record([an_opt_out(program.id, a_number(1))])
        text = a_text(program, a_number(1), a_number(2), send_at_us=NOW_US + 1_000)
        await store.intake.add(text)

        assert await store.texts.cancel(program.id, text.message.id, now_us=NOW_US + 1) == 1

        blocked, canceled = await store.deliveries(program, text.message)
        assert blocked.state is DeliveryState.BLOCKED
        assert (canceled.state, canceled.due_us, canceled.updated_us) == (DeliveryState.CANCELED, None, NOW_US + 1)
        assert await store.due.queue(now_us=NOW_US + 2_000) == 0

    async def test_canceling_again_changes_nothing(self, store: Store) -> None:
        program = await store.add_program()
        message = await store.add_text(program)
        await store.texts.cancel(program.id, message.id, now_us=NOW_US)
        before = await store.deliveries(program, message)

        assert await store.texts.cancel(program.id, message.id, now_us=NOW_US + 1) == 0
        assert await store.deliveries(program, message) == before

    async def test_nobody_cancels_what_is_not_theirs(self, store: Store) -> None:
        program = await store.add_program()
        message = await store.add_text(program)

        assert await store.texts.cancel("library", message.id, now_us=NOW_US) is None
        assert await store.texts.cancel(program.id, uuid7(), now_us=NOW_US) is None
        assert await store.states(program, message) == [DeliveryState.QUEUED]

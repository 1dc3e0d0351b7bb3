"""How texts become the hub's: together with others, once for each key, all or nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import text as sql

import adapters.sql.intake
from adapters.sql.database import Database, DatabaseFault
from domain.errors import HubBusy, IdempotencyKeyInUse, IdempotencyKeyReused
from domain.model.delivery import DeliveryState
from domain.model.idempotency import KEPT_US, IdempotencyKey
from domain.model.program import Program
from domain.model.text_message import AcceptedText, NewText
from tests.builders import NOW_US, Store, a_delivery, a_number, a_text, an_opt_out, numbers


def keyed(text: NewText, key: str = "one", fingerprint: bytes = b"what was asked") -> NewText:
    return replace(text, key=IdempotencyKey(key, fingerprint))


async def all_of(store: Store, *texts: NewText) -> Sequence[AcceptedText | BaseException]:
    """What becomes of texts that are added at the same time."""
    return await asyncio.gather(*map(store.intake.add, texts), return_exceptions=True)


async def messages_of(store: Store, program: Program) -> int:
    return len((await store.texts.page(program.id, before=None, limit=1_000)).items)


class TestTogether:
    async def test_texts_that_come_together_share_transactions(self, store: Store) -> None:
        commits: list[int] = []
        together = type(store.intake)(store.database, committed=commits.append)
        program = await store.add_program()
        texts = [a_text(program) for _ in range(100)]

        answers = await asyncio.gather(*map(together.add, texts))

        assert [answer.summary.message for answer in answers] == [text.message for text in texts]
        assert await messages_of(store, program) == sum(commits) == 100
        assert len(commits) <= 5

    async def test_deliveries_stand_in_line_as_their_texts_were_added(self, store: Store) -> None:
        program = await store.add_program(pace="1000/s")
        texts = [a_text(program, *numbers(3)) for _ in range(20)]

        await all_of(store, *texts)

        claims = await store.claim(await store.join())
        assert [claim.message_id for claim in claims] == [text.message.id for text in texts for _ in range(3)]
        assert [claim.delivery.position for claim in claims] == [1, 2, 3] * 20

    async def test_each_keeps_the_trace_that_it_is_part_of(self, store: Store) -> None:
        program = await store.add_program(pace="1000/s")
        texts = [a_text(program, trace_parent=parent) for parent in ("00-one-1-01", None, "00-two-2-00")]

        await all_of(store, *texts)

        found = [await store.texts.find(program.id, text.message.id) for text in texts]
        assert [each and each.message for each in found] == [text.message for text in texts]
        claims = await store.claim(await store.join())
        assert [claim.trace_parent for claim in claims] == ["00-one-1-01", None, "00-two-2-00"]

    async def test_one_that_cannot_be_stored_fails_alone(self, store: Store) -> None:
        program = await store.add_program()
        good = [a_text(program) for _ in range(10)]
        twice_at_a_place = a_text(program, *numbers(2))
        poisonous = replace(twice_at_a_place, deliveries=[a_delivery(a_number(1)), a_delivery(a_number(2))])

        answers = await all_of(store, *good[:5], poisonous, *good[5:])

        assert isinstance(answers[5], DatabaseFault)
        assert [type(answer) for answer in answers].count(AcceptedText) == 10
        assert await messages_of(store, program) == 10
        assert await store.texts.find(program.id, poisonous.message.id) is None

    async def test_what_is_too_much_is_turned_away_and_the_rest_is_stored(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(adapters.sql.intake, "_ROOM", 10)
        narrow = type(store.intake)(store.database)
        program = await store.add_program()

        answers = await asyncio.gather(*(narrow.add(a_text(program)) for _ in range(30)), return_exceptions=True)

        turned_away = [answer for answer in answers if isinstance(answer, HubBusy)]
        assert len(turned_away) == 20
        assert await messages_of(store, program) == 10
        await narrow.add(a_text(program))

    async def test_short_texts_are_stored_while_a_long_one_is(self, store: Store) -> None:
        program = await store.add_program()

        answers = await all_of(store, a_text(program, *numbers(3_000)), *(a_text(program) for _ in range(5)))

        assert [answer.summary.message.recipients for answer in answers if isinstance(answer, AcceptedText)] == [
            3_000,
            *[1] * 5,
        ]

    async def test_who_has_opted_out_is_blocked_from_the_start(self, store: Store) -> None:
        program, other = await store.add_program("city-hall"), await store.add_program("library")
        await store.opt_outs.record([an_opt_out(program.id, a_number(2))])
        texts = [a_text(program, a_number(1), a_number(2)), a_text(program, a_number(2)), a_text(other, a_number(2))]

        answers = await all_of(store, *(keyed(text, f"key-{place}") for place, text in enumerate(texts)))

        counts = [answer.summary.counts for answer in answers if isinstance(answer, AcceptedText)]
        queued, blocked = DeliveryState.QUEUED, DeliveryState.BLOCKED
        assert counts == [{queued: 1, blocked: 1}, {blocked: 1}, {queued: 1}]
        _, second = await store.deliveries(program, texts[0].message)
        assert (second.number, second.state, second.reason) == (a_number(2), blocked, "opted-out")

    async def test_a_text_for_later_wakes_nobody(self, store: Store) -> None:
        program = await store.add_program()

        await store.intake.add(a_text(program, send_at_us=NOW_US + 1_000))

        async with store.database.reading() as connection:
            assert (await connection.execute(sql("SELECT due_us FROM senders"))).scalar_one() is None


class TestKeys:
    async def test_a_text_with_a_key_that_was_used_is_the_earlier_one(self, store: Store) -> None:
        program = await store.add_program()
        first = keyed(a_text(program, a_number(1), a_number(2)))
        accepted = await store.intake.add(first)

        replayed = await store.intake.add(keyed(a_text(program, a_number(1), a_number(2))))

        assert replayed == replace(accepted, segments=0, replayed=True)
        assert await messages_of(store, program) == 1

    async def test_the_earlier_one_is_told_as_it_was_when_it_was_accepted(self, store: Store) -> None:
        program = await store.add_program(pace="50/s")
        text = replace(keyed(a_text(program, a_number(1), a_number(2))), refusals=[(3, "is too short")])
        accepted = await store.intake.add(text)
        await store.texts.cancel(program.id, text.message.id, now_us=NOW_US)

        replayed = await store.intake.add(keyed(a_text(program)))

        assert replayed.summary.counts == accepted.summary.counts == {DeliveryState.QUEUED: 2}
        assert [tuple(each) for each in replayed.refusals] == [(3, "is too short")]
        assert list(replayed.summary.numbers) == [a_number(1), a_number(2)]

    async def test_of_equal_keys_that_come_together_the_first_is_stored(self, store: Store) -> None:
        program = await store.add_program()
        texts = [keyed(a_text(program)) for _ in range(20)]

        answers = await all_of(store, *texts)

        stored = {answer.summary.message.id for answer in answers if isinstance(answer, AcceptedText)}
        assert stored == {texts[0].message.id}
        assert await messages_of(store, program) == 1

    async def test_a_key_stands_for_one_request_alone(self, store: Store) -> None:
        program = await store.add_program()

        answers = await all_of(store, keyed(a_text(program)), keyed(a_text(program), fingerprint=b"something else"))

        assert isinstance(answers[0], AcceptedText)
        assert isinstance(answers[1], IdempotencyKeyReused)
        with pytest.raises(IdempotencyKeyReused):
            await store.intake.add(keyed(a_text(program), fingerprint=b"something else"))
        with pytest.raises(IdempotencyKeyReused):
            await store.intake.answered(program.id, IdempotencyKey("one", b"something else"), now_us=NOW_US)
        assert await messages_of(store, program) == 1

    async def test_programs_have_their_own_keys(self, store: Store) -> None:
        mine, others = await store.add_program("city-hall"), await store.add_program("library")

        answers = await all_of(store, keyed(a_text(mine)), keyed(a_text(others)))

        assert not any(answer.replayed for answer in answers if isinstance(answer, AcceptedText))
        assert (await messages_of(store, mine), await messages_of(store, others)) == (1, 1)

    async def test_keys_of_any_kind_are_told_apart(self, store: Store) -> None:
        program = await store.add_program()
        keys = ["a", "A", "a-", "%", "_", "'", '"', "\\", "x" * 255, "{}", "a,b", "NULL"]

        answers = await all_of(store, *(keyed(a_text(program), key) for key in keys))

        assert [answer.replayed for answer in answers if isinstance(answer, AcceptedText)] == [False] * len(keys)

    async def test_a_key_is_free_again_after_a_day(self, store: Store) -> None:
        program = await store.add_program()
        first = keyed(a_text(program))
        await store.intake.add(first)
        just_before, later = (keyed(a_text(program, at_us=NOW_US + KEPT_US + past_us)) for past_us in (-1, 0))

        assert (await store.intake.add(just_before)).summary.message.id == first.message.id
        assert (await store.intake.add(later)).summary.message.id == later.message.id
        assert (await store.intake.add(keyed(a_text(program, at_us=NOW_US + KEPT_US)))).replayed

    async def test_what_was_stored_under_a_key_is_known_for_a_day(self, store: Store) -> None:
        program = await store.add_program()
        text = keyed(a_text(program))
        assert text.key is not None
        assert await store.intake.answered(program.id, text.key, now_us=NOW_US) is None
        accepted = await store.intake.add(text)

        answered = await store.intake.answered(program.id, text.key, now_us=NOW_US + KEPT_US - 1)

        assert answered == replace(accepted, segments=0, replayed=True)
        assert await store.intake.answered("library", text.key, now_us=NOW_US) is None
        assert await store.intake.answered(program.id, text.key, now_us=NOW_US + KEPT_US) is None

    async def test_old_keys_are_forgotten_and_their_texts_kept(self, store: Store) -> None:
        program = await store.add_program()
        await all_of(store, keyed(a_text(program), "old"), keyed(a_text(program, at_us=NOW_US + 1), "new"))

        assert await store.intake.forget_keys(now_us=NOW_US + KEPT_US) == 1
        assert await store.intake.forget_keys(now_us=NOW_US + KEPT_US) == 0

        assert await messages_of(store, program) == 2
        assert (await store.intake.add(keyed(a_text(program), "new"))).replayed

    async def test_a_key_of_a_text_that_could_not_be_stored_is_free(self, store: Store) -> None:
        program = await store.add_program()
        broken = replace(keyed(a_text(program)), deliveries=[a_delivery(), a_delivery()])
        with pytest.raises(DatabaseFault):
            await store.intake.add(broken)

        assert not (await store.intake.add(keyed(a_text(program)))).replayed


class TestKeysOfSeveralProcesses:
    @pytest.fixture
    async def stores(self, postgres_url: str) -> AsyncIterator[Sequence[Store]]:
        """Two processes' ways to one PostgreSQL."""
        databases = [Database(postgres_url), Database(postgres_url)]
        stores = [Store.on(database) for database in databases]
        yield stores
        for store in stores:
            await store.intake.drained()
            await store.database.close()

    async def test_one_of_them_stores_the_text_and_both_tell_the_same(self, stores: Sequence[Store]) -> None:
        program = await stores[0].add_program()
        for turn in range(20):
            keys = [f"{turn}-{place}" for place in range(10)]
            mine = [keyed(a_text(program), key) for key in keys]
            # In another order, so that each would wait for what the other has.
            others = [keyed(a_text(program), key) for key in reversed(keys)]

            answers = await asyncio.gather(
                *map(stores[0].intake.add, mine), *map(stores[1].intake.add, reversed(others))
            )

            ids = [answer.summary.message.id for answer in answers]
            assert ids[:10] == ids[10:]
            assert len(set(ids)) == 10
        assert await messages_of(stores[0], program) == 200

    async def test_requests_that_another_process_does_not_end_hold_up_no_other(
        self, stores: Sequence[Store], postgres_url: str
    ) -> None:
        store = stores[0]
        program = await store.add_program()
        await store.opt_outs.record([an_opt_out(program.id, a_number(2))])
        held = [f"held-{place}" for place in range(4)]
        async with another_transaction(postgres_url) as stuck:
            for key in held:
                await stuck.execute(HOLD_KEY, program.id, key, NOW_US)

            answers = await all_of(
                store,
                a_text(program),
                *(keyed(a_text(program), key) for key in held),
                # Stored in a second step, without the one who has opted out.
                keyed(a_text(program, a_number(1), a_number(2)), "free"),
                a_text(program, a_number(2)),
            )

        expected = [AcceptedText, *[IdempotencyKeyInUse] * 4, AcceptedText, AcceptedText]
        assert [type(answer) for answer in answers] == expected
        assert await messages_of(store, program) == 3
        for key in held:
            assert not (await store.intake.add(keyed(a_text(program), key))).replayed

    async def test_what_is_stored_is_told_although_a_later_step_finds_a_key_held(
        self, stores: Sequence[Store], postgres_url: str
    ) -> None:
        store = stores[0]
        program = await store.add_program()
        await store.opt_outs.record([an_opt_out(program.id, a_number(2))])
        async with another_transaction(postgres_url) as stuck:
            await stuck.execute(HOLD_KEY, program.id, "held", NOW_US)

            answers = await all_of(store, a_text(program), keyed(a_text(program, a_number(2)), "held"))

        assert [type(answer) for answer in answers] == [AcceptedText, IdempotencyKeyInUse]
        assert await messages_of(store, program) == 1

    async def test_a_key_that_is_taken_anew_while_old_ones_are_forgotten_stays(
        self, stores: Sequence[Store], postgres_url: str
    ) -> None:
        store = stores[0]
        program = await store.add_program()
        await store.intake.add(keyed(a_text(program)))
        later_us = NOW_US + KEPT_US
        async with another_transaction(postgres_url, commits=True) as other:
            await other.execute("UPDATE idempotency_keys SET created_us = $1", later_us)
            forgetting = asyncio.create_task(store.intake.forget_keys(now_us=later_us))
            await asyncio.sleep(0.2)

        assert await forgetting == 0
        assert (await store.intake.add(keyed(a_text(program, at_us=later_us)))).replayed

    async def test_a_sender_is_made_due_while_others_store_texts_of_it(
        self, stores: Sequence[Store], postgres_url: str
    ) -> None:
        store = stores[0]
        program = await store.add_program()
        async with another_transaction(postgres_url) as other:
            # What a foreign key holds of a sender as long as its text is being stored.
            await other.execute("SELECT id FROM senders FOR KEY SHARE")
            await store.intake.add(a_text(program))

        assert len(await store.claim(await store.join())) == 1


HOLD_KEY = "INSERT INTO idempotency_keys VALUES ($1, $2, '', gen_random_uuid(), '{}', '[]', $3)"


@asynccontextmanager
async def another_transaction(url: str, *, commits: bool = False) -> AsyncIterator[asyncpg.Connection]:
    """One of another process, that ends after the block."""
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield connection
    finally:
        await (transaction.commit() if commits else transaction.rollback())
        await connection.close()

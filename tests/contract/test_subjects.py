"""What the hub has of a phone number is found, and goes when it is to be forgotten; what is counted stays."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database
from adapters.sql.erasures import SqlErasures
from adapters.sql.tables import callbacks, deliveries, metadata, text_messages
from domain.errors import StoreUnavailable
from domain.model.access import KeyKind
from domain.model.budget import Budget
from domain.model.callback import Callback, CallbackKind
from domain.model.consent import Scope
from domain.model.delivery import DeliveryState
from domain.model.idempotency import IdempotencyKey
from domain.model.inbound_message import InboundText
from domain.model.message_id import new_message_id
from domain.model.pace import SECOND_US
from domain.model.phone_number import PhoneNumber
from domain.model.program import Program
from domain.model.program_key import KeyHash, KeyTerms
from domain.model.receipt import Receipt
from domain.model.sender import SenderAddress
from domain.model.subject import ERASED_TEXT, Erasure, RecordKind, SubjectRecord
from domain.model.text_message import NewText, TextMessage
from domain.model.usage import DayOfUse
from domain.model.webhook import WANTED, Webhook
from domain.model.webhook_secret import WebhookSecret
from tests.builders import NOW_US, SENDER, Store, a_number, a_text, an_opt_in, an_opt_out

MINUTE_US = 60 * SECOND_US
DAY_US = 24 * 60 * MINUTE_US
SOON = NOW_US + SECOND_US
DONE_BY = SOON + 2 * MINUTE_US
# Canada's, which is told from the United States by its area code alone.
NUMBER = PhoneNumber("+16135550100")
OTHER = a_number(1)
KEY = IdempotencyKey("a-key", b"f" * 32)


def a_text_of(program: Program, *to: PhoneNumber, at_us: int = NOW_US, **options: Any) -> NewText:  # noqa: ANN401
    return a_text(program, *to, message_id=new_message_id(at_us), at_us=at_us, **options)


async def add(store: Store, program: Program, *to: PhoneNumber, at_us: int = NOW_US, **options: Any) -> TextMessage:  # noqa: ANN401
    text = a_text_of(program, *to, at_us=at_us, **options)
    await store.intake.add(text)
    return text.message


async def move(store: Store, state: DeliveryState, *, at_us: int = NOW_US) -> None:
    """All deliveries."""
    values = {"state": state.value, "due_us": None, "updated_us": at_us, "provider_reference": "SM1", "attempt": 1}
    async with store.database.writing() as connection:
        await connection.execute(update(deliveries).values(values))


async def erase(
    store: Store, number: PhoneNumber = NUMBER, *, keep_opt_outs: bool = True, at_us: int = SOON
) -> Erasure | None:
    await store.erasures.ask(number, keep_opt_outs=keep_opt_outs, now_us=at_us)
    return await store.erasures.carry_out(number, now_us=at_us, everywhere=True)


async def finish(store: Store, *, at_us: int = DONE_BY) -> None:
    for number in await store.erasures.asked_for():
        await store.erasures.carry_out(number, now_us=at_us, everywhere=False)


async def records(store: Store, number: PhoneNumber = NUMBER, *, limit: int = 100) -> Sequence[SubjectRecord]:
    found: list[SubjectRecord] = []
    end: tuple[int, int] | None = (0, 0)
    while end is not None:
        page = await store.subjects.page(number, after=end, limit=limit)
        assert len(page.items) <= limit
        found += page.items
        end = page.end
    return found


async def where_it_stands(store: Store, number: PhoneNumber = NUMBER) -> set[str]:
    """The tables that have the number in any column."""
    async with store.database.reading() as connection:
        rows = {table.name: (await connection.execute(select(table))).all() for table in metadata.sorted_tables}
    return {name for name, found in rows.items() if number.e164[1:] in str(found)}


async def usage(store: Store, program: Program) -> Sequence[DayOfUse]:
    return await store.usage.days(program.id, first=date(2030, 3, 17), last=date(2030, 3, 18), zone="UTC")


def read(callback: Callback) -> InboundText | None:
    return InboundText(
        addresses=[SENDER.value],
        number=f"+{callback.fields['msisdn']}",
        text=str(callback.fields["text"]),
        reference=callback.key,
    )


async def texts_back(store: Store, text: str, number: PhoneNumber = NUMBER, *, at_us: int = NOW_US) -> None:
    callback = Callback(
        source="post",
        kind=CallbackKind.INBOUND,
        account_id=1,
        key=text,
        received_us=at_us,
        fields={"msisdn": number.e164[1:], "text": text},
    )
    await store.callbacks.add(callback)


async def take_in(store: Store) -> None:
    await store.inbound.take_in(read, scope=Scope.PROGRAM, now=lambda: NOW_US, limit=100)


async def is_told(store: Store, message: TextMessage, state: DeliveryState, *, at_us: int = NOW_US) -> None:
    """By the provider, of the text to the number."""
    callback = Callback(
        source="post",
        kind=CallbackKind.RECEIPT,
        account_id=1,
        key=f"{message.id} {state.value}",
        received_us=at_us,
        fields={"To": NUMBER.e164, "MessageStatus": state.value},
    )
    await store.callbacks.add(callback)
    async with store.database.reading() as connection:
        its = select(deliveries.c.id).where(deliveries.c.message_id == message.id, deliveries.c.number == NUMBER.e164)
        delivery_id = (await connection.execute(its)).scalar_one()
    receipt = Receipt(state=state, reference="SM1", digits=NUMBER.e164[1:], delivery_id=delivery_id)
    await store.callbacks.work_off(lambda _callback: receipt, now_us=at_us, limit=10)


async def listens(store: Store, program: Program) -> None:
    webhook = Webhook(
        id=new_message_id(NOW_US),
        program_id=program.id,
        url="https://office.example/hooks",
        description=None,
        events=tuple(WANTED),
        created_us=NOW_US,
    )
    await store.webhooks.add(webhook, WebhookSecret.new())


async def a_life(store: Store) -> tuple[Program, Program]:
    """Of two programs' texts to the number, one of them to another as well, all through; and all that comes with it."""
    program = await store.add_program()
    other = await store.add_program("library", sender=SenderAddress("+19705550177"))
    await listens(store, program)
    terms = KeyTerms(kind=KeyKind.TEAM, numbers=frozenset({NUMBER}))
    await store.keys.add(program.id, KeyHash(b"t" * 32), terms, hint="smshub_team_", now_us=NOW_US)
    alone = await add(store, program, NUMBER, key=KEY, duplicate_window_us=DAY_US, segments=2)
    await add(store, program, OTHER, NUMBER, at_us=NOW_US + 1_000)
    await add(store, other, NUMBER, at_us=NOW_US + 2_000)
    await move(store, DeliveryState.SENT)
    await is_told(store, alone, DeliveryState.DELIVERED)
    await move(store, DeliveryState.DELIVERED)
    await store.opt_outs.record([an_opt_out(other.id, NUMBER), an_opt_in(other.id, NUMBER)])
    await texts_back(store, "Thank you")
    await texts_back(store, "Thanks", OTHER)
    await texts_back(store, "STOP")
    await take_in(store)
    await store.opt_outs.record([an_opt_out(None, NUMBER, sender_id=2)])
    return program, other


async def answered(store: Store) -> None:
    """The hub's own answers to keywords."""
    for each in await store.inbound.due_replies(now_us=NOW_US, limit=10):
        await store.inbound.replied(each.inbound_id, sent=False)


# Searching


async def test_everything_that_the_hub_has_of_a_number_is_found(store: Store) -> None:
    await a_life(store)
    await store.erasures.ask(NUMBER, keep_opt_outs=True, now_us=NOW_US - DAY_US)

    found = await records(store)

    assert {each.kind for each in found} == set(RecordKind)
    texts = [each for each in found if each.kind is RecordKind.TEXT]
    assert [each.program_id for each in texts] == ["city-hall", "city-hall", "library"]
    assert [each.details["Status"] for each in texts] == ["delivered"] * 3
    inbound = [each.details["Message"] for each in found if each.kind is RecordKind.INBOUND]
    assert inbound == ["Thank you", "STOP"]
    assert [each.id for each in found if each.kind is RecordKind.OPT_OUT] == ["program city-hall", "sender 2"]
    assert len({(each.kind, each.id) for each in found}) == len(found)


async def test_pages_of_any_size_have_the_same_records_once(store: Store) -> None:
    await a_life(store)
    whole = await records(store)

    for limit in (1, 2, 7):
        assert await records(store, limit=limit) == whole


async def test_of_another_s_number_nothing_is_found(store: Store) -> None:
    await a_life(store)

    assert await records(store, a_number(7)) == []
    # The digits of one stand in the other.
    assert await records(store, PhoneNumber(NUMBER.e164[:-1])) == []


# Erasing


@pytest.mark.parametrize("keep_opt_outs", [True, False])
async def test_what_is_through_is_forgotten_in_every_table(store: Store, *, keep_opt_outs: bool) -> None:
    await a_life(store)
    await answered(store)
    tables_before = await where_it_stands(store)

    erasure = await erase(store, keep_opt_outs=keep_opt_outs)
    await finish(store)

    assert erasure is not None
    assert erasure.remaining == 0
    expected = {"Texts": 3, "Bodies": 2, "IdempotencyKeys": 1, "InboundMessages": 2, "Callbacks": 3}
    assert {name: erasure.erased[name] for name in expected} == expected
    # Whom a team's key may text is what operators have set.
    kept = {"program_keys"} | ({"opt_outs", "sender_opt_outs", "consent_events"} if keep_opt_outs else set())
    assert await where_it_stands(store) == kept
    assert tables_before >= kept | {"deliveries", "inbound_messages", "callbacks", "webhook_events", "recent_texts"}


async def test_nothing_that_is_counted_changes(store: Store) -> None:
    programs = await a_life(store)
    before = [await usage(store, program) for program in programs]
    counts = [(await store.texts.page(each.id, before=None, limit=10)).items for each in programs]
    assert before[0][0].by_country == {"CA": 3, "US": 1}

    await erase(store)

    assert [await usage(store, program) for program in programs] == before
    after = [(await store.texts.page(each.id, before=None, limit=10)).items for each in programs]
    assert [[text.counts for text in page] for page in after] == [[text.counts for text in page] for page in counts]
    await store.retention.forget(now_us=NOW_US + 30 * DAY_US, kept_us=DAY_US)
    assert [await usage(store, program) for program in programs] == before


async def test_a_text_to_others_keeps_its_words(store: Store) -> None:
    program, _ = await a_life(store)

    await erase(store)

    to_both, alone = (await store.texts.page(program.id, before=None, limit=10)).items
    assert (to_both.message.body.text, alone.message.body.text) == ("Hello", ERASED_TEXT)
    assert to_both.numbers == [OTHER, NUMBER.erased]
    assert len(await records(store, OTHER)) > 1


async def test_what_waits_is_cancelled_first_and_costs_nothing(store: Store) -> None:
    program = await store.add_program()
    await listens(store, program)
    budget = Budget("2030-03-17", 10, NOW_US + DAY_US)
    message = await add(store, program, OTHER, NUMBER, budgets=(budget,))
    later = await add(store, program, NUMBER, send_at_us=NOW_US + DAY_US, budgets=(budget,))

    erasure = await erase(store)

    assert erasure is not None
    assert (erasure.erased["Canceled"], erasure.erased["Texts"], erasure.remaining) == (2, 2, 0)
    assert await store.states(program, message) == [DeliveryState.QUEUED, DeliveryState.CANCELED]
    assert await store.states(program, later) == [DeliveryState.CANCELED]
    assert await used(store) == 1
    (claim,) = await store.claim(await store.join())
    assert claim.delivery.number == OTHER
    assert await where_it_stands(store) == {"erasures"}


async def used(store: Store) -> int:
    table = metadata.tables["budget_uses"]
    async with store.database.reading() as connection:
        return int((await connection.execute(select(table.c.used))).scalar_one())


async def test_what_the_provider_has_is_forgotten_once_it_is_through(store: Store) -> None:
    program = await store.add_program()
    message = await add(store, program, NUMBER)
    (claim,) = await store.claim(await store.join())

    erasure = await erase(store)
    assert erasure is not None
    assert erasure.remaining == 1
    await store.queue.record([claim.delivery.sent("SM1", now_us=SOON)])
    await finish(store)
    assert await store.erasures.asked_for() == [NUMBER]
    await is_told(store, message, DeliveryState.DELIVERED, at_us=SOON + MINUTE_US)
    assert await store.states(program, message) == [DeliveryState.DELIVERED]
    await finish(store)

    assert await store.erasures.asked_for() == []
    assert await where_it_stands(store) == set()


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.UNKNOWN])
async def test_a_text_of_which_nothing_more_is_heard_is_through_after_three_days(
    store: Store, state: DeliveryState
) -> None:
    await add(store, await store.add_program(), NUMBER)
    await move(store, state)
    await erase(store)

    await finish(store, at_us=NOW_US + 3 * DAY_US - SECOND_US)
    assert "deliveries" in await where_it_stands(store)
    await finish(store, at_us=NOW_US + 3 * DAY_US + SECOND_US)

    assert await where_it_stands(store) == set()


async def test_what_is_not_worked_off_is_worked_off_first(store: Store) -> None:
    program = await store.add_program()
    await add(store, program, NUMBER)
    await move(store, DeliveryState.DELIVERED)
    await texts_back(store, "STOP")

    erasure = await erase(store)
    await take_in(store)
    await answered(store)
    await finish(store)

    assert erasure is not None
    assert erasure.remaining == 1
    assert await store.opt_outs.among(program.id, [NUMBER], sender_id=program.sender.id) == {NUMBER}
    assert await where_it_stands(store) == {"opt_outs", "consent_events"}


async def test_opt_outs_go_on_holding_with_their_proof(store: Store) -> None:
    program, other = await a_life(store)
    await erase(store)
    await finish(store)

    (found,) = (await store.opt_outs.page(program.id, number=NUMBER, after=None, limit=10)).items
    assert found.wording == "STOP"
    assert await store.opt_outs.among(other.id, [NUMBER], sender_id=2) == {NUMBER}
    # What was lifted needs no proof any more.
    assert len((await store.opt_outs.events(NUMBER, limit=10)).items) == 2


async def test_without_its_opt_outs_a_number_may_be_texted_again(store: Store) -> None:
    program, _ = await a_life(store)

    # Once without is enough, whatever is asked for then.
    await store.erasures.ask(NUMBER, keep_opt_outs=False, now_us=SOON)
    await erase(store)

    assert await store.opt_outs.among(program.id, [NUMBER], sender_id=program.sender.id) == frozenset()


async def test_what_comes_afterwards_is_new(store: Store) -> None:
    program, _ = await a_life(store)
    await erase(store)

    message = await add(store, program, NUMBER, at_us=SOON + MINUTE_US)
    await finish(store)

    assert (await store.deliveries(program, message))[0].number == NUMBER
    assert [each.kind for each in await records(store) if each.at_us > SOON] == [RecordKind.TEXT]


async def test_a_request_that_is_repeated_is_answered_as_before_where_others_would_get_it_twice(store: Store) -> None:
    program = await store.add_program()
    message = await add(store, program, OTHER, NUMBER, key=KEY)
    await move(store, DeliveryState.DELIVERED)

    await erase(store)
    again = await store.intake.add(a_text_of(program, OTHER, NUMBER, key=KEY))

    assert again.replayed
    assert again.summary.message.id == message.id


async def test_programs_are_still_told_what_they_were_to_be_told(store: Store) -> None:
    await a_life(store)

    await erase(store)
    calls = await store.webhook_outbox.take(now_us=DONE_BY, under_way={}, most=100)

    assert calls
    assert NUMBER.e164 not in str([(call.data, call.subject) for call in calls])
    about = {call.data["PhoneNumber"] for call in calls}
    assert about <= {NUMBER.erased.e164, OTHER.e164}
    assert {call.data.get("Message", ERASED_TEXT) for call in calls if call.data["PhoneNumber"] != OTHER.e164} == {
        ERASED_TEXT
    }


async def test_a_call_that_was_forgotten_is_not_taken_for_a_new_one(store: Store) -> None:
    program, _ = await a_life(store)
    await answered(store)
    await erase(store)

    await texts_back(store, "Thank you")
    await take_in(store)

    assert [each.text for each in (await store.inbound.page(program.id, before=None, limit=10)).items] == ["Thanks"]


async def test_the_record_tells_of_it_without_the_number(store: Store) -> None:
    await a_life(store)
    await answered(store)
    await erase(store)
    await finish(store)

    events = (await store.audit_log.page(before=None, limit=2)).items
    assert [each.action for each in events] == ["subject.erased", "subject.erasing"]
    assert events[0].changes["Texts"] == (None, 3)
    assert NUMBER.e164[1:] not in str(events)


class _BreaksOff(Database):
    """After so many transactions, as a process that is killed."""

    left = 0

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        async with super().writing() as connection:
            yield connection
            if not self.left:
                raise StoreUnavailable
        self.left -= 1


async def test_broken_off_anywhere_it_is_finished_by_whoever_comes_next(store: Store, database_url: str) -> None:
    await a_life(store)
    await answered(store)
    database = _BreaksOff(database_url)
    erasures = SqlErasures(database)
    await store.erasures.ask(NUMBER, keep_opt_outs=True, now_us=SOON)
    broken_off = 0

    try:
        while await store.erasures.asked_for():
            database.left = 1
            try:
                await erasures.carry_out(NUMBER, now_us=DONE_BY, everywhere=False)
            except StoreUnavailable:
                broken_off += 1
            assert broken_off < 20
            await store.erasures.carry_out(NUMBER, now_us=DONE_BY, everywhere=False)
    finally:
        await database.close()

    assert broken_off
    assert await where_it_stands(store) == {"program_keys", "opt_outs", "sender_opt_outs", "consent_events"}
    erased = (await store.audit_log.page(before=None, limit=1)).items[0].changes
    assert {name: erased[name][1] for name in ("Texts", "Bodies", "InboundMessages", "Callbacks")} == {
        "Texts": 3,
        "Bodies": 2,
        "InboundMessages": 2,
        "Callbacks": 3,
    }


async def test_callbacks_of_others_stay(store: Store) -> None:
    await a_life(store)

    await erase(store)

    async with store.database.reading() as connection:
        left: list[Mapping[str, Any]] = [
            json.loads(fields) for fields in (await connection.execute(select(callbacks.c.fields))).scalars()
        ]
        bodies = set((await connection.execute(select(text_messages.c.body))).scalars())
    assert [each for each in left if each] == [{"msisdn": OTHER.e164[1:], "text": "Thanks"}]
    assert "Hello" in bodies

"""Programs are told of what happens, by the transaction in which it does."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from adapters.sql.opt_outs import record
from adapters.sql.outbox import tell_of_deliveries
from adapters.sql.tables import deliveries, webhook_calls, webhook_events
from domain.errors import EventNotFound, TooManyWebhooks, WebhookNotFound
from domain.model.callback import Callback, CallbackKind
from domain.model.consent import Scope
from domain.model.delivery import DeliveryState
from domain.model.inbound_message import InboundText
from domain.model.message_id import new_message_id
from domain.model.pace import SECOND_US
from domain.model.program import Program
from domain.model.receipt import Receipt
from domain.model.webhook import WANTED, Call, Disabled, EventType, Webhook
from domain.model.webhook_retry import Answer, Health
from domain.model.webhook_secret import WebhookSecret
from domain.ports.delivery_queue import Claim
from tests.builders import NOW_US, SENDER, Store, a_number, a_text, an_opt_in, an_opt_out

OK = Answer(took_us=1_000, status=204)
BAD = Answer(took_us=1_000, status=500)
LATER = NOW_US + SECOND_US
EVERY_EVENT = tuple(WANTED)


async def listens(
    store: Store, program: Program, *events: EventType, secret: WebhookSecret | None = None, at_us: int = NOW_US
) -> Webhook:
    webhook = Webhook(
        id=new_message_id(at_us),
        program_id=program.id,
        url="https://office.example/hooks",
        description=None,
        events=events or EVERY_EVENT,
        created_us=at_us,
    )
    await store.webhooks.add(webhook, secret or WebhookSecret.new())
    return webhook


async def due(store: Store, *, at_us: int = LATER, most: int = 100) -> Sequence[Call]:
    return await store.webhook_outbox.take(now_us=at_us, under_way={}, most=most)


async def all_told(store: Store, *, at_us: int = LATER) -> Sequence[Call]:
    """Whatever is due, and accepted at once."""
    told: list[Call] = []
    while calls := await due(store, at_us=at_us):
        for call in calls:
            await store.webhook_outbox.accepted(call, OK, now_us=at_us)
        told += calls
    return told


async def a_claim(store: Store, program: Program, index: int = 0) -> Claim:
    await store.add_text(program, a_number(index))
    (claim,) = await store.claim(await store.join())
    return claim


async def stored(store: Store) -> int:
    async with store.database.reading() as connection:
        return len((await connection.execute(select(webhook_events.c.id))).all())


# What is told


async def test_a_program_is_told_of_what_becomes_of_its_texts_in_order(store: Store) -> None:
    program = await store.add_program()
    webhook = await listens(store, program)
    claim = await a_claim(store, program)
    sent = claim.delivery.sent("SM1", now_us=NOW_US)
    await store.queue.record([sent])
    await receipt(store, claim, DeliveryState.DELIVERED)

    first, second = await all_told(store)

    assert [first.type, second.type] == [EventType.SENT, EventType.DELIVERED]
    assert first.sequence < second.sequence
    assert first.event_id != second.event_id
    assert (first.webhook_id, first.url, first.program_id) == (webhook.id, webhook.url, program.id)
    assert first.data == {
        "MessageId": str(claim.message_id),
        "Position": 1,
        "PhoneNumber": a_number().e164,
        "Sender": SENDER.value,
        "Status": "sent",
        "Reason": None,
        "Attempts": 1,
        "Resends": 0,
        "Segments": 1,
        "ProviderReference": "SM1",
        "UpdatedAt": "2030-03-17T17:46:40.000Z",
    }


async def receipt(store: Store, claim: Claim, state: DeliveryState) -> None:
    callback = Callback(
        source="post",
        kind=CallbackKind.RECEIPT,
        account_id=claim.sender.account_id,
        key=f"{claim.delivery.id} {state.value}",
        received_us=NOW_US,
        fields={},
    )
    await store.callbacks.add(callback)
    told = Receipt(
        delivery_id=claim.delivery.id, digits=claim.delivery.number.e164[1:], reference="SM1", state=state, reason=None
    )
    await store.callbacks.work_off(lambda _: told, now_us=LATER, limit=10)


@pytest.mark.parametrize("how", ["refused", "unknown", "expired", "canceled", "opted out", "expired in line"])
async def test_it_is_told_however_a_text_ends(store: Store, how: str) -> None:
    program = await store.add_program()
    await listens(store, program)
    expires_us = NOW_US + 10 if "expired" in how else None
    text = a_text(program, expires_us=expires_us)
    await store.intake.add(text)
    status, reason = await ends(store, program, text.message.id, how)

    told = [each for each in await all_told(store) if each.type is not EventType.OPT_OUT_CHANGED]

    assert [(each.data["Status"], each.data["Reason"]) for each in told] == [(status, reason)]
    assert told[0].type is (EventType.UNKNOWN if how == "unknown" else EventType.FAILED)


async def ends(store: Store, program: Program, message_id: UUID, how: str) -> tuple[str, str | None]:
    match how:
        case "expired":
            await store.due.expire(now_us=NOW_US + 10)
            return "expired", "not-sent-in-time"
        case "expired in line":
            await store.claim(await store.join(), at_us=NOW_US + 10)
            return "expired", "not-sent-in-time"
        case "canceled":
            await store.texts.cancel(program.id, message_id, now_us=NOW_US)
            return "canceled", None
        case "opted out":
            await store.opt_outs.record([an_opt_out(program.id, a_number())])
            await store.claim(await store.join())
            return "blocked", "opted-out"
    (claim,) = await store.claim(await store.join())
    if how == "refused":
        await store.queue.record([claim.delivery.refused("landline", now_us=NOW_US)])
        return "failed", "landline"
    await store.queue.record([claim.delivery.lost_sight_of("timeout", now_us=NOW_US, ask_after_us=None)])
    return "unknown", "timeout"


async def test_what_is_only_on_its_way_is_not_told(store: Store) -> None:
    program = await store.add_program()
    await listens(store, program)
    claim = await a_claim(store, program)

    await store.queue.record([claim.delivery.retried("busy", now_us=NOW_US, after_us=SECOND_US)])

    assert await all_told(store) == []


async def test_what_is_recorded_twice_is_told_once(store: Store) -> None:
    program = await store.add_program()
    await listens(store, program)
    sent = (await a_claim(store, program)).delivery.sent("SM1", now_us=NOW_US)

    await store.queue.record([sent])
    await store.queue.record([sent])
    await store.queue.record([replace(sent, state=DeliveryState.UNKNOWN, reason="late")])

    assert [each.type for each in await all_told(store)] == [EventType.SENT]


async def test_a_program_is_told_of_what_people_text_back_and_of_opt_outs(store: Store) -> None:
    program = await store.add_program()
    await listens(store, program)
    await store.add_text(program, a_number())
    text = InboundText(addresses=[SENDER.value], number=a_number().e164, text="STOP")
    await store.callbacks.add(
        Callback(source="post", kind=CallbackKind.INBOUND, account_id=1, key="in", received_us=NOW_US, fields={})
    )

    await store.inbound.take_in(lambda _: text, scope=Scope.PROGRAM, now=lambda: NOW_US, limit=10)

    changed, received = await all_told(store)
    assert (changed.type, changed.data["Consent"], changed.data["Wording"]) == (
        EventType.OPT_OUT_CHANGED,
        "opt-out",
        "STOP",
    )
    assert (received.type, received.data["Message"], received.data["Keyword"]) == (
        EventType.RECEIVED,
        "STOP",
        "opt-out",
    )


async def test_an_opt_out_from_a_sender_is_told_to_all_who_use_it_and_from_everything_to_everybody(
    store: Store,
) -> None:
    programs = [await store.add_program("one"), await store.add_program("two")]
    other = await store.add_program("three", sender=replace(SENDER, value="+19705550199"))
    for program in (*programs, other):
        await listens(store, program)

    await store.opt_outs.record([an_opt_out(None, a_number(), sender_id=programs[0].sender.id)])
    of_sender = {each.program_id for each in await all_told(store)}
    await store.opt_outs.record([an_opt_in(None, a_number())])
    of_all = {each.program_id for each in await all_told(store)}

    assert of_sender == {"one", "two"}
    assert of_all == {"one", "two", "three"}


async def test_each_endpoint_is_told_what_it_wants(store: Store) -> None:
    program, other = await store.add_program(), await store.add_program("other")
    picky = await listens(store, program, EventType.FAILED)
    both = await listens(store, program, EventType.SENT, EventType.FAILED)
    await listens(store, other)
    await store.queue.record([(await a_claim(store, program)).delivery.sent("SM1", now_us=NOW_US)])
    after = await a_claim_later(store, program)
    await store.queue.record([after.delivery.refused("landline", now_us=NOW_US)])

    told = await all_told(store)

    assert sorted((each.webhook_id == picky.id, each.type.value) for each in told) == [
        (False, "message.failed"),
        (False, "message.sent"),
        (True, "message.failed"),
    ]
    failed = [each for each in told if each.type is EventType.FAILED]
    assert {each.webhook_id for each in failed} == {picky.id, both.id}
    assert len({each.event_id for each in failed}) == 1


async def a_claim_later(store: Store, program: Program) -> Claim:
    await store.add_text(program, a_number(1))
    (claim,) = await store.claim(await store.join(), at_us=NOW_US + 5 * SECOND_US)
    return claim


async def test_nothing_is_kept_for_whom_nobody_listens(store: Store) -> None:
    silent, other = await store.add_program(), await store.add_program("other")
    webhook = await listens(store, other)
    await store.queue.record([(await a_claim(store, silent)).delivery.sent("SM1", now_us=NOW_US)])
    await store.webhooks.disable(webhook.id, Disabled.GONE)
    await store.opt_outs.record([an_opt_out("other", a_number())])

    assert await stored(store) == 0


async def test_what_is_rolled_back_is_not_told(store: Store) -> None:
    program = await store.add_program()
    await listens(store, program)
    claim = await a_claim(store, program)
    with suppress(ZeroDivisionError):
        async with store.database.writing() as connection:
            its = update(deliveries).where(deliveries.c.id == claim.delivery.id)
            await connection.execute(its.values(state="sent"))
            await tell_of_deliveries(store.database, connection, [claim.delivery.id])
            await record(store.database, connection, [an_opt_out(program.id, a_number())])
            assert len((await connection.execute(select(webhook_calls.c.id))).all()) == 2
            _ = 1 / 0

    assert await stored(store) == 0
    assert await all_told(store) == []


# Who is called when


async def test_a_later_event_of_a_text_waits_for_the_one_before(store: Store) -> None:
    program = await store.add_program()
    await listens(store, program)
    claim = await a_claim(store, program)
    await store.queue.record([claim.delivery.sent("SM1", now_us=NOW_US)])
    await receipt(store, claim, DeliveryState.DELIVERED)

    (first,) = await due(store)
    assert await due(store) == []
    await store.webhook_outbox.failed(first, BAD, now_us=LATER, again_us=LATER + 10)
    assert await due(store, at_us=LATER + 9) == []
    (again,) = await due(store, at_us=LATER + 10)
    await store.webhook_outbox.failed(again, BAD, now_us=LATER + 10, again_us=None)
    (second,) = await due(store, at_us=LATER + 10)

    assert (again.event_id, again.failures) == (first.event_id, 1)
    assert second.type is EventType.DELIVERED


async def test_what_comes_while_one_waits_to_be_tried_again_waits_with_it(store: Store) -> None:
    program = await store.add_program()
    await listens(store, program)
    claim = await a_claim(store, program)
    await store.queue.record([claim.delivery.sent("SM1", now_us=NOW_US)])
    (first,) = await due(store)
    await store.webhook_outbox.failed(first, BAD, now_us=LATER, again_us=LATER + 1_000)
    await receipt(store, claim, DeliveryState.DELIVERED)

    async with store.database.reading() as connection:
        times = set((await connection.execute(select(webhook_calls.c.due_us))).scalars())

    assert times == {LATER + 1_000}


async def test_whoever_took_a_call_and_is_gone_leaves_it_to_others_with_the_same_id(store: Store) -> None:
    program = await store.add_program()
    webhook = await listens(store, program)
    await store.webhooks.test(program.id, webhook.id, now_us=NOW_US)

    (taken,) = await due(store)
    meanwhile = await due(store, at_us=LATER + 59 * SECOND_US)
    (again,) = await due(store, at_us=LATER + 60 * SECOND_US)

    assert meanwhile == []
    assert (again.event_id, again.payload()) == (taken.event_id, taken.payload())


async def test_an_endpoint_that_fails_gets_one_call_at_a_time_and_one_that_rests_none(store: Store) -> None:
    program = await store.add_program()
    webhook, other = await listens(store, program), await listens(store, program)
    for index in range(20):
        await store.opt_outs.record([an_opt_out(program.id, a_number(index))])

    taken = await due(store)
    assert [sum(each.webhook_id == one.id for each in taken) for one in (webhook, other)] == [5, 5]
    first = next(each for each in taken if each.webhook_id == webhook.id)
    health = await store.webhook_outbox.failed(first, BAD, now_us=LATER, again_us=None)
    one = [each for each in await due(store) if each.webhook_id == webhook.id]
    await store.webhook_outbox.rest(webhook.id, until_us=LATER + 100)
    none = [each for each in await due(store) if each.webhook_id == webhook.id]
    rested = [each for each in await due(store, at_us=LATER + 100) if each.webhook_id == webhook.id]

    assert health == Health(failing_since_us=LATER, failures=1)
    assert (len(one), len(none), len(rested)) == (1, 0, 1)
    await store.webhook_outbox.accepted(rested[0], OK, now_us=LATER + 100)
    assert len([each for each in await due(store, at_us=LATER + 100) if each.webhook_id == webhook.id]) == 5
    assert (await store.webhooks.find(program.id, webhook.id)).failing_since_us is None


async def test_calls_under_way_count(store: Store) -> None:
    program = await store.add_program()
    webhook = await listens(store, program)
    for index in range(20):
        await store.opt_outs.record([an_opt_out(program.id, a_number(index))])

    taken = await store.webhook_outbox.take(now_us=LATER, under_way={webhook.id: 3}, most=100)
    bounded = await store.webhook_outbox.take(now_us=LATER, under_way={}, most=1)
    full = await store.webhook_outbox.take(now_us=LATER, under_way={webhook.id: 5}, most=100)

    assert (len(taken), len(bounded), len(full)) == (2, 1, 0)


async def test_one_that_two_have_made_stays_accepted(store: Store) -> None:
    program = await store.add_program()
    webhook = await listens(store, program)
    await store.webhooks.test(program.id, webhook.id, now_us=NOW_US)
    (slow,) = await due(store)
    (again,) = await due(store, at_us=LATER + 60 * SECOND_US)

    await store.webhook_outbox.accepted(again, OK, now_us=LATER)
    await store.webhook_outbox.failed(slow, BAD, now_us=LATER, again_us=LATER)

    assert await due(store, at_us=LATER + 3_600 * SECOND_US) == []


# Endpoints


async def test_a_rotated_secret_signs_with_the_old_one_until_that_ends(store: Store) -> None:
    program = await store.add_program()
    old, new = WebhookSecret.new(), WebhookSecret.new()
    webhook = await listens(store, program, secret=old)
    await store.webhooks.rotate(program.id, webhook.id, new, old_until_us=LATER + 100 * SECOND_US)
    await store.webhooks.test(program.id, webhook.id, now_us=NOW_US)

    (before,) = await due(store)
    (after,) = await due(store, at_us=LATER + 100 * SECOND_US)

    assert [each.key for each in before.secrets] == [new.key, old.key]
    assert [each.key for each in after.secrets] == [new.key]
    assert await store.webhooks.seal_anew() == 1


async def test_one_event_is_told_once_more_or_all_that_failed(store: Store) -> None:
    program = await store.add_program()
    webhook = await listens(store, program)
    for index in range(4):
        await store.opt_outs.record([an_opt_out(program.id, a_number(index), at_us=NOW_US + index)])
    accepted, *others = await due(store)
    await store.webhook_outbox.accepted(accepted, OK, now_us=LATER)
    for each in others:
        await store.webhook_outbox.failed(each, BAD, now_us=LATER, again_us=None)
    await store.webhook_outbox.rest(webhook.id, until_us=LATER + 10_000)

    await store.webhooks.replay(program.id, webhook.id, accepted.event_id, now_us=LATER)
    one = await all_told(store)
    count = await store.webhooks.replay_failed(program.id, webhook.id, since_us=NOW_US + 2, now_us=LATER)
    failed = await all_told(store)

    assert [each.event_id for each in one] == [accepted.event_id]
    assert count == 2
    assert [each.event_id for each in failed] == [each.event_id for each in others[1:]]
    with pytest.raises(EventNotFound):
        await store.webhooks.replay(program.id, webhook.id, uuid4(), now_us=LATER)


async def test_attempts_are_listed_page_by_page_newest_first(store: Store) -> None:
    program = await store.add_program()
    webhook = await listens(store, program)
    event_id = await store.webhooks.test(program.id, webhook.id, now_us=NOW_US)
    for at_us in range(LATER, LATER + 5):
        (call,) = await due(store, at_us=at_us)
        answer = Answer(took_us=7_000, error="timeout")
        await store.webhook_outbox.failed(call, answer, now_us=at_us, again_us=at_us + 1)

    first = await store.webhooks.attempts(program.id, webhook.id, before=None, limit=3)
    last = await store.webhooks.attempts(program.id, webhook.id, before=first.end, limit=3)

    assert [each.at_us for each in (*first.items, *last.items)] == list(range(LATER + 4, LATER - 1, -1))
    assert last.end is None
    newest = first.items[0]
    assert (newest.event_id, newest.type, newest.accepted) == (event_id, EventType.TEST, False)
    assert (newest.status, newest.error, newest.took_ms) == (None, "timeout", 7)


async def test_another_programs_endpoint_is_not_found(store: Store) -> None:
    program, other = await store.add_program(), await store.add_program("other")
    webhook = await listens(store, program)
    await store.webhooks.test(program.id, webhook.id, now_us=NOW_US)
    its = other.id, webhook.id
    for act in (
        store.webhooks.find(*its),
        store.webhooks.remove(*its),
        store.webhooks.rotate(*its, WebhookSecret.new(), old_until_us=LATER),
        store.webhooks.attempts(*its, before=None, limit=1),
        store.webhooks.replay_failed(*its, since_us=0, now_us=LATER),
        store.webhooks.test(*its, now_us=LATER),
    ):
        with pytest.raises(WebhookNotFound):
            await act
    await store.webhooks.change(replace(webhook, program_id=other.id, url="https://elsewhere.example"))

    assert (await store.webhooks.find(program.id, webhook.id)).url == webhook.url
    assert len(await all_told(store)) == 1


async def test_a_program_has_ten_endpoints_at_the_most(store: Store) -> None:
    program = await store.add_program()
    made = [await listens(store, program, at_us=NOW_US + index) for index in range(10)]
    with pytest.raises(TooManyWebhooks):
        await listens(store, program)
    await store.webhooks.remove(program.id, made[0].id)
    last = await listens(store, program, at_us=LATER)

    assert [each.id for each in await store.webhooks.all(program.id)] == [each.id for each in (*made[1:], last)]


async def test_one_that_is_enabled_again_is_told_what_waited(store: Store) -> None:
    program = await store.add_program()
    webhook = await listens(store, program)
    await store.webhooks.test(program.id, webhook.id, now_us=NOW_US)
    (call,) = await due(store)
    await store.webhook_outbox.failed(call, BAD, now_us=LATER, again_us=LATER)
    await store.webhooks.disable(webhook.id, Disabled.FAILING)

    disabled = await store.webhooks.find(program.id, webhook.id)
    silent = await due(store)
    await store.webhooks.change(replace(disabled, disabled=None))
    enabled = await store.webhooks.find(program.id, webhook.id)

    assert (disabled.disabled, disabled.failing_since_us) == (Disabled.FAILING, LATER)
    assert silent == []
    assert (enabled.disabled, enabled.failing_since_us) == (None, None)
    assert [each.event_id for each in await all_told(store)] == [call.event_id]


async def test_what_is_old_is_forgotten_with_what_came_of_it(store: Store) -> None:
    program = await store.add_program()
    webhook = await listens(store, program)
    await store.webhooks.test(program.id, webhook.id, now_us=NOW_US)
    await all_told(store)
    await store.webhooks.test(program.id, webhook.id, now_us=LATER)

    forgotten = await store.webhook_outbox.forget(before_us=LATER)

    assert (forgotten, await store.webhook_outbox.forget(before_us=LATER)) == (1, 0)
    assert (await store.webhooks.attempts(program.id, webhook.id, before=None, limit=10)).items == []
    assert len(await all_told(store)) == 1


async def test_what_waits_is_counted(store: Store) -> None:
    program = await store.add_program()
    webhook = await listens(store, program)
    await store.webhooks.test(program.id, webhook.id, now_us=NOW_US)

    waiting = await store.vital_signs.now(now_us=LATER)
    await all_told(store)
    done = await store.vital_signs.now(now_us=LATER)

    assert (waiting.events_waiting, waiting.oldest_event_us) == (1, SECOND_US)
    assert (done.events_waiting, done.oldest_event_us) == (0, 0)

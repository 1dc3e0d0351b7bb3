"""Programs that are deleted: shut out at once, forgotten when their record has been kept for long enough."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from adapters.sql.tables import audit_events, deliveries, metadata, webhook_calls
from domain.errors import ProgramExists, ProgramNotFound, WebhookNotFound
from domain.model.callback import Callback, CallbackKind
from domain.model.consent import Scope
from domain.model.delivery import DeliveryState
from domain.model.idempotency import IdempotencyKey
from domain.model.inbound_message import InboundText
from domain.model.pace import SECOND_US
from domain.model.program import Program
from domain.model.program_key import KeyHash, KeyTerms
from domain.model.staff import Role, StaffRole
from domain.model.template import TemplateName, TemplateText
from domain.model.terms import Terms
from domain.model.webhook import EventType, Webhook
from domain.model.webhook_secret import WebhookSecret
from domain.use_cases.delete_program import DeleteProgram
from tests.builders import NOW_US, SENDER, Store, a_number, a_program, a_text, an_opt_out, numbers

DAY_US = 86_400 * SECOND_US
KEPT_US = 30 * DAY_US


async def finish(store: Store, *, at_us: int) -> int:
    """All that there is to do; says how many portions that took."""
    portions = 0
    while await store.deletions.finish(now_us=at_us, kept_us=KEPT_US):
        portions += 1
    return portions


async def canceled(store: Store, *, at_us: int = NOW_US) -> int:
    count = 0
    while some := await store.deletions.cancel_waiting(now_us=at_us):
        count += some
    return count


async def rows_of(store: Store, program_id: str) -> Mapping[str, int]:
    """How many rows each table has that names the program."""
    tables = [(each, "id" if each.name == "programs" else "program_id") for each in metadata.sorted_tables]
    async with store.database.reading() as connection:
        counts = {
            table.name: (
                await connection.execute(select(func.count()).select_from(table).where(table.c[column] == program_id))
            ).scalar_one()
            for table, column in tables
            if column in table.c
        }
    return {name: count for name, count in counts.items() if count}


def a_webhook(program: Program) -> Webhook:
    return Webhook(
        id=uuid4(),
        program_id=program.id,
        url="https://office.example/hub",
        description=None,
        events=list(EventType),
        created_us=NOW_US,
    )


async def a_program_with_a_past(store: Store, program_id: str = "city-hall", *, sent_us: int = NOW_US) -> Program:
    """It has a row in nearly every table that has programs' rows."""
    program = await store.add_program(program_id)
    await store.webhooks.add(webhook := a_webhook(program), WebhookSecret.new())
    await store.webhooks.test(program.id, webhook.id, now_us=NOW_US)
    old = a_text(program, a_number(1), at_us=NOW_US - 60 * DAY_US)
    await store.intake.add(old)
    (claim,) = await store.claim(await store.join(), at_us=sent_us)
    await store.queue.record([claim.delivery.sent("a-reference", now_us=NOW_US)])
    await store.retention.forget(now_us=NOW_US, kept_us=KEPT_US)
    key = IdempotencyKey(f"key-of-{program_id}", b"fingerprint")
    await store.intake.add(a_text(program, *numbers(2), key=key, duplicate_window_us=DAY_US, segments=1))
    await store.opt_outs.record([an_opt_out(program.id, a_number(7))])
    await store.templates.add(program.id, TemplateName("reminder"), TemplateText("Hello {{Name}}"), now_us=NOW_US)
    await store.staff_roles.put(StaffRole(group="staff", role=Role.READER, program_id=program.id))
    await store.callbacks.add(
        Callback(
            source="sandbox",
            kind=CallbackKind.INBOUND,
            account_id=program.sender.account_id,
            key=f"of {program_id}",
            received_us=NOW_US,
            fields={},
        )
    )
    inbound = InboundText(addresses=[SENDER.value], number=a_number().e164, text="Thanks", reference="r")
    (taken,) = await store.inbound.take_in(lambda _: inbound, scope=Scope.PROGRAM, now=lambda: NOW_US, limit=1)
    assert taken.program_id == program.id
    return program


async def delete(store: Store, program_id: str = "city-hall", *, at_us: int = NOW_US) -> None:
    await store.deletions.begin(program_id, now_us=at_us)


async def test_nobody_finds_it_any_more_and_its_keys_and_webhooks_are_gone(store: Store) -> None:
    program = await a_program_with_a_past(store)
    (webhook,) = await store.webhooks.all(program.id)
    (key,) = await store.keys.of_program(program.id)

    assert await store.deletions.begin("CITY-Hall", now_us=NOW_US) == program.id

    assert await store.programs.find(program.id) is None
    assert await store.programs.find_with_keys(program.sid) is None
    assert await store.programs.all() == []
    standing = await store.standings.of_key(key.id)
    assert standing is not None
    assert (standing.suspended, standing.key.revoked_us) == (True, NOW_US)
    assert not await store.standings.of_keyless(program.id, issued_us=NOW_US)
    assert await store.webhooks.all() == []
    with pytest.raises(WebhookNotFound):
        await store.webhooks.find(program.id, webhook.id)
    assert not await store.webhook_outbox.take(now_us=NOW_US + DAY_US, under_way={}, most=10)


async def test_it_is_listed_apart_from_the_others_until_it_is_gone(store: Store) -> None:
    for name in ("city-hall", "library", "museum"):
        await store.add_program(name)
    await delete(store, "city-hall", at_us=NOW_US)
    await delete(store, "museum", at_us=NOW_US + 1)

    found = await store.programs.all(deleted=True)

    assert [(each.id, each.deleted_us) for each in found] == [("museum", NOW_US + 1), ("city-hall", NOW_US)]
    assert [each.id for each in await store.programs.all()] == ["library"]
    while await store.deletions.finish(now_us=NOW_US + DAY_US, kept_us=DAY_US):
        pass
    assert [each.id for each in await store.programs.all(deleted=True)] == ["museum"]


ATTEMPTS: Mapping[str, Callable[[Store], Awaitable[object]]] = {
    "deleted again": delete,
    "reinstated": lambda store: store.pauses.suspend_program("city-hall", suspended=False, now_us=NOW_US),
    "resumed": lambda store: store.pauses.set_program("city-hall", paused=False, now_us=NOW_US),
    "given a key": lambda store: store.keys.add("city-hall", KeyHash(b"k"), KeyTerms(), hint="", now_us=NOW_US),
    "changed": lambda store: store.set_terms("city-hall", Terms()),
    "relieved of a sender": lambda store: store.programs.remove_sender("city-hall", 2),
    "given a sender": lambda store: store.programs.add_sender(
        "city-hall", provider="sandbox", sender=SENDER, pace=None
    ),
}


@pytest.mark.parametrize("what", ATTEMPTS)
async def test_it_cannot_be(store: Store, what: str) -> None:
    await store.add_program()
    await delete(store)

    with pytest.raises(ProgramNotFound):
        await ATTEMPTS[what](store)


async def test_it_gets_no_webhook_by_a_token_that_is_a_moment_older(store: Store) -> None:
    program = await store.add_program()
    await delete(store)

    with pytest.raises(ProgramNotFound):
        await store.webhooks.add(a_webhook(program), WebhookSecret.new())


async def test_what_waits_is_canceled_and_what_a_provider_has_is_settled(store: Store) -> None:
    program = await store.add_program(pace="1000/s")
    library = await store.programs.add(a_program("library", pace="1000/s"))
    dispatcher = await store.join()
    sent = await store.add_text(program, a_number(1))
    (claim,) = await store.claim(dispatcher)
    queued = await store.add_text(program, *numbers(3, first=10))
    later = a_text(program, a_number(20), send_at_us=NOW_US + DAY_US)
    await store.intake.add(later)
    others = await store.add_text(library, *numbers(2, first=30))

    await delete(store)
    assert await canceled(store) == 4
    claims = await store.claim(dispatcher, at_us=NOW_US + SECOND_US)
    await store.queue.record([claim.delivery.sent("a-reference", now_us=NOW_US)])

    assert await store.states(program, queued) == [DeliveryState.CANCELED] * 3
    assert await store.states(program, later.message) == [DeliveryState.CANCELED]
    assert await store.states(program, sent) == [DeliveryState.SENT]
    assert {each.message_id for each in claims} == {others.id}
    assert await canceled(store) == 0


async def test_what_comes_to_wait_later_is_never_sent_and_canceled(store: Store) -> None:
    program = await store.add_program()
    dispatcher = await store.join()
    handed_back = await store.add_text(program)
    (claim,) = await store.claim(dispatcher)

    await delete(store)
    await store.queue.record([claim.delivery.released(now_us=NOW_US)])
    late = await store.add_text(program, a_number(2))

    assert await store.claim(dispatcher, at_us=NOW_US + 10 * SECOND_US) == []
    assert await canceled(store) == 2
    assert await store.states(program, handed_back) == [DeliveryState.CANCELED]
    assert await store.states(program, late) == [DeliveryState.CANCELED]


async def test_torn_off_after_it_has_begun_the_dispatchers_bring_it_to_its_end(store: Store) -> None:
    program = await store.add_program()
    text = await store.add_text(program, *numbers(3))

    await delete(store)  # And no more of it: its process is gone.

    assert await store.states(program, text) == [DeliveryState.QUEUED] * 3
    assert await canceled(store) == 3
    assert await finish(store, at_us=NOW_US + KEPT_US) > 0
    assert set(await rows_of(store, program.id)) == {"audit_events"}


async def test_its_record_is_kept_for_as_long_as_its_texts_are_and_then_nothing_is_left(store: Store) -> None:
    program = await a_program_with_a_past(store)
    before = await rows_of(store, program.id)
    without_rows = {"program_senders", "budget_uses"}
    with_program = {each.name for each in metadata.sorted_tables if "program_id" in each.c}
    assert with_program - set(before) == without_rows
    await delete(store)
    await canceled(store)
    after = await rows_of(store, program.id)

    assert await finish(store, at_us=NOW_US + KEPT_US - 1) == 0
    assert await rows_of(store, program.id) == after
    with pytest.raises(ProgramExists):
        await store.programs.add(a_program("City-Hall", sid="another"))
    with pytest.raises(ProgramExists):
        await store.programs.add(a_program("another", sid=program.sid))

    assert await finish(store, at_us=NOW_US + KEPT_US) > 0
    assert set(await rows_of(store, program.id)) == {"audit_events"}
    async with store.database.reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(webhook_calls))).scalar_one() == 0
        assert (await connection.execute(select(func.count()).select_from(deliveries))).scalar_one() == 0
        actions = select(audit_events.c.action).order_by(audit_events.c.id.desc()).limit(2)
        assert (await connection.execute(actions)).scalars().all() == ["program.removed", "program.deleted"]
    # With the sender that stayed.
    again = await store.programs.add(a_program("City-Hall", sid=program.sid, account=None))
    assert again.sender == program.sender
    assert await store.opt_outs.of_program(again.id, [a_number(7)]) == frozenset()


async def test_its_own_retention_counts(store: Store) -> None:
    await store.add_program()
    await store.set_terms("city-hall", Terms(retention=timedelta(days=2)))
    await delete(store)

    assert await finish(store, at_us=NOW_US + 2 * DAY_US - 1) == 0
    assert await finish(store, at_us=NOW_US + 2 * DAY_US) > 0
    assert set(await rows_of(store, "city-hall")) == {"audit_events"}


async def test_others_lose_nothing(store: Store) -> None:
    await a_program_with_a_past(store)
    await delete(store)
    await canceled(store)
    library = await a_program_with_a_past(store, "library", sent_us=NOW_US + 60 * SECOND_US)
    before = await rows_of(store, library.id)

    await finish(store, at_us=NOW_US + KEPT_US)

    assert await rows_of(store, library.id) == before
    assert await store.opt_outs.of_program(library.id, [a_number(7)]) == {a_number(7)}
    assert await store.programs.find("library") == library


@pytest.mark.parametrize("state", ["sending", "unknown"])
async def test_what_is_still_to_be_settled_is_waited_for(store: Store, state: str) -> None:
    program = await store.add_program()
    await store.add_text(program)
    await store.add_text(program, a_number(2))
    await delete(store)
    await canceled(store)
    async with store.database.writing() as connection:
        asked = update(deliveries).where(deliveries.c.number == a_number(2).e164)
        await connection.execute(asked.values(state=state, due_us=NOW_US))

    await finish(store, at_us=NOW_US + KEPT_US)
    left = await rows_of(store, program.id)
    async with store.database.writing() as connection:
        # Nobody can tell, and nobody will be asked any more.
        await connection.execute(update(deliveries).values(state="unknown", due_us=None))
    await finish(store, at_us=NOW_US + KEPT_US)

    assert (left["text_messages"], left["deliveries"], left["programs"]) == (1, 1, 1)
    assert set(await rows_of(store, program.id)) == {"audit_events"}


async def test_it_is_not_counted_as_paused(store: Store) -> None:
    await store.add_program()
    await store.programs.add(a_program("library"))
    await store.pauses.set_program("library", paused=True, now_us=NOW_US)

    await delete(store)

    assert (await store.standstills.now(now_us=NOW_US)).paused_programs == 1


async def test_what_strangers_text_to_a_sender_is_for_the_program_that_is_left(store: Store) -> None:
    await store.add_program()
    await store.programs.add(a_program("library"))
    await delete(store)
    (program,) = await store.programs.all()
    await store.callbacks.add(
        Callback(
            source="sandbox",
            kind=CallbackKind.INBOUND,
            account_id=program.sender.account_id,
            key="k",
            received_us=NOW_US,
            fields={},
        )
    )
    inbound = InboundText(addresses=[SENDER.value], number=a_number(99).e164, text="Hello?", reference="r")

    (taken,) = await store.inbound.take_in(lambda _: inbound, scope=Scope.PROGRAM, now=lambda: NOW_US, limit=1)

    assert taken.program_id == "library"


async def test_many_texts_are_canceled_in_portions_all_of_them(store: Store) -> None:
    program = await store.add_program()
    await store.intake.add(a_text(program, *numbers(6_000)))
    await store.intake.add(a_text(program, *numbers(10), send_at_us=NOW_US + DAY_US))

    deleted = await DeleteProgram(deletions=store.deletions, clock=store.clock)("city-hall")

    assert deleted.canceled == 6_010

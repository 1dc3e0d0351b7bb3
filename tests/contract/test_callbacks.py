"""What providers tell the hub is kept once, and what it means for deliveries is stored with it."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from adapters.sql.tables import callbacks, deliveries, senders
from domain.model.callback import Callback, CallbackKind
from domain.model.delivery import Delivery, DeliveryState
from domain.model.inbound_part import InboundPart
from domain.model.program import Program
from domain.model.receipt import Receipt, ReceiptOutcome
from domain.model.text_message import TextMessage
from domain.ports.callbacks import Kept, WorkedOff
from tests.builders import NOW_US, Store, a_text, numbers
from tests.patience import PATIENCE_S

S = DeliveryState
SECOND = 1_000_000
MINUTE = 60 * SECOND
LATER = NOW_US + MINUTE

FINAL = [S.DELIVERED, S.UNDELIVERED, S.FAILED, S.EXPIRED]


def a_callback(
    key: str = "SM1:delivered",
    *,
    account_id: int = 1,
    kind: CallbackKind = CallbackKind.RECEIPT,
    nonce: str | None = None,
    at_us: int = NOW_US,
    fields: Mapping[str, object] | None = None,
) -> Callback:
    return Callback(
        source="post",
        kind=kind,
        account_id=account_id,
        key=key,
        nonce=nonce,
        received_us=at_us,
        fields=fields or {},
    )


def a_receipt(
    delivery: Delivery,
    state: DeliveryState = S.DELIVERED,
    *,
    reference: str = "SM1",
    named: bool = True,
    attempt: int | None = None,
    reason: str | None = None,
) -> Receipt:
    """`named`: it says which delivery it is of."""
    return Receipt(
        state=state,
        reference=reference,
        digits=delivery.number.e164.removeprefix("+"),
        reason=reason,
        delivery_id=delivery.id if named else None,
        attempt=attempt,
    )


def saying(**receipts: Receipt | None) -> Callable[[Callback], Receipt | None]:
    """What a provider's reader makes of callbacks, by their keys."""
    return lambda callback: receipts[callback.key]


class Texts:
    """A message whose deliveries are being sent, and the account of its sender."""

    def __init__(self, store: Store, program: Program, message: TextMessage, sending: Sequence[Delivery]) -> None:
        self.store = store
        self.account_id = program.sender.account_id
        self.sending = sending
        self._program = program
        self._message = message

    @classmethod
    async def on(cls, store: Store, count: int = 1, *, trace_parent: str | None = None) -> "Texts":
        program = await store.add_program(pace="10000/s")
        text = a_text(program, *numbers(count), trace_parent=trace_parent)
        await store.intake.add(text)
        claims = await store.claim(await store.join())
        assert len(claims) == count
        return cls(store, program, text.message, [claim.delivery for claim in claims])

    async def now(self) -> Sequence[Delivery]:
        return await self.store.deliveries(self._program, self._message)

    async def told(self, *receipts: Receipt, at_us: int = LATER) -> Sequence[ReceiptOutcome]:
        """What comes of receipts that arrive in this order."""
        known = {f"{at_us}-{index}": each for index, each in enumerate(receipts)}
        for key in known:
            await self.store.callbacks.add(a_callback(key, account_id=self.account_id, at_us=at_us))
        return outcomes(await self.store.callbacks.work_off(saying(**known), now_us=at_us, limit=100))


def outcomes(worked_off: Sequence[WorkedOff]) -> Sequence[ReceiptOutcome]:
    return [each.outcome for each in worked_off]


async def stored(store: Store) -> Sequence[Mapping[str, object]]:
    async with store.database.reading() as connection:
        return [row._asdict() for row in await connection.execute(select(callbacks).order_by(callbacks.c.id))]


class TestKeeping:
    async def test_it_is_kept_as_it_came(self, store: Store) -> None:
        fields = {"Body": "Grüße 😀\0", "error": {"title": 1240, "deep": [1, None]}, "MessageSid": "SM1"}

        assert await store.callbacks.add(a_callback(fields=fields, nonce="once")) is Kept.NEW

        seen: list[Callback] = []
        await store.callbacks.work_off(seen.append, now_us=NOW_US, limit=10)
        [callback] = seen
        assert callback.id
        assert (callback.source, callback.kind, callback.account_id) == ("post", CallbackKind.RECEIPT, 1)
        assert (callback.key, callback.nonce, callback.received_us) == ("SM1:delivered", "once", NOW_US)
        assert callback.fields == fields

    async def test_what_is_told_again_is_kept_once(self, store: Store) -> None:
        first = await store.callbacks.add(a_callback())
        again = await store.callbacks.add(a_callback(at_us=LATER, nonce="another signature"))

        assert (first, again) == (Kept.NEW, Kept.REPEATED)
        assert [row["received_us"] for row in await stored(store)] == [NOW_US]

    async def test_the_same_key_of_another_account_or_kind_is_another(self, store: Store) -> None:
        given = [a_callback(), a_callback(account_id=2), a_callback(kind=CallbackKind.INBOUND)]

        assert [await store.callbacks.add(each) for each in given] == [Kept.NEW] * 3

    async def test_a_signature_is_good_for_one_call(self, store: Store) -> None:
        given = [a_callback(nonce="once"), a_callback(nonce="once"), a_callback("other", nonce="once")]

        kept = [await store.callbacks.add(each) for each in given]

        assert kept == [Kept.NEW, Kept.REPLAYED, Kept.REPLAYED]
        assert await store.callbacks.add(a_callback("other", account_id=2, nonce="once")) is Kept.NEW
        assert len(await stored(store)) == 2

    async def test_of_many_that_come_at_once_each_is_kept_once(self, store: Store) -> None:
        given = [a_callback(f"SM{index % 30}", nonce=f"{index % 30}-{index // 60}") for index in range(120)]

        kept = await asyncio.gather(*(store.callbacks.add(each) for each in given))

        assert kept.count(Kept.NEW) == 30
        assert kept.count(Kept.REPEATED) == 60
        assert len(await stored(store)) == 30

    async def test_what_people_text_back_waits_for_nobody(self, store: Store) -> None:
        await store.callbacks.add(a_callback(kind=CallbackKind.INBOUND))

        assert await store.callbacks.work_off(saying(), now_us=LATER, limit=10) == []
        assert [row["due_us"] for row in await stored(store)] == [None]


class TestWorkingOff:
    @pytest.mark.parametrize("trace_parent", ["00-one-1-01", None])
    async def test_it_names_the_trace_of_its_text(self, store: Store, trace_parent: str | None) -> None:
        texts = await Texts.on(store, trace_parent=trace_parent)
        await store.callbacks.add(a_callback(account_id=texts.account_id))

        read = saying(**{"SM1:delivered": a_receipt(texts.sending[0])})
        [worked] = await store.callbacks.work_off(read, now_us=LATER, limit=10)

        assert (worked.outcome, worked.trace_parent) == (ReceiptOutcome.APPLIED, trace_parent)

    @pytest.mark.parametrize("said", FINAL)
    async def test_a_receipt_settles_what_was_sent(self, store: Store, said: DeliveryState) -> None:
        texts = await Texts.on(store)
        [sending] = texts.sending
        await store.queue.record([sending.sent("SM1", now_us=NOW_US)])

        assert await texts.told(a_receipt(sending, said, reason="why")) == [ReceiptOutcome.APPLIED]

        [delivery] = await texts.now()
        assert (delivery.state, delivery.reason, delivery.updated_us) == (said, "why", LATER)
        assert delivery.provider_reference == "SM1"

    async def test_it_says_what_came_of_it_and_of_what(self, store: Store) -> None:
        texts = await Texts.on(store)
        [sending] = texts.sending
        await store.callbacks.add(a_callback("a", account_id=texts.account_id))

        [worked] = await store.callbacks.work_off(saying(a=a_receipt(sending)), now_us=LATER, limit=10)

        assert (worked.callback.key, worked.outcome) == ("a", ReceiptOutcome.APPLIED)
        assert [worked.delivery] == await texts.now()
        assert worked.slot_us is not None

    async def test_a_receipt_is_worked_off_once(self, store: Store) -> None:
        texts = await Texts.on(store)
        await texts.told(a_receipt(texts.sending[0]))

        assert await store.callbacks.work_off(saying(), now_us=LATER + MINUTE, limit=10) == []
        [row] = await stored(store)
        assert (row["due_us"], row["outcome"]) == (None, "applied")

    @pytest.mark.parametrize("said", [S.SENT, *FINAL])
    async def test_one_that_is_faster_than_our_own_record_is_neither_lost_nor_overwritten(
        self, store: Store, said: DeliveryState
    ) -> None:
        texts = await Texts.on(store)
        [sending] = texts.sending
        await texts.told(a_receipt(sending, said))
        for late in (
            sending.sent("SM1", now_us=LATER + 1),
            sending.lost_sight_of("no-answer", now_us=LATER + 1, ask_after_us=SECOND),
            sending.retried("no-connection", now_us=LATER + 1, after_us=0),
            sending.released(now_us=LATER + 1),
        ):
            await store.queue.record([late])

        [delivery] = await texts.now()
        assert (delivery.state, delivery.provider_reference, delivery.due_us) == (said, "SM1", None)

    @pytest.mark.parametrize("said", [S.SENT, *FINAL])
    async def test_what_nobody_knew_is_settled_and_not_asked_about_any_more(
        self, store: Store, said: DeliveryState
    ) -> None:
        texts = await Texts.on(store)
        [sending] = texts.sending
        await store.queue.record([sending.lost_sight_of("no-answer", now_us=NOW_US, ask_after_us=SECOND)])

        await texts.told(a_receipt(sending, said))

        [delivery] = await texts.now()
        assert (delivery.state, delivery.provider_reference, delivery.reason) == (said, "SM1", None)
        assert await store.due.enquiries(now_us=LATER + MINUTE, limit=10) == []

    async def test_order_and_number_of_receipts_do_not_matter(self, store: Store) -> None:
        texts = await Texts.on(store)
        sent, delivered = (a_receipt(texts.sending[0], state) for state in (S.SENT, S.DELIVERED))

        first = await texts.told(sent, delivered, delivered, sent)
        assert first == [ReceiptOutcome.APPLIED, ReceiptOutcome.APPLIED, *[ReceiptOutcome.NOTHING_NEW] * 2]
        assert await texts.told(delivered, sent, at_us=LATER + MINUTE) == [ReceiptOutcome.NOTHING_NEW] * 2
        assert [each.state for each in await texts.now()] == [S.DELIVERED]

    @pytest.mark.parametrize("final", FINAL)
    @pytest.mark.parametrize("said", [S.SENT, *FINAL])
    async def test_a_final_state_is_never_left(self, store: Store, final: DeliveryState, said: DeliveryState) -> None:
        texts = await Texts.on(store)
        await texts.told(a_receipt(texts.sending[0], final, reason="first"))
        before = await texts.now()

        await texts.told(a_receipt(texts.sending[0], said, reason="second"), at_us=LATER + MINUTE)

        assert await texts.now() == before

    async def test_what_waits_to_be_sent_again_is_not_when_it_arrived(self, store: Store) -> None:
        texts = await Texts.on(store, 2)
        retried = [each.retried("not-at-provider", now_us=NOW_US, after_us=0) for each in texts.sending]
        await store.queue.record(retried)
        await store.due.queue(now_us=NOW_US)
        one, _ = texts.sending

        await texts.told(a_receipt(one, S.DELIVERED))

        [claim] = await store.claim(await store.join(), at_us=LATER)
        assert claim.delivery.number != one.number
        assert [each.state for each in await texts.now()] == [S.DELIVERED, S.SENDING]

    async def test_an_earlier_attempt_that_failed_says_nothing_of_the_one_under_way(self, store: Store) -> None:
        texts = await Texts.on(store)
        [first] = texts.sending
        await store.queue.record([first.retried("never-known", now_us=NOW_US, after_us=0)])
        await store.due.queue(now_us=NOW_US)
        [second] = await store.claim(await store.join(), at_us=NOW_US + SECOND)

        told = await texts.told(a_receipt(first, S.UNDELIVERED, attempt=1), a_receipt(first, S.SENT, attempt=1))

        assert told == [ReceiptOutcome.NOTHING_NEW] * 2
        assert await texts.now() == [second.delivery]
        await texts.told(a_receipt(first, S.DELIVERED, reference="SM2", attempt=2), at_us=LATER + 1)
        assert [(each.state, each.provider_reference) for each in await texts.now()] == [(S.DELIVERED, "SM2")]

    async def test_a_receipt_that_names_no_delivery_is_found_by_its_reference(self, store: Store) -> None:
        texts = await Texts.on(store, 3)
        await store.queue.record([each.sent(f"SM{each.position}", now_us=NOW_US) for each in texts.sending])
        second = texts.sending[1]

        assert await texts.told(a_receipt(second, reference="SM2", named=False)) == [ReceiptOutcome.APPLIED]

        assert [each.state for each in await texts.now()] == [S.SENT, S.DELIVERED, S.SENT]

    async def test_one_that_names_none_waits_a_while_for_our_own_record(self, store: Store) -> None:
        texts = await Texts.on(store)
        [sending] = texts.sending
        nameless = saying(a=a_receipt(sending, named=False))
        await store.callbacks.add(a_callback("a", account_id=texts.account_id))

        assert await store.callbacks.work_off(nameless, now_us=NOW_US, limit=10) == []
        await store.queue.record([sending.sent("SM1", now_us=NOW_US)])
        assert await store.callbacks.work_off(nameless, now_us=NOW_US + SECOND, limit=10) == []
        worked = await store.callbacks.work_off(nameless, now_us=NOW_US + 5 * SECOND, limit=10)

        assert outcomes(worked) == [ReceiptOutcome.APPLIED]
        assert [each.state for each in await texts.now()] == [S.DELIVERED]

    async def test_one_that_nobody_knows_is_kept_and_marked(self, store: Store) -> None:
        texts = await Texts.on(store)
        [sending] = texts.sending
        stranger = Receipt(state=S.DELIVERED, reference="SM9", digits="19705559999", delivery_id=sending.id)
        nowhere = Receipt(state=S.DELIVERED, reference="SM9", digits="19705550000", delivery_id=2**62)
        nameless = a_receipt(sending, reference="SM9", named=False)
        for key in ("a", "b", "c"):
            await store.callbacks.add(a_callback(key, account_id=texts.account_id))

        worked = await store.callbacks.work_off(
            saying(a=stranger, b=nowhere, c=nameless), now_us=NOW_US + MINUTE, limit=10
        )

        assert outcomes(worked) == [ReceiptOutcome.UNKNOWN_DELIVERY] * 3
        assert await texts.now() == [sending]
        assert {row["outcome"] for row in await stored(store)} == {"unknown-delivery"}

    async def test_a_text_that_never_left_has_no_receipts(self, store: Store) -> None:
        program = await store.add_program()
        message = await store.add_text(program)
        [queued] = await store.deliveries(program, message)
        await store.callbacks.add(a_callback("a", account_id=program.sender.account_id))

        [worked] = await store.callbacks.work_off(saying(a=a_receipt(queued)), now_us=LATER, limit=10)

        assert worked.outcome is ReceiptOutcome.UNKNOWN_DELIVERY
        assert await store.states(program, message) == [S.QUEUED]

    async def test_no_account_speaks_for_anothers_texts(self, store: Store) -> None:
        texts = await Texts.on(store)
        await store.callbacks.add(a_callback("a", account_id=texts.account_id + 1))

        [worked] = await store.callbacks.work_off(saying(a=a_receipt(texts.sending[0])), now_us=LATER, limit=10)

        assert worked.outcome is ReceiptOutcome.UNKNOWN_DELIVERY
        assert [each.state for each in await texts.now()] == [S.SENDING]

    async def test_what_nobody_understands_is_kept_and_marked(self, store: Store) -> None:
        await store.callbacks.add(a_callback("a"))

        [worked] = await store.callbacks.work_off(saying(a=None), now_us=LATER, limit=10)

        assert worked.outcome is ReceiptOutcome.UNREADABLE
        assert [row["outcome"] for row in await stored(store)] == ["unreadable"]

    async def test_the_oldest_come_first_and_no_more_than_asked_for(self, store: Store) -> None:
        texts = await Texts.on(store, 5)
        receipts = {}
        for index, each in enumerate(texts.sending):
            receipts[f"k{index}"] = a_receipt(each)
            callback = a_callback(f"k{index}", account_id=texts.account_id, at_us=NOW_US + 5 - index)
            await store.callbacks.add(callback)

        portions = [
            [each.callback.key for each in await store.callbacks.work_off(saying(**receipts), now_us=LATER, limit=2)]
            for _ in range(4)
        ]

        assert portions == [["k4", "k3"], ["k2", "k1"], ["k0"], []]

    async def test_many_work_at_once_and_each_receipt_is_worked_off_once(self, store: Store) -> None:
        texts = await Texts.on(store, 60)
        receipts = {f"k{each.id}": a_receipt(each) for each in texts.sending}
        for key in receipts:
            await store.callbacks.add(a_callback(key, account_id=texts.account_id))

        async def work() -> int:
            done = 0
            for _ in range(20):
                done += len(await store.callbacks.work_off(saying(**receipts), now_us=LATER, limit=7))
            return done

        assert sum(await asyncio.gather(*(work() for _ in range(4)))) == 60
        assert {each.state for each in await texts.now()} == {S.DELIVERED}

    async def test_it_never_waits_for_a_delivery_that_another_has(self, store: Store) -> None:
        texts = await Texts.on(store, 2)
        one, other = texts.sending
        receipts = saying(a=a_receipt(one), b=a_receipt(other))
        for key in ("a", "b"):
            await store.callbacks.add(a_callback(key, account_id=texts.account_id))
        if store.database.is_sqlite:
            pytest.skip("SQLite has one writer")

        async with store.database.writing() as connection:
            await connection.execute(update(deliveries).where(deliveries.c.id == one.id).values(failures=1))
            async with asyncio.timeout(PATIENCE_S):
                meanwhile = await store.callbacks.work_off(receipts, now_us=LATER, limit=10)
        later = await store.callbacks.work_off(receipts, now_us=LATER, limit=10)

        assert [each.callback.key for each in meanwhile] == ["b"]
        assert [each.callback.key for each in later] == ["a"]
        assert [each.state for each in await texts.now()] == [S.DELIVERED] * 2

    async def test_receipts_do_not_make_a_sender_wait(self, store: Store) -> None:
        texts = await Texts.on(store)
        before = await senders_of(store)

        await texts.told(a_receipt(texts.sending[0]))

        assert await senders_of(store) == before


def a_part(
    number: int, *, of: int = 3, whole: str = "17", account_id: int = 1, at_us: int = NOW_US, key: str | None = None
) -> Callback:
    return replace(
        a_callback(
            key or f"{whole}-{number}", account_id=account_id, kind=CallbackKind.INBOUND, fields={"text": f"<{number}>"}
        ),
        received_us=at_us,
        part=InboundPart(whole=whole, number=number, of=of),
    )


def put_together(parts: Sequence[Callback]) -> Mapping[str, object]:
    return {"text": "".join(str(each.fields["text"]) for each in parts)}


async def join(store: Store, *, since_us: int = NOW_US - MINUTE) -> Sequence[tuple[object, Sequence[int]]]:
    joined = await store.callbacks.join(put_together, since_us=since_us, limit=10)
    return [(each.callback.fields["text"], each.missing) for each in joined]


async def inbound(store: Store) -> Sequence[str]:
    """The texts that are whole, as they are stored."""
    rows = await stored(store)
    return [json.loads(str(row["fields"]))["text"] for row in rows if row["part_of"] is None]


class TestParts:
    async def test_they_are_put_together_when_all_are_there(self, store: Store) -> None:
        for number in (3, 1):
            await store.callbacks.add(a_part(number))
            assert await join(store) == []
        await store.callbacks.add(a_part(2))
        assert await join(store) == [("<1><2><3>", [])]
        assert await join(store) == []
        assert await inbound(store) == ["<1><2><3>"]

    async def test_one_that_is_told_twice_counts_once(self, store: Store) -> None:
        for part in (a_part(1), a_part(1), a_part(1, key="another id"), a_part(2)):
            await store.callbacks.add(part)
        assert await join(store) == []

        await store.callbacks.add(a_part(3))
        assert await join(store) == [("<1><2><3>", [])]
        await store.callbacks.add(a_part(3))
        assert await join(store) == []

    async def test_what_does_not_come_in_time_is_done_without(self, store: Store) -> None:
        await store.callbacks.add(a_part(3, at_us=NOW_US + SECOND))
        await store.callbacks.add(a_part(1))

        assert await join(store, since_us=NOW_US) == []
        assert await join(store, since_us=NOW_US + 1) == [("<1><3>", [2])]
        await store.callbacks.add(a_part(2, at_us=NOW_US + MINUTE))
        assert await join(store, since_us=NOW_US + MINUTE) == []
        assert await join(store, since_us=NOW_US + MINUTE + 1) == [("<2>", [1, 3])]
        assert await inbound(store) == ["<1><3>", "<2>"]

    async def test_texts_are_kept_apart(self, store: Store) -> None:
        for account_id in (1, 2):
            for whole in ("17", "18"):
                await store.callbacks.add(a_part(account_id, of=2, whole=whole, account_id=account_id))
        assert await join(store) == []

        await store.callbacks.add(a_part(2, of=2))
        assert await join(store) == [("<1><2>", [])]

    async def test_of_two_who_put_them_together_at_the_same_time_one_does(self, store: Store) -> None:
        for number in range(30):
            await store.callbacks.add(a_part(1 + number % 3, whole=str(number // 3)))

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(join(store)) for _ in range(5)]
        done = [each for task in tasks for each in task.result()]

        assert len(await inbound(store)) == len(done) == 10

    async def test_a_text_that_came_whole_is_left_as_it_is(self, store: Store) -> None:
        await store.callbacks.add(a_callback(kind=CallbackKind.INBOUND, fields={"text": "Hello"}))

        assert await join(store, since_us=LATER) == []
        assert await inbound(store) == ["Hello"]


class TestForgetting:
    async def test_what_is_worked_off_is_forgotten_when_it_is_old(self, store: Store) -> None:
        for key, at_us in (("old", NOW_US), ("new", NOW_US + 2)):
            await store.callbacks.add(a_callback(key, at_us=at_us))
        await store.callbacks.work_off(saying(old=None, new=None), now_us=LATER, limit=10)

        assert await store.callbacks.forget(CallbackKind.RECEIPT, before_us=NOW_US) == 0
        assert await store.callbacks.forget(CallbackKind.RECEIPT, before_us=NOW_US + 1) == 1
        assert await store.callbacks.forget(CallbackKind.RECEIPT, before_us=NOW_US + 1) == 0
        assert [row["key"] for row in await stored(store)] == ["new"]

    async def test_what_is_not_worked_off_stays(self, store: Store) -> None:
        await store.callbacks.add(a_callback())

        assert await store.callbacks.forget(CallbackKind.RECEIPT, before_us=LATER) == 0

    async def test_each_kind_is_kept_as_long_as_it_is_to_be(self, store: Store) -> None:
        await store.callbacks.add(a_callback(kind=CallbackKind.INBOUND))

        assert await store.callbacks.forget(CallbackKind.RECEIPT, before_us=LATER) == 0
        assert await store.callbacks.forget(CallbackKind.INBOUND, before_us=LATER) == 1


async def senders_of(store: Store) -> Sequence[object]:
    async with store.database.reading() as connection:
        return (await connection.execute(select(senders))).all()

"""What people text is kept with the program that it is for, and keywords are obeyed."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import select, update

from adapters.sql.tables import callbacks, deliveries
from domain.model.callback import Callback, CallbackKind
from domain.model.consent import Consent, Method, Scope
from domain.model.delivery import OPTED_OUT_AT_PROVIDER, DeliveryState
from domain.model.inbound_message import InboundMessage, InboundOutcome, InboundText
from domain.model.inbound_part import InboundPart
from domain.model.keyword import Keyword
from domain.model.pace import SECOND_US
from domain.model.phone_number import PhoneNumber
from domain.model.program import Program
from domain.model.receipt import Receipt
from domain.model.sender import SenderAddress
from domain.ports.inbound_messages import TakenIn
from tests.builders import NOW_US, SENDER, Store, a_number, an_opt_out

LATER = NOW_US + SECOND_US
OTHER_SENDER = SenderAddress("+19705550199")


def read(callback: Callback) -> InboundText | None:
    """As a provider's reader."""
    if "From" not in callback.fields:
        return None
    return InboundText(
        addresses=[str(callback.fields["To"]), "MG-pool"],
        number=str(callback.fields["From"]),
        text=str(callback.fields["Text"]),
        reference=callback.key,
    )


class Phone:
    """Somebody who texts."""

    def __init__(self, store: Store, number: PhoneNumber | None = None, *, account_id: int = 1) -> None:
        self._store = store
        self._texted = 0
        self.number = number or a_number()
        self.account_id = account_id

    async def texts(self, text: str, *, to: str = SENDER.value, scope: Scope = Scope.PROGRAM) -> Sequence[TakenIn]:
        """What comes of it, looked at once."""
        await self.sends({"From": self.number.e164, "To": to, "Text": text})
        return await self.looked_at(scope=scope)

    async def sends(self, fields: Mapping[str, object], *, part: InboundPart | None = None) -> None:
        self._texted += 1
        callback = Callback(
            source="post",
            kind=CallbackKind.INBOUND,
            account_id=self.account_id,
            key=f"{self.number.e164}-{self._texted}",
            received_us=NOW_US,
            fields=fields,
            part=part,
        )
        await self._store.callbacks.add(callback)

    async def looked_at(self, *, scope: Scope = Scope.PROGRAM, now_us: int = LATER) -> Sequence[TakenIn]:
        return await self._store.inbound.take_in(read, scope=scope, now=lambda: now_us, limit=100)


async def inbox(store: Store, program: Program) -> Sequence[InboundMessage]:
    return (await store.inbound.page(program.id, before=None, limit=100)).items


async def is_blocked(store: Store, program: Program, number: PhoneNumber) -> bool:
    return bool(await store.opt_outs.among(program.id, [number], sender_id=program.sender.id))


async def move(store: Store, number: PhoneNumber, state: DeliveryState) -> None:
    """All deliveries to the number."""
    async with store.database.writing() as connection:
        await connection.execute(update(deliveries).where(deliveries.c.number == number.e164).values(state=state.value))


# Whose it is


async def test_a_text_is_the_program_s_that_texted_last(store: Store) -> None:
    first, last = await store.add_program("city-hall"), await store.add_program("library")
    await store.add_text(first, a_number(), at_us=NOW_US)
    message = await store.add_text(last, a_number(), at_us=NOW_US + 1)

    (taken,) = await Phone(store).texts("Thank you!")

    assert (taken.outcome, taken.program_id, taken.keyword) == (InboundOutcome.KEPT, last.id, None)
    assert await inbox(store, first) == []
    assert await inbox(store, last) == [
        InboundMessage(
            id=taken.message_id,
            program_id=last.id,
            sender=SENDER.value,
            number=a_number().e164,
            text="Thank you!",
            received_us=NOW_US,
            answers=str(message.id),
        )
    ]


async def test_a_text_from_somebody_unknown_is_the_one_program_s_that_has_the_sender(store: Store) -> None:
    program = await store.add_program()

    (taken,) = await Phone(store).texts("Hello?")

    assert (taken.outcome, taken.program_id) == (InboundOutcome.KEPT, program.id)


async def test_a_text_from_somebody_unknown_to_a_shared_sender_is_nobodys(store: Store) -> None:
    programs = [await store.add_program("city-hall"), await store.add_program("library")]

    (taken,) = await Phone(store).texts("Hello?")

    assert (taken.outcome, taken.program_id) == (InboundOutcome.NOBODYS, None)
    assert [await inbox(store, program) for program in programs] == [[], []]


@pytest.mark.parametrize("to", ["+19705550177", "72975"])
async def test_a_text_to_no_sender_of_the_account_is_nobodys(store: Store, to: str) -> None:
    await store.add_program()

    (taken,) = await Phone(store).texts("STOP", to=to)
    (others,) = await Phone(store, a_number(1), account_id=99).texts("STOP")

    assert {taken.outcome, others.outcome} == {InboundOutcome.NOBODYS}


async def test_a_service_is_found_by_its_second_name(store: Store) -> None:
    program = await store.add_program(sender=SenderAddress("MG-pool"))

    (taken,) = await Phone(store).texts("Hi", to="+19705550123")

    assert taken.program_id == program.id
    assert (await inbox(store, program))[0].sender == "MG-pool"


async def test_what_makes_no_sense_and_parts_of_texts_are_nobodys_message(store: Store) -> None:
    await store.add_program()
    phone = Phone(store)
    await phone.sends({"Text": "?"})
    await phone.sends({"From": "1", "To": "2", "Text": "a"}, part=InboundPart(whole="w", number=1, of=2))

    outcomes = [each.outcome for each in await phone.looked_at()]

    assert outcomes == [InboundOutcome.UNREADABLE]
    assert await phone.looked_at() == [], "each is looked at once"


async def test_many_who_look_at_once_take_each_text_once(store: Store) -> None:
    program = await store.add_program()
    phone = Phone(store)
    for index in range(20):
        await phone.sends({"From": a_number(index).e164, "To": SENDER.value, "Text": "Hi"})

    taken = await asyncio.gather(*(phone.looked_at() for _ in range(4)))

    assert sorted(each.callback.key for some in taken for each in some) == sorted(
        f"{phone.number.e164}-{index}" for index in range(1, 21)
    )
    assert len(await inbox(store, program)) == 20


async def test_an_inbox_is_paged_newest_first_and_filtered_by_number(store: Store) -> None:
    program = await store.add_program()
    await Phone(store, a_number(1)).texts("Hi")
    phone = Phone(store, a_number(2))
    for index in range(5):
        await phone.texts(f"Text {index}")

    first = await store.inbound.page(program.id, number=a_number(2).e164, before=None, limit=3)
    second = await store.inbound.page(program.id, number=a_number(2).e164, before=first.end, limit=3)

    assert [each.text for each in first.items] == ["Text 4", "Text 3", "Text 2"]
    assert [each.text for each in second.items] == ["Text 1", "Text 0"]
    assert second.end is None


async def test_what_no_database_keeps_as_text_is_left_out(store: Store) -> None:
    program = await store.add_program()

    (taken,) = await Phone(store).texts("ST\0OP \ud83d!")

    assert taken.outcome is InboundOutcome.KEPT
    assert [each.text for each in await inbox(store, program)] == ["STOP ?!"]


# Keywords


async def test_stop_is_an_opt_out_with_its_proof(store: Store) -> None:
    program, other = await store.add_program("city-hall"), await store.add_program("library")
    await store.add_text(program, a_number())
    await move(store, a_number(), DeliveryState.DELIVERED)

    (taken,) = await Phone(store).texts(" Stop. ")

    assert taken.keyword is Keyword.OPT_OUT
    assert await is_blocked(store, program, a_number())
    assert not await is_blocked(store, other, a_number())
    (event,) = (await store.opt_outs.events(a_number(), limit=100)).items
    assert (event.method, event.wording, event.actor) == (Method.TEXT, " Stop. ", "recipient")
    assert (event.at_us, event.reference, event.program_id) == (LATER, taken.callback.key, program.id)
    assert (await inbox(store, program))[0].keyword is Keyword.OPT_OUT


@pytest.mark.parametrize(
    ("scope", "bound"), [(Scope.SENDER, {"city-hall", "library"}), (Scope.GLOBAL, {"city-hall", "library", "museum"})]
)
async def test_the_hub_says_whose_texts_an_opt_out_is_about(store: Store, scope: Scope, bound: set[str]) -> None:
    programs = [await store.add_program("city-hall"), await store.add_program("library")]
    programs.append(await store.add_program("museum", sender=OTHER_SENDER))
    await store.add_text(programs[0], a_number())
    await move(store, a_number(), DeliveryState.DELIVERED)

    await Phone(store).texts("STOP", scope=scope)

    assert {each.id for each in programs if await is_blocked(store, each, a_number())} == bound


async def test_stop_to_a_shared_sender_from_somebody_unknown_binds_all_who_send_from_it(store: Store) -> None:
    programs = [await store.add_program("city-hall"), await store.add_program("library")]

    (taken,) = await Phone(store).texts("STOP")

    assert (taken.outcome, taken.keyword) == (InboundOutcome.NOBODYS, Keyword.OPT_OUT)
    assert [await is_blocked(store, each, a_number()) for each in programs] == [True, True]


async def test_start_lifts_whatever_binds_and_is_a_mere_text_where_nothing_does(store: Store) -> None:
    program = await store.add_program()
    sender_id = program.sender.id
    await store.opt_outs.record(
        [
            an_opt_out(program.id, a_number()),
            an_opt_out(None, a_number(), sender_id=sender_id),
            an_opt_out(None, a_number()),
        ]
    )
    phone = Phone(store)

    (first,) = await phone.texts("Start")
    (second,) = await phone.texts("yes")

    assert (first.keyword, second.keyword) == (Keyword.OPT_IN, None)
    assert not await is_blocked(store, program, a_number())
    said = (await store.opt_outs.events(a_number(), limit=100)).items
    assert [each.consent for each in said] == [Consent.WITHDRAWN] * 3 + [Consent.GIVEN] * 3
    assert {each.scope for each in said[3:]} == set(Scope)


async def test_look_alikes_and_short_codes_opt_nobody_out(store: Store) -> None:
    program = await store.add_program()
    phone = Phone(store)

    (alike,) = await phone.texts("end of class?")
    await phone.sends({"From": "72975", "To": SENDER.value, "Text": "STOP"})
    (short,) = await phone.looked_at()

    assert (alike.keyword, short.keyword) == (None, None)
    assert not await is_blocked(store, program, a_number())
    assert [each.number for each in await inbox(store, program)] == ["72975", a_number().e164]


# While a text is on its way


async def test_an_opt_out_waits_for_what_is_being_sent_and_lets_nothing_new_out(store: Store) -> None:
    program = await store.add_program()
    await store.add_text(program, a_number())
    await move(store, a_number(), DeliveryState.SENDING)
    phone = Phone(store)

    waiting = await phone.texts("STOP")

    assert waiting == []
    assert await is_blocked(store, program, a_number()), "no other text is sent meanwhile"
    assert (await store.opt_outs.events(a_number(), limit=100)).items == []
    assert await inbox(store, program) == []

    await move(store, a_number(), DeliveryState.SENT)
    (taken,) = await phone.looked_at(now_us=LATER + SECOND_US)

    assert taken.keyword is Keyword.OPT_OUT
    (event,) = (await store.opt_outs.events(a_number(), limit=100)).items
    (opt_out,) = (await store.opt_outs.page(program.id, after=None, limit=10)).items
    assert event.at_us == opt_out.since_us == LATER + SECOND_US, "so whatever was sent, was sent before"
    assert opt_out.method is Method.TEXT


async def test_one_who_waits_keeps_nobody_else_waiting(store: Store) -> None:
    program = await store.add_program()
    await store.add_text(program, a_number())
    await move(store, a_number(), DeliveryState.SENDING)
    await Phone(store).texts("STOP")

    (taken,) = await Phone(store, a_number(1)).texts("STOP")

    assert taken.keyword is Keyword.OPT_OUT
    async with store.database.reading() as connection:
        left = await connection.execute(select(callbacks.c.key).where(callbacks.c.outcome.is_(None)))
        assert left.scalars().all() == [f"{a_number().e164}-1"]


async def test_start_does_not_overtake_a_stop_that_waits(store: Store) -> None:
    program = await store.add_program()
    await store.add_text(program, a_number())
    await move(store, a_number(), DeliveryState.SENDING)
    phone = Phone(store)
    await phone.texts("STOP")

    assert await phone.texts("START") == []

    await move(store, a_number(), DeliveryState.SENT)
    assert [each.keyword for each in await phone.looked_at()] == [Keyword.OPT_OUT, Keyword.OPT_IN]
    assert not await is_blocked(store, program, a_number())


async def test_what_another_program_is_sending_delays_no_opt_out(store: Store) -> None:
    program, other = await store.add_program("city-hall"), await store.add_program("museum", sender=OTHER_SENDER)
    await store.add_text(other, a_number())
    await move(store, a_number(), DeliveryState.SENDING)

    (taken,) = await Phone(store).texts("STOP")

    assert taken.program_id == program.id
    assert len((await store.opt_outs.events(a_number(), limit=100)).items) == 1


# What the provider knows


async def test_the_providers_word_at_a_send_binds_all_who_send_from_the_sender(store: Store) -> None:
    program, other = await store.add_program("city-hall", pace="9/s"), await store.add_program("library", pace="9/s")
    await store.add_text(program, a_number(), a_number(1))
    first, second = await store.claim(await store.join())

    await store.queue.record(
        [
            first.delivery.refused(OPTED_OUT_AT_PROVIDER, now_us=LATER, opted_out=True),
            second.delivery.sent("SM2", now_us=LATER),
        ]
    )

    assert [await is_blocked(store, each, a_number()) for each in (program, other)] == [True, True]
    assert not await is_blocked(store, program, a_number(1))
    (event,) = (await store.opt_outs.events(a_number(), limit=100)).items
    assert (event.method, event.scope, event.at_us) == (Method.PROVIDER, Scope.SENDER, LATER)
    assert event.reference == f"delivery {first.delivery.id}"


async def test_the_providers_word_by_a_receipt_is_kept_with_its_reference(store: Store) -> None:
    program = await store.add_program()
    await store.add_text(program, a_number())
    (claim,) = await store.claim(await store.join())
    await store.queue.record([claim.delivery.sent("SM1", now_us=NOW_US)])
    receipt = Receipt(
        state=DeliveryState.UNDELIVERED,
        reference="SM1",
        digits=a_number().e164.removeprefix("+"),
        reason=OPTED_OUT_AT_PROVIDER,
        delivery_id=claim.delivery.id,
    )
    for key in ("once", "twice"):
        await store.callbacks.add(
            Callback(
                source="post",
                kind=CallbackKind.RECEIPT,
                account_id=program.sender.account_id,
                key=key,
                received_us=NOW_US,
                fields={},
            )
        )

    await store.callbacks.work_off(lambda _: receipt, now_us=LATER, limit=10)

    assert await is_blocked(store, program, a_number())
    (event,) = (await store.opt_outs.events(a_number(), limit=100)).items
    assert (event.method, event.scope, event.reference) == (Method.PROVIDER, Scope.SENDER, "SM1")

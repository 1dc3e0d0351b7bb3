"""Who texts a keyword is answered, once, where the hub is to answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import update

from adapters.sql.inbound_messages import SqlInboundMessages
from adapters.sql.tables import deliveries, senders
from domain.model.callback import Callback, CallbackKind
from domain.model.consent import Scope
from domain.model.delivery import DeliveryState
from domain.model.inbound_message import InboundText
from domain.model.keyword_reply import HELP_AGAIN_AFTER_US, REPLY_WITHIN_US
from domain.model.pace import SECOND_US
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.sender import OptOutReplies
from domain.model.terms import Terms
from domain.model.text_message import TextSummary
from domain.ports.inbound_messages import DueReply
from domain.use_cases.reply_to_keywords import ReplyToKeywords
from tests.builders import NOW_US, SENDER, Store, a_number, an_opt_out
from tests.unit.fakes import FakeClock, FakeWakeups


def read(callback: Callback) -> InboundText:
    fields: Mapping[str, object] = callback.fields
    return InboundText(
        addresses=[SENDER.value],
        number=str(fields["From"]),
        text=str(fields["Text"]),
        reference=callback.key,
        answered=bool(fields["Answered"]),
    )


@dataclass
class Phone:
    """Somebody who texts, and what the hub makes of it."""

    store: Store
    now_us: int = NOW_US
    texted: int = 0

    async def texts(self, text: str, *, answered: bool = False) -> int:
        """How many texts were taken in."""
        self.texted += 1
        fields = {"From": a_number().e164, "Text": text, "Answered": answered}
        await self.store.callbacks.add(
            Callback(
                source="post",
                kind=CallbackKind.INBOUND,
                account_id=1,
                key=f"text-{self.texted}",
                received_us=self.now_us,
                fields=fields,
            )
        )
        return await self.taken_in()

    async def taken_in(self) -> int:
        return len(await self.store.inbound.take_in(read, scope=Scope.PROGRAM, now=lambda: self.now_us, limit=100))

    async def is_answered(self, *, after_us: int = 0) -> int:
        """How many answers go out to it now."""
        self.now_us += after_us
        clock = FakeClock(self.now_us)
        reply = ReplyToKeywords(
            messages=self.store.inbound,
            programs=self.store.programs,
            intake=self.store.intake,
            wakeups=FakeWakeups(clock),
            clock=clock,
        )
        return await reply()


class Again(SqlInboundMessages):
    """Gives out what it is told to."""

    def __init__(self, store: Store, due: Sequence[DueReply]) -> None:
        super().__init__(store.database)
        self._due = due

    async def due_replies(self, *, now_us: int, limit: int) -> Sequence[DueReply]:
        _ = now_us, limit
        return self._due


async def replies_of(store: Store, program: Program, replies: OptOutReplies) -> None:
    sender = program.sender
    await store.senders.change(sender.id, pace=sender.pace, backlog_us=0, opt_out_replies=replies, now_us=NOW_US)


async def move(store: Store, state: DeliveryState) -> None:
    async with store.database.writing() as connection:
        await connection.execute(update(deliveries).values(state=state.value))


async def answers(store: Store, program: Program) -> Sequence[TextSummary]:
    page = await store.texts.page(program.id, before=None, limit=100)
    return page.items[::-1]


async def words(store: Store, program: Program) -> Sequence[str]:
    return [each.message.body.text for each in await answers(store, program)]


@pytest.fixture
async def program(store: Store) -> Program:
    """One whose sender's keywords the hub answers."""
    program = await store.add_program()
    await replies_of(store, program, OptOutReplies.HUB)
    return program


async def test_stop_start_and_help_are_answered_in_the_program_s_name(store: Store, program: Program) -> None:
    phone = Phone(store)
    for text in ("Stop!", "START", "help"):
        await phone.texts(text)
        assert await phone.is_answered(after_us=SECOND_US) == 1

    assert await words(store, program) == [
        "City Hall: you will get no more texts. Reply START to get them again.",
        "City Hall: you will get texts again. Reply STOP to get no more.",
        "City Hall: reply STOP to get no more texts. Msg & data rates may apply.",
    ]
    (help_, _, stop) = (await store.inbound.page(program.id, before=None, limit=10)).items
    first, _, last = [str(each.message.id) for each in await answers(store, program)]
    assert (stop.reply, help_.reply) == (first, last)


async def test_a_program_has_words_of_its_own(store: Store, program: Program) -> None:
    await store.set_terms(
        program.id, Terms(opt_out_reply="Bye.", opt_in_reply="Hello again.", help_reply="Call 970 491 0000.")
    )
    phone = Phone(store)
    for text in ("Stop!", "START", "help"):
        await phone.texts(text)
        await phone.is_answered(after_us=SECOND_US)

    assert await words(store, program) == ["Bye.", "Hello again.", "Call 970 491 0000."]


async def test_the_answer_to_stop_goes_out_to_who_has_opted_out_and_nothing_else_does(
    store: Store, program: Program
) -> None:
    phone = Phone(store)
    await phone.texts("STOP")
    await phone.is_answered()
    (answer,) = await answers(store, program)
    other = await store.add_text(program, a_number())

    dispatcher_id = await store.join()
    (claim,) = await store.claim(dispatcher_id)

    assert (claim.message_id, claim.body.text) == (answer.message.id, answer.message.body.text)
    assert answer.message.priority is Priority.URGENT
    assert await store.states(program, other) == [DeliveryState.BLOCKED]


async def test_what_was_opted_out_of_already_is_not_confirmed_once_more(store: Store, program: Program) -> None:
    await store.opt_outs.record([an_opt_out(program.id, a_number())])
    phone = Phone(store)

    await phone.texts("STOP")

    assert await phone.is_answered() == 0


async def test_a_stop_that_waited_for_a_text_is_confirmed(store: Store, program: Program) -> None:
    message = await store.add_text(program, a_number())
    await move(store, DeliveryState.SENDING)
    phone = Phone(store)
    assert await phone.texts("STOP") == 0
    assert await phone.is_answered() == 0

    await move(store, DeliveryState.SENT)
    await phone.taken_in()

    assert await phone.is_answered() == 1
    assert (await answers(store, program))[-1].message.id != message.id


async def test_mere_texts_are_not_answered(store: Store, program: Program) -> None:
    phone = Phone(store)
    for text in ("Thank you!", "yes", "end of class?"):
        await phone.texts(text)

    assert await phone.is_answered() == 0
    assert await answers(store, program) == []


async def test_where_the_provider_answers_the_hub_does_not(store: Store) -> None:
    program = await store.add_program()
    await replies_of(store, program, OptOutReplies.PROVIDER)
    phone = Phone(store)

    await phone.texts("STOP")

    assert await phone.is_answered() == 0


async def test_what_the_provider_says_it_has_answered_is_not_answered_again(store: Store, program: Program) -> None:
    phone = Phone(store)

    await phone.texts("STOP", answered=True)

    assert await phone.is_answered() == 0
    assert await answers(store, program) == []


async def test_help_is_answered_now_and_then(store: Store, program: Program) -> None:
    phone = Phone(store)
    await phone.texts("HELP")
    assert await phone.is_answered() == 1

    await phone.texts("HELP")
    assert await phone.is_answered(after_us=HELP_AGAIN_AFTER_US) == 0

    await phone.texts("HELP")
    assert await phone.is_answered() == 1
    assert len(await answers(store, program)) == 2


async def test_an_answer_that_would_come_too_late_is_none(store: Store, program: Program) -> None:
    phone = Phone(store)
    await phone.texts("STOP")

    assert await phone.is_answered(after_us=REPLY_WITHIN_US) == 0

    (stop,) = (await store.inbound.page(program.id, before=None, limit=10)).items
    assert stop.reply is None
    assert await phone.is_answered() == 0


async def test_an_answer_that_waits_too_long_expires(store: Store, program: Program) -> None:
    phone = Phone(store)
    await phone.texts("STOP")
    await phone.is_answered()

    assert await store.due.expire(now_us=NOW_US + REPLY_WITHIN_US) == 1
    (answer,) = await answers(store, program)
    assert answer.state is DeliveryState.EXPIRED


async def test_whoever_is_given_it_again_it_is_sent_once(store: Store, program: Program) -> None:
    """As when the first who answered was killed before it said so."""
    phone = Phone(store)
    await phone.texts("STOP")
    due = await store.inbound.due_replies(now_us=NOW_US, limit=10)
    assert await store.inbound.due_replies(now_us=NOW_US, limit=10) == [], "it is given out once"
    assert await phone.is_answered(after_us=31 * SECOND_US) == 1

    clock = FakeClock(phone.now_us)
    reply = ReplyToKeywords(
        messages=Again(store, due),
        programs=store.programs,
        intake=store.intake,
        wakeups=FakeWakeups(clock),
        clock=clock,
    )
    await reply()

    assert len(await answers(store, program)) == 1


async def test_who_answers_by_default_depends_on_the_provider(store: Store) -> None:
    program = await store.add_program()
    assert program.sender.opt_out_replies is OptOutReplies.HUB
    async with store.database.writing() as connection:
        await connection.execute(update(senders).values(opt_out_replies="provider"))
    (sender,) = await store.senders.all()
    assert sender == replace(program.sender, opt_out_replies=OptOutReplies.PROVIDER)


@pytest.mark.parametrize(("provider", "usual"), [("twilio", OptOutReplies.PROVIDER), ("vonage", OptOutReplies.HUB)])
def test_twilio_answers_by_itself_and_vonage_does_not(provider: str, usual: OptOutReplies) -> None:
    assert OptOutReplies.usual_with(provider) is usual

"""What a text would be: whom it would go to, until when, and what it would cost."""

from decimal import Decimal
from typing import Any

import pytest

from domain.errors import HubError, NoRecipients, OtherProgram, TextRefused, TokenRefused, UnknownSender
from domain.model.pace import Pace
from domain.model.price import Price
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.queue_ahead import QueueAhead
from domain.model.waiting import Waiting
from domain.use_cases.preview_text import Audience, Preview, PreviewText, PreviewTextCommand
from tests.unit.builders import NOON, SECOND, a_grant, a_number, a_program, a_sender, an_opt_out
from tests.unit.fakes import (
    FakeBacklog,
    FakeClock,
    InMemoryContacts,
    InMemoryOptOuts,
    InMemoryPrograms,
    InMemoryTemplates,
)
from tests.unit.use_cases.sending import a_store

# Half a percent more than the pace asks for.
PLANNED_SECOND = 1_005_000
TWO_SENDERS = a_program(
    sender=a_sender("1/s", sender_id=1), other_senders=[a_sender("50/s", sender_id=2, address="+493012345678")]
)


class Hub:
    """A hub in the United States with one program that sends one segment in a second."""

    def __init__(
        self, program: Program | None = None, *, backlog: FakeBacklog | None = None, segment_price: str | None = None
    ) -> None:
        store = a_store()
        self.opt_outs = InMemoryOptOuts(store)
        self.backlog = backlog or FakeBacklog()
        self.templates = InMemoryTemplates()
        self.preview_text = PreviewText(
            programs=InMemoryPrograms(program or a_program()),
            templates=self.templates,
            opt_outs=self.opt_outs,
            contacts=InMemoryContacts(store),
            backlog=self.backlog,
            clock=FakeClock(),
            default_region="US",
            segment_price=None if segment_price is None else Price.parse(segment_price),
        )

    async def preview(
        self,
        to: str | None = None,
        text: str = "Hello.",
        *,
        sender: str | None = None,
        priority: Priority = Priority.NORMAL,
        program_id: str | None = None,
    ) -> Preview:
        command = PreviewTextCommand(text=text, recipients=to, sender=sender, priority=priority, program_id=program_id)
        return await self.preview_text(a_grant(), command)

    async def audience(
        self, to: str, text: str = "Hello.", *, sender: str | None = None, priority: Priority = Priority.NORMAL
    ) -> Audience:
        audience = (await self.preview(to, text, sender=sender, priority=priority)).audience
        assert audience is not None
        return audience

    async def opt_out(self, which: int, program_id: str = "PHARMACY") -> None:
        await self.opt_outs.record([an_opt_out(program_id, a_number(which), at_us=NOON)])


def three_numbers() -> str:
    return "970-690-0001,970-690-0002,970-690-0003"


async def test_a_text_alone_has_no_audience_and_asks_nobody() -> None:
    hub = Hub()
    preview = await hub.preview(text="x" * 161)
    assert (preview.body.segments, preview.audience, preview.sender.id) == (2, None, 1)
    assert hub.backlog.asked == []


async def test_a_text_of_more_segments_than_the_program_may_send_is_shown_with_its_limit() -> None:
    preview = await Hub(a_program(segment_cap=1)).preview(text="x" * 161)
    assert (preview.body.segments, preview.segment_cap) == (2, 1)


async def test_numbers_are_told_apart_by_what_becomes_of_them() -> None:
    hub = Hub(segment_price="0.01 EUR")
    await hub.opt_out(2)
    await hub.opt_out(3, "LIBRARY")
    audience = await hub.audience(f"{three_numbers()}, 911, (970) 690-0001, 12345", "x" * 161)
    assert list(audience.recipients.numbers) == [a_number(1), a_number(2), a_number(3)]
    assert [position for position, _ in audience.recipients.refusals] == [4, 6]
    assert (audience.recipients.doubles, audience.opted_out, audience.segments) == (1, 1, 4)
    assert audience.cost == Price(Decimal("0.04"), "EUR")


@pytest.mark.parametrize(
    ("to", "text", "after_us"),
    [
        ("970-690-0001", "Hello.", 0),
        (three_numbers(), "Hello.", 2 * PLANNED_SECOND),
        ("970-690-0001", "x" * 161, 0),
        (three_numbers(), "x" * 161, 4 * PLANNED_SECOND),
    ],
)
async def test_at_an_idle_sender_the_last_text_waits_for_those_before_it_alone(
    to: str, text: str, after_us: int
) -> None:
    audience = await Hub().audience(to, text)
    assert (audience.asked_us, audience.completed_us) == (NOON, NOON + after_us)


async def test_who_has_opted_out_takes_no_time() -> None:
    hub = Hub()
    await hub.opt_out(2)
    assert (await hub.audience(three_numbers())).completed_us == NOON + PLANNED_SECOND


@pytest.mark.parametrize(
    ("segments", "free_in_us", "after_us"),
    [
        (10, -SECOND, 12 * PLANNED_SECOND),
        (0, 7 * SECOND, 7 * SECOND + 2 * PLANNED_SECOND),
        (10, 7 * SECOND, 7 * SECOND + 12 * PLANNED_SECOND),
    ],
)
async def test_what_waits_and_what_is_reserved_goes_before(segments: int, free_in_us: int, after_us: int) -> None:
    waiting = {(Priority.URGENT, "LIBRARY"): Waiting(segments, segments)} if segments else {}
    hub = Hub(
        backlog=FakeBacklog(QueueAhead(pace=Pace.parse("1/s"), at_us=NOON, free_us=NOON + free_in_us, waiting=waiting))
    )
    assert (await hub.audience(three_numbers())).completed_us == NOON + after_us


async def test_what_goes_before_is_what_waits_at_the_sender() -> None:
    hub = Hub(TWO_SENDERS)
    await hub.audience("+15551234567", sender="+493012345678")
    assert hub.backlog.asked == [(2, NOON)]


async def test_where_another_takes_over_it_is_what_waits_there() -> None:
    barred = a_sender(sender_id=1, bar_reason="no-credit")
    hub = Hub(a_program(sender=barred, other_senders=TWO_SENDERS.other_senders, failover=True))
    preview = await hub.preview("+15551234567")
    assert (preview.sender.id, hub.backlog.asked) == (1, [(2, NOON)])


@pytest.mark.parametrize("stopped", [{"stopped": True}, {"paused": frozenset({"PHARMACY"})}])
async def test_nobody_knows_when_what_stands_still_goes_on(stopped: dict[str, Any]) -> None:
    hub = Hub(backlog=FakeBacklog(QueueAhead(pace=Pace.parse("1/s"), at_us=NOON, **stopped)))
    assert (await hub.audience(three_numbers())).completed_us is None


async def test_numbers_and_pace_are_those_of_the_named_sender() -> None:
    hub = Hub(TWO_SENDERS, backlog=FakeBacklog(QueueAhead(pace=Pace.parse("50/s"), at_us=NOON)))
    audience = await hub.audience("0151 23456789, 0151 23456780", sender="+493012345678")
    assert audience.recipients.numbers[0].e164 == "+4915123456789"
    assert audience.completed_us == NOON + PLANNED_SECOND // 50


@pytest.mark.parametrize("to", ["911", "970-690-0002", "911, 970-690-0002"])
async def test_a_text_that_would_go_to_nobody_is_never_completed_and_costs_nothing(to: str) -> None:
    hub = Hub(segment_price="0.01 EUR")
    await hub.opt_out(2)
    audience = await hub.audience(to)
    assert (audience.segments, audience.completed_us) == (0, None)
    assert audience.cost == Price(Decimal(0), "EUR")


async def test_without_a_price_there_is_no_cost() -> None:
    assert (await Hub().audience(three_numbers())).cost is None


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"text": " "}, TextRefused),
        ({"to": " ,,"}, NoRecipients),
        ({"sender": "+493012345678"}, UnknownSender),
        ({"program_id": "LIBRARY"}, OtherProgram),
    ],
)
async def test_a_preview_of_what_makes_no_sense_is_refused(asked: dict[str, str], error: type[HubError]) -> None:
    with pytest.raises(error):
        await Hub().preview(**asked)  # type: ignore[arg-type]


async def test_a_token_whose_program_is_gone_is_refused() -> None:
    with pytest.raises(TokenRefused):
        await Hub(a_program("LIBRARY")).preview()


def test_a_preview_shown_in_a_log_or_a_traceback_shows_neither_text_nor_number() -> None:
    shown = repr(PreviewTextCommand(text="Your test was positive.", recipients="970-690-4544"))
    assert "positive" not in shown
    assert "4544" not in shown

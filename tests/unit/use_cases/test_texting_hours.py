"""A program's texting hours, when a text of its is accepted, previewed or waited for."""

import asyncio
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from domain.model.delivery import DeliveryState
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.terms import Terms
from domain.model.text_message import AcceptedText
from domain.model.texting_hours import TextingHours
from domain.use_cases.await_outcome import AwaitOutcome
from domain.use_cases.preview_text import PreviewText, PreviewTextCommand
from domain.use_cases.send_text import SendTextCommand
from tests.unit.builders import NOON, SECOND, a_grant, a_program
from tests.unit.fakes import FakeClock, InMemoryContacts, InMemoryPrograms
from tests.unit.use_cases.sending import Hub

S = DeliveryState
IN_DENVER, IN_LONDON, IN_NEW_YORK = "+19706904544", "+442079460000", "+12125550100"


def an_office(hours: str = "09:00-20:00", *, urgent_any_time: bool = False) -> Program:
    return a_program(terms=Terms(texting_hours=TextingHours.parse(hours), urgent_any_time=urgent_any_time))


def at(written: str, zone: str = "America/Denver") -> int:
    return round(datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


# The hub's clock stands at 12:00 in London, 08:00 in New York and 06:00 in Denver.
OPENS_IN_NEW_YORK, OPENS_IN_DENVER = at("2026-03-20 09:00", "America/New_York"), at("2026-03-20 09:00")
COMMAND = SendTextCommand(text="Hello.", recipients=IN_DENVER)


async def post(hub: Hub, **asked: object) -> AcceptedText:
    return await hub.send(a_grant(), replace(COMMAND, **asked))  # type: ignore[arg-type]


def waits(hub: Hub) -> list[tuple[DeliveryState, str | None, int | None]]:
    return [(each.state, each.reason, each.due_us) for each in hub.store.deliveries()]


async def test_each_recipient_is_texted_by_a_clock_of_theirs() -> None:
    hub = Hub(an_office())
    summary = (await post(hub, recipients=f"{IN_DENVER},{IN_LONDON},{IN_NEW_YORK}")).summary
    assert waits(hub) == [
        (S.SCHEDULED, "quiet-hours", OPENS_IN_DENVER),
        (S.QUEUED, None, None),
        (S.SCHEDULED, "quiet-hours", OPENS_IN_NEW_YORK),
    ]
    assert summary.message.estimated_us == OPENS_IN_DENVER
    assert hub.store.lines[1].waiting == [2]


async def test_a_text_for_later_waits_for_the_hours_that_follow() -> None:
    hub = Hub(an_office())
    await post(hub, send_at_us=OPENS_IN_DENVER + SECOND)
    await post(hub, send_at_us=OPENS_IN_DENVER - SECOND)
    assert waits(hub) == [
        (S.SCHEDULED, None, OPENS_IN_DENVER + SECOND),
        (S.SCHEDULED, "quiet-hours", OPENS_IN_DENVER),
    ]


@pytest.mark.parametrize(("any_time", "state"), [(True, S.QUEUED), (False, S.SCHEDULED)])
async def test_an_urgent_text_is_sent_at_any_time_where_the_program_wants_that(
    *, any_time: bool, state: DeliveryState
) -> None:
    hub = Hub(an_office(urgent_any_time=any_time))
    assert (await post(hub, priority=Priority.URGENT)).summary.counts == {state: 1}
    assert (await post(hub, priority=Priority.NORMAL)).summary.counts == {S.SCHEDULED: 1}


async def test_what_is_not_through_when_the_hours_end_goes_on_the_next_day() -> None:
    hub = Hub(an_office("12:00-12:15"))
    numbers = ",".join(f"+44207946{which:04}" for which in range(1_000))
    summary = (await post(hub, recipients=numbers)).summary
    # Some 900 on the first day.
    next_day = at("2026-03-21 12:00", "Europe/London")
    assert summary.message.estimated_us is not None
    assert next_day < summary.message.estimated_us < next_day + 120 * SECOND


async def test_a_preview_tells_the_same_time() -> None:
    hub = Hub(an_office())
    preview = PreviewText(
        programs=InMemoryPrograms(an_office()),
        templates=hub.templates,
        opt_outs=hub.opt_outs,
        contacts=InMemoryContacts(hub.store),
        backlog=hub.backlog,
        clock=FakeClock(NOON),
        default_region="US",
        segment_price=None,
    )
    told = await preview(a_grant(), PreviewTextCommand(text="Hello.", recipients=IN_DENVER))
    assert told.audience is not None
    assert told.audience.completed_us == OPENS_IN_DENVER


async def test_nobody_waits_for_the_outcome_of_a_text_that_is_put_off() -> None:
    hub = Hub(an_office())
    accepted = (await post(hub)).summary
    wait = AwaitOutcome(texts=hub.texts, clock=hub.clock, stopping=asyncio.Event())
    assert await wait(a_grant(), accepted, at_most_us=30 * SECOND) is accepted

"""What is accepted, what is refused, and that nothing lies between."""

import pytest

from domain.errors import (
    HubError,
    NoRecipients,
    OtherProgram,
    RecipientsRefused,
    StoreUnavailable,
    TextRefused,
    TokenRefused,
    TooManyRecipients,
    TooManySegments,
)
from domain.model.delivery import DeliveryState
from domain.model.text_message import NUMBERS_SHOWN
from domain.use_cases.send_text import SendTextCommand
from tests.unit.builders import NOON, a_number, a_program, a_sender, an_opt_out
from tests.unit.use_cases.sending import Hub

S = DeliveryState


async def test_an_accepted_text_is_stored_and_its_deliveries_are_queued() -> None:
    hub = Hub()
    summary = await hub.text("970-690-0001, 970-690-0002")
    message = hub.store.messages[summary.message.id]
    assert (message.program_id, message.sender_id, message.recipients) == ("PHARMACY", 1, 2)
    assert (message.body.text, message.created_us) == ("Your appointment is tomorrow.", NOON)
    assert [(d.position, d.number, d.state) for d in hub.store.deliveries()] == [
        (1, a_number(1), S.QUEUED),
        (2, a_number(2), S.QUEUED),
    ]
    assert summary.message == message


async def test_the_answer_says_what_the_log_says() -> None:
    hub = Hub()
    answer = await hub.text("970-690-0001, 970-690-0002")
    stored = await hub.texts.find("PHARMACY", answer.message.id)
    assert stored is not None
    assert (answer.state, list(answer.numbers), dict(answer.counts)) == (
        stored.state,
        list(stored.numbers),
        dict(stored.counts),
    )


async def test_dispatchers_are_woken_once_a_text_is_stored() -> None:
    hub = Hub()
    await hub.text("970-690-0001, 970-690-0002")
    assert hub.wakeups.notified == 1


async def test_a_text_knows_how_many_segments_it_takes() -> None:
    hub = Hub()
    await hub.text(text="x" * 161)
    assert hub.store.delivery(1).segments == 2


async def test_a_number_given_twice_is_texted_once() -> None:
    hub = Hub()
    summary = await hub.text("970-690-4544, (970) 690-4544, +19706904544")
    assert hub.numbers() == ["+19706904544"]
    assert summary.message.recipients == 1


async def test_numbers_without_country_code_are_of_the_country_of_the_sender() -> None:
    hub = Hub(a_program(sender=a_sender(address="+4915112345678")))
    await hub.text("0151 23456789")
    assert hub.numbers() == ["+4915123456789"]


async def test_numbers_without_country_code_are_of_the_hubs_country_where_the_sender_has_none() -> None:
    hub = Hub(a_program(sender=a_sender(address="72975")))
    await hub.text("970-690-4544")
    assert hub.numbers() == ["+19706904544"]


async def test_a_long_list_is_read_like_a_short_one() -> None:
    hub = Hub()
    written = [f"(970) 690-{which:04}" for which in range(300)]
    summary = await hub.text(", ".join(written))
    assert hub.numbers() == [a_number(which).e164 for which in range(300)]
    assert list(summary.numbers) == [a_number(which) for which in range(NUMBERS_SHOWN)]
    assert summary.counts == {S.QUEUED: 300}


async def test_a_long_list_with_a_wrong_number_is_refused_like_a_short_one() -> None:
    refused = await Hub().refused(", ".join(["970-690-4544"] * 200 + ["911"]))
    assert isinstance(refused, RecipientsRefused)
    assert [position for position, _ in refused.refusals] == [201]


async def test_who_has_opted_out_of_the_programs_texts_is_blocked_and_the_others_are_texted() -> None:
    hub = Hub()
    await hub.opt_outs.record([an_opt_out("PHARMACY", a_number(2), at_us=NOON)])
    summary = await hub.text("970-690-0001, 970-690-0002")
    assert [(d.state, d.reason) for d in hub.store.deliveries()] == [(S.QUEUED, None), (S.BLOCKED, "opted-out")]
    assert summary.counts == {S.QUEUED: 1, S.BLOCKED: 1}
    assert not summary.failed


async def test_a_text_to_none_but_opted_out_numbers_is_kept_and_has_failed() -> None:
    hub = Hub()
    await hub.opt_outs.record([an_opt_out("PHARMACY", a_number(1), at_us=NOON)])
    summary = await hub.text("970-690-0001")
    assert summary.state is S.BLOCKED
    assert summary.failed
    assert summary.message.id in hub.store.messages


async def test_an_opt_out_of_another_programs_texts_blocks_nothing() -> None:
    hub = Hub()
    await hub.opt_outs.record([an_opt_out("LIBRARY", a_number(1), at_us=NOON)])
    assert (await hub.text("970-690-0001")).state is S.QUEUED


@pytest.mark.parametrize("program_id", [None, "PHARMACY", "pharmacy", "Pharmacy"])
async def test_a_program_may_name_itself_in_any_letter_case_or_not_at_all(program_id: str | None) -> None:
    assert (await Hub().text(program_id=program_id)).message.program_id == "PHARMACY"


@pytest.mark.parametrize("program_id", ["LIBRARY", "", "PHARMACY "])
async def test_a_program_may_not_name_another(program_id: str) -> None:
    assert isinstance(await Hub().refused(program_id=program_id), OtherProgram)


async def test_a_token_whose_program_is_gone_is_refused() -> None:
    assert isinstance(await Hub(a_program("LIBRARY")).refused(), TokenRefused)


@pytest.mark.parametrize("text", ["", " ", "a\0b", "x" * 1_601])
async def test_a_text_that_cannot_be_sent_is_refused(text: str) -> None:
    assert isinstance(await Hub().refused(text=text), TextRefused)


async def test_a_text_of_more_segments_than_the_program_may_send_is_refused() -> None:
    hub = Hub(a_program(segment_cap=2))
    await Hub(a_program(segment_cap=2)).text(text="x" * 306)
    refused = await hub.refused(text="x" * 307)
    assert isinstance(refused, TooManySegments)
    assert (refused.segments, refused.limit) == (3, 2)


@pytest.mark.parametrize(
    ("to", "error"),
    [
        ("", NoRecipients),
        (" , ,", NoRecipients),
        ("911", RecipientsRefused),
        ("970-690-4544, 911", RecipientsRefused),
        (",".join(["9706904544"] * 10_001), TooManyRecipients),
    ],
)
async def test_numbers_that_cannot_all_be_texted_refuse_the_whole_request(to: str, error: type[HubError]) -> None:
    assert isinstance(await Hub().refused(to), error)


async def test_a_text_that_could_not_be_stored_wakes_nobody() -> None:
    hub = Hub()
    hub.intake.away = True
    assert isinstance(await hub.refused(), StoreUnavailable)


async def test_what_an_old_client_wrote_as_its_date_is_kept_and_schedules_nothing() -> None:
    hub = Hub()
    summary = await hub.text(client_date_sent="2031-01-01T00:00:00")
    assert summary.message.client_date_sent == "2031-01-01T00:00:00"
    assert hub.store.states() == [S.QUEUED]


def test_a_request_shown_in_a_log_or_a_traceback_shows_neither_text_nor_number() -> None:
    shown = repr(SendTextCommand(text="Your test was positive.", recipients="970-690-4544"))
    assert "positive" not in shown
    assert "4544" not in shown

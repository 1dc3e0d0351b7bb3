"""When a text is sent, by which sender, how urgently, and what becomes of wrong numbers."""

from dataclasses import replace

import pytest

from domain.errors import HubError, NoRecipients, RecipientsRefused, TimeRefused, UnknownSender
from domain.model.delivery import DeliveryState
from domain.model.priority import Priority
from domain.model.text_message import AcceptedText
from domain.use_cases.send_text import SendTextCommand
from tests.unit.builders import NOON, SECOND, a_grant, a_number, a_program, a_sender, an_opt_out
from tests.unit.use_cases.sending import Hub

S = DeliveryState
YEAR = 366 * 24 * 3_600 * SECOND
COMMAND = SendTextCommand(text="Hello.", recipients="970-690-4544")
TWO_COUNTRIES = a_program(
    sender=a_sender(sender_id=1, address="+18005550100"),
    other_senders=[a_sender(sender_id=2, address="+493012345678"), a_sender(sender_id=3, address="72975")],
)


async def post(hub: Hub, **asked: object) -> AcceptedText:
    return await hub.send(a_grant(), replace(COMMAND, **asked))  # type: ignore[arg-type]


async def refusal(**asked: object) -> HubError:
    return await Hub().refusal_of(replace(COMMAND, **asked))  # type: ignore[arg-type]


async def test_a_text_for_later_is_scheduled_and_does_not_stand_in_line() -> None:
    hub = Hub()
    summary = (await post(hub, send_at_us=NOON + SECOND, expires_us=NOON + SECOND + 1)).summary
    (delivery,) = hub.store.deliveries()
    assert (delivery.state, delivery.due_us) == (S.SCHEDULED, NOON + SECOND)
    assert hub.store.lines[1].waiting == []
    assert (summary.message.send_at_us, summary.message.expires_us) == (NOON + SECOND, NOON + SECOND + 1)
    assert hub.store.messages[summary.message.id] == summary.message


async def test_a_text_for_now_stands_in_line_whenever_it_expires() -> None:
    hub = Hub()
    await post(hub, expires_us=NOON + 1)
    (delivery,) = hub.store.deliveries()
    assert (delivery.state, delivery.due_us) == (S.QUEUED, None)
    assert hub.store.lines[1].waiting == [1]


async def test_who_has_opted_out_is_blocked_at_once_even_where_the_text_is_for_later() -> None:
    hub = Hub()
    await hub.opt_outs.record([an_opt_out("PHARMACY", a_number(4544), at_us=NOON)])
    assert (await post(hub, send_at_us=NOON + SECOND)).summary.counts == {S.BLOCKED: 1}


@pytest.mark.parametrize(
    ("send_at_us", "expires_us", "name", "reason"),
    [
        (NOON, None, "SendAt", "SendAt has passed."),
        (NOON - YEAR, None, "SendAt", "SendAt has passed."),
        (NOON + YEAR + 1, None, "SendAt", "SendAt is more than a year ahead."),
        (None, NOON, "ExpiresAt", "ExpiresAt has passed."),
        (NOON + SECOND, NOON - 1, "ExpiresAt", "ExpiresAt has passed."),
        (NOON + SECOND, NOON + SECOND, "ExpiresAt", "ExpiresAt is not after SendAt."),
        (NOON + SECOND, NOON + 1, "ExpiresAt", "ExpiresAt is not after SendAt."),
        (NOON, NOON, "SendAt", "SendAt has passed."),
    ],
)
async def test_a_time_at_which_nothing_can_be_sent_is_refused_by_its_name(
    send_at_us: int | None, expires_us: int | None, name: str, reason: str
) -> None:
    refused = await refusal(send_at_us=send_at_us, expires_us=expires_us)
    assert isinstance(refused, TimeRefused)
    assert (refused.name, str(refused)) == (name, reason)


@pytest.mark.parametrize(("send_at_us", "expires_us"), [(NOON + 1, NOON + 2), (NOON + YEAR, None), (None, NOON + 1)])
async def test_times_may_be_as_close_and_as_far_as_can_be(send_at_us: int | None, expires_us: int | None) -> None:
    message = (await post(Hub(), send_at_us=send_at_us, expires_us=expires_us)).summary.message
    assert (message.send_at_us, message.expires_us) == (send_at_us, expires_us)


async def test_a_lenient_request_leaves_out_wrong_numbers_and_names_them() -> None:
    hub = Hub()
    accepted = await post(hub, recipients="911, 970-690-0001,, 12345, 970-690-0002", lenient=True)
    assert [position for position, _ in accepted.refusals] == [1, 4]
    assert [(d.position, d.number) for d in hub.store.deliveries()] == [(1, a_number(1)), (2, a_number(2))]
    assert accepted.summary.message.recipients == 2


async def test_a_lenient_request_with_right_numbers_alone_refuses_none() -> None:
    assert list((await post(Hub(), lenient=True)).refusals) == []


@pytest.mark.parametrize(("recipients", "error"), [("911, 12345", RecipientsRefused), (" ,,", NoRecipients)])
async def test_a_lenient_request_to_nobody_is_refused_like_any_other(recipients: str, error: type[HubError]) -> None:
    assert isinstance(await refusal(recipients=recipients, lenient=True), error)


@pytest.mark.parametrize("priority", Priority)
async def test_a_text_is_stored_with_its_priority(priority: Priority) -> None:
    hub = Hub()
    summary = (await post(hub, priority=priority)).summary
    assert hub.store.messages[summary.message.id].priority is priority


async def test_a_text_is_normal_unless_it_says_otherwise() -> None:
    assert (await post(Hub())).summary.message.priority is Priority.NORMAL


@pytest.mark.parametrize(
    ("sender", "sender_id", "to", "number"),
    [
        (None, 1, "970-690-4544", "+19706904544"),
        ("(800) 555-0100", 1, "970-690-4544", "+19706904544"),
        ("+49 30 12345678", 2, "0151 23456789", "+4915123456789"),
        ("72975", 3, "970-690-4544", "+19706904544"),
    ],
)
async def test_a_text_comes_from_the_named_sender_and_its_numbers_are_of_that_ones_country(
    sender: str | None, sender_id: int, to: str, number: str
) -> None:
    hub = Hub(TWO_COUNTRIES)
    message = (await post(hub, sender=sender, recipients=to)).summary.message
    assert (message.sender_id, hub.numbers()) == (sender_id, [number])
    assert message.sender == TWO_COUNTRIES.senders[sender_id - 1].address
    assert [line.waiting for line in hub.store.lines.values() if line.sender.id == sender_id] == [[1]]


async def test_a_sender_of_another_program_is_unknown() -> None:
    assert isinstance(await refusal(sender="+493012345678"), UnknownSender)


async def test_ids_stand_in_the_order_of_acceptance() -> None:
    hub = Hub()
    ids = []
    for _ in range(50):
        ids.append((await post(hub)).summary.message.id)
        hub.clock.jump(1)
    assert ids == sorted(ids)


FAILING_OVER = a_program(
    sender=a_sender(sender_id=1, address="+18005550100", bar_reason="no-credit"),
    other_senders=[a_sender(sender_id=2, address="+18005550102")],
    failover=True,
)


async def test_a_text_for_a_barred_sender_is_its_own_and_counts_in_the_line_of_the_one_that_takes_over() -> None:
    hub = Hub(FAILING_OVER)
    message = (await post(hub)).summary.message
    assert (message.sender_id, message.sender_named) == (1, False)
    assert [sender_id for sender_id, _ in hub.backlog.asked] == [2]
    assert [sender_id for sender_id, *_ in hub.backlog.has_joined] == [2]


async def test_a_text_that_names_its_sender_says_so_and_waits_there() -> None:
    hub = Hub(FAILING_OVER)
    message = (await post(hub, sender="+18005550100")).summary.message
    assert (message.sender_id, message.sender_named) == (1, True)
    assert [sender_id for sender_id, _ in hub.backlog.asked] == [1]
    assert [sender_id for sender_id, *_ in hub.backlog.has_joined] == [1]

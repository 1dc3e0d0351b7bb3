"""What a message says about itself."""

from dataclasses import replace

import pytest

from domain.model.delivery import DeliveryState
from domain.model.text_message import NUMBERS_SHOWN, TextSummary
from tests.unit.builders import NOON, a_message, a_number, a_text

S = DeliveryState


def a_summary(**counts: int) -> TextSummary:
    """`counts` are by the states' names."""
    return TextSummary(
        message=a_message(recipients=sum(counts.values())),
        numbers=[a_number()],
        counts={DeliveryState(name): count for name, count in counts.items()},
    )


def test_a_message_is_as_far_as_its_least_advanced_delivery() -> None:
    assert a_summary(delivered=98, sent=1, queued=1).state is S.QUEUED


def test_a_finished_message_has_its_worst_outcome() -> None:
    assert a_summary(delivered=98, undelivered=1, failed=1).state is S.FAILED


@pytest.mark.parametrize("outcome", ["failed", "undelivered", "expired", "blocked", "canceled"])
def test_a_message_failed_when_one_of_its_deliveries_came_to_another_end_than_was_wanted(outcome: str) -> None:
    assert a_summary(delivered=98, **{outcome: 1}).failed


@pytest.mark.parametrize("state", ["scheduled", "queued", "sending", "unknown", "sent"])
def test_a_message_has_not_failed_while_one_of_its_deliveries_is_under_way(state: str) -> None:
    assert not a_summary(failed=98, **{state: 1}).failed


def test_a_delivered_message_has_not_failed() -> None:
    assert not a_summary(delivered=2).failed


def test_a_text_spares_those_of_its_numbers_that_have_opted_out() -> None:
    spared = a_text(to=[a_number(1), a_number(2), a_number(3)]).sparing({a_number(2), a_number(9)})
    assert [(each.position, each.state, each.reason) for each in spared.deliveries] == [
        (1, S.QUEUED, None),
        (2, S.BLOCKED, "opted-out"),
        (3, S.QUEUED, None),
    ]
    assert spared.deliveries[1].updated_us == NOON
    assert spared.counts == {S.QUEUED: 2, S.BLOCKED: 1}


def test_a_text_for_later_spares_them_too_and_turns_to_them_no_more() -> None:
    (spared,) = a_text(state=S.SCHEDULED, send_at_us=NOON + 1).sparing({a_number()}).deliveries
    assert (spared.state, spared.due_us) == (S.BLOCKED, None)


def test_a_text_to_none_of_them_stays_as_it_is() -> None:
    text = a_text(to=[a_number(1)])
    assert text.sparing({a_number(2)}) is text.sparing(set()) is text


def test_a_text_is_accepted_as_it_is_to_be_stored() -> None:
    text = replace(a_text(to=[a_number(1), a_number(2)]).sparing({a_number(1)}), refusals=[(3, "is too short")])
    accepted = text.accepted()
    assert accepted.summary.message is text.message
    assert list(accepted.summary.numbers) == [a_number(1), a_number(2)]
    assert accepted.summary.counts == {S.BLOCKED: 1, S.QUEUED: 1}
    assert (list(accepted.refusals), accepted.replayed) == ([(3, "is too short")], False)


def test_an_accepted_text_shows_its_first_numbers_and_counts_all() -> None:
    summary = a_text(to=[a_number(which) for which in range(250)]).accepted().summary
    assert list(summary.numbers) == [a_number(which) for which in range(NUMBERS_SHOWN)]
    assert summary.counts == {S.QUEUED: 250}


def test_a_message_shown_in_a_log_shows_neither_its_text_nor_a_number() -> None:
    shown = repr(TextSummary(message=a_message(text="Your test was positive."), numbers=[a_number(4544)], counts={}))
    assert "positive" not in shown
    assert "4544" not in shown

"""What a message says about itself."""

import pytest

from domain.model.delivery import DeliveryState
from domain.model.text_message import TextSummary
from tests.unit.builders import a_message, a_number

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


def test_a_message_shown_in_a_log_shows_neither_its_text_nor_a_number() -> None:
    shown = repr(TextSummary(message=a_message(text="Your test was positive."), numbers=[a_number(4544)], counts={}))
    assert "positive" not in shown
    assert "4544" not in shown

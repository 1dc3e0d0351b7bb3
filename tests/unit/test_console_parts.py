"""Parts of the console that need no hub: its charts, and the words for what became of a text."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.model.delivery import DeliveryState
from domain.model.reasons import SENTENCES
from domain.model.sender import SenderAddress
from domain.model.usage import DayOfUse, PriceList, Usage
from domain.model.webhook import Disabled
from entrypoints.http.console import charts
from entrypoints.http.console.recipients import listed, pasted
from entrypoints.http.console.words import DISABLED, STATES, history
from tests.unit.builders import a_delivery, a_message

FIRST = date(2030, 3, 14)


def a_day(state: DeliveryState, texts: int, day: date = FIRST) -> DayOfUse:
    return DayOfUse(
        day=day,
        sender=SenderAddress("+19705550100"),
        state=state,
        messages=1,
        deliveries=texts,
        by_country={"US": texts},
    )


def used(*days: DayOfUse, last: date = FIRST) -> Usage:
    return Usage(first=FIRST, last=last, zone="UTC", days=days, prices=PriceList({}))


def test_every_state_has_a_colour_and_a_word() -> None:
    assert {state for group in charts.GROUPS for state in group.states} == set(DeliveryState) == set(STATES)


def test_every_end_of_a_webhook_has_words() -> None:
    assert set(DISABLED) == set(Disabled)


def test_shares_fill_the_bar() -> None:
    first, second = charts.shares({"delivered": 3, "failed": 1, "sent": 0})

    assert [(bar.name, bar.x, bar.width) for bar in (first, second)] == [("delivered", 0, 540), ("failed", 540, 180)]
    assert charts.shares({}) == []


def test_a_days_bar_is_stacked_to_its_total() -> None:
    chart = charts.by_day(used(a_day(DeliveryState.DELIVERED, 30), a_day(DeliveryState.FAILED, 10)), FIRST)

    (column,) = chart.columns
    assert (column.total, chart.highest) == (40, 40)
    assert [(bar.name, bar.y, bar.height) for bar in column.bars] == [("delivered", 50, 150), ("failed", 0, 50)]


def test_days_without_texts_are_there_as_well() -> None:
    last = FIRST + timedelta(days=2)
    chart = charts.by_day(used(a_day(DeliveryState.SENT, 1, last), last=last), last)

    assert [(column.label, column.total) for column in chart.columns] == [("14 Mar", 0), ("15 Mar", 0), ("16 Mar", 1)]


@pytest.mark.parametrize(
    ("most", "highest"), [(0, 2), (1, 2), (3, 4), (10, 10), (11, 20), (201, 400), (999_999, 1_000_000)]
)
def test_the_scale_ends_at_a_round_number(most: int, highest: int) -> None:
    assert charts.by_hour([most] + [0] * 23).highest == highest


@pytest.mark.parametrize("reason", [None, "invalid-recipient", "a-word-of-another-version"])
def test_a_history_ends_with_what_became_of_it_and_why(reason: str | None) -> None:
    delivery = replace(a_delivery(DeliveryState.FAILED, reason=reason, attempt=2), resends=1)

    *_, called, again, last = history(a_message(), delivery)

    assert called.sentence == "The hub called the provider with it 2 times."
    assert again.sentence == "It was sent again once although it may have been sent before."
    assert last.sentence == " ".join(filter(None, ["It could not be sent.", SENTENCES.get(reason or "")]))
    assert last.at_us == delivery.updated_us


def test_what_is_pasted_is_parted_in_any_way() -> None:
    assert pasted(" (970) 690-4544\n+1 970 690 4545;9706904546\t9706904547,,\n") == (
        "(970) 690-4544,+1 970 690 4545,9706904546,9706904547"
    )


def test_an_empty_file_has_no_numbers() -> None:
    assert listed("") == listed("\n\n") == ""

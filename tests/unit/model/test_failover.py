"""Which sender takes over from which."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.model.failover import Failover, SenderCondition, failovers

GOOD = SenderCondition(sender_id=0, provider="post")
BARRED = replace(GOOD, bar_reason="credentials-refused")
BEING_TRIED = replace(BARRED, being_tried=True)
AWAY = replace(GOOD, away_reason="no-connection")
PAUSED = replace(GOOD, paused=True)


def found(*conditions: SenderCondition) -> Sequence[tuple[int, int]]:
    """From which sender to which, by their places."""
    senders = [replace(each, sender_id=place) for place, each in enumerate(conditions)]
    return [(each.from_sender_id, each.to_sender_id) for each in failovers("PHARMACY", senders)]


def test_a_barred_senders_texts_are_the_next_ones_and_it_is_told_why() -> None:
    barred, good = replace(BARRED, sender_id=7), replace(GOOD, sender_id=4)
    assert failovers("PHARMACY", [barred, good]) == [
        Failover(program_id="PHARMACY", from_sender_id=7, to_sender_id=4, provider="post", reason="credentials-refused")
    ]


def test_so_are_those_of_one_that_does_not_get_through() -> None:
    (failover,) = failovers("PHARMACY", [AWAY, replace(GOOD, sender_id=2)])
    assert failover.reason == "no-connection"


@pytest.mark.parametrize("first", [GOOD, BEING_TRIED, PAUSED])
def test_nothing_is_taken_from_one_that_sends_is_being_tried_or_is_paused(first: SenderCondition) -> None:
    assert found(first, GOOD) == []


@pytest.mark.parametrize("first", [BARRED, AWAY])
def test_an_operators_pause_keeps_the_queue_whatever_else_there_is(first: SenderCondition) -> None:
    assert found(replace(first, paused=True), GOOD) == []


@pytest.mark.parametrize("other", [BARRED, BEING_TRIED, AWAY, PAUSED])
def test_who_cannot_send_takes_nothing_over(other: SenderCondition) -> None:
    assert (0, 1) not in found(BARRED, other)
    assert (0, 2) in found(BARRED, other, GOOD)


def test_the_first_that_can_takes_over_in_the_order_of_the_program() -> None:
    assert found(BARRED, GOOD, GOOD) == [(0, 1)]


def test_a_text_never_goes_back() -> None:
    assert found(GOOD, BARRED) == []
    assert found(GOOD, BARRED, GOOD) == [(1, 2)]
    assert found(BARRED, BARRED, GOOD) == [(0, 2), (1, 2)]


def test_who_is_alone_keeps_what_it_has() -> None:
    assert found(BARRED) == []
    assert found() == []

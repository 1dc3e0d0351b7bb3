"""Ids of messages stand in the order of their times."""

from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.message_id import first_message_id, new_message_id
from tests.unit.builders import NOON

# 31 December 9999 in microseconds: the calendar's end, and far from the end of 48 bits of milliseconds.
times = st.integers(0, 253_402_300_799_999_999)
any_times = st.integers() | st.sampled_from([-1, 0, (1 << 48) * 1_000 - 1, (1 << 48) * 1_000, 1 << 63])


def version_and_variant(message_id: UUID) -> tuple[int | None, str]:
    return message_id.version, message_id.variant


def milliseconds(message_id: UUID) -> int:
    return message_id.int >> 80


@given(any_times)
def test_an_id_is_a_uuid_of_version_7_whatever_the_time(at_us: int) -> None:
    assert version_and_variant(new_message_id(at_us)) == (7, RFC_4122)
    assert version_and_variant(first_message_id(at_us)) == (7, RFC_4122)


@given(times)
def test_an_id_begins_with_the_milliseconds_of_its_time(at_us: int) -> None:
    assert milliseconds(new_message_id(at_us)) == at_us // 1_000


@pytest.mark.parametrize(("fraction_us", "bits"), [(0, 0), (1, 4), (250, 1_024), (500, 2_048), (999, 4_091)])
def test_the_12_bits_after_them_are_the_fraction_of_the_millisecond(fraction_us: int, bits: int) -> None:
    assert new_message_id(NOON + fraction_us).int >> 64 & 0xFFF == bits


@given(times, st.integers(1, 5_000) | st.integers(1))
def test_of_two_times_the_later_has_the_greater_ids(at_us: int, by_us: int) -> None:
    later_us = min(at_us + by_us, 253_402_300_799_999_999 + 1)
    assert new_message_id(at_us) < first_message_id(later_us) <= new_message_id(later_us)


def test_every_microsecond_of_two_milliseconds_has_its_place() -> None:
    start_us = NOON - NOON % 1_000
    ids = [new_message_id(start_us + each) for each in range(2_001)]
    assert ids == sorted(ids)


@given(any_times)
def test_the_first_id_of_a_time_comes_before_all_that_are_made_at_that_time(at_us: int) -> None:
    assert first_message_id(at_us) == first_message_id(at_us) <= new_message_id(at_us)


@pytest.mark.parametrize("at_us", [-1, -NOON, -(1 << 90)])
def test_before_the_epoch_it_is_the_epoch(at_us: int) -> None:
    assert first_message_id(at_us) == first_message_id(0)
    assert milliseconds(new_message_id(at_us)) == 0


@pytest.mark.parametrize("at_us", [(1 << 48) * 1_000, 1 << 63, 1 << 90])
def test_what_48_bits_cannot_hold_is_the_last_millisecond_that_they_can(at_us: int) -> None:
    assert milliseconds(first_message_id(at_us)) == milliseconds(new_message_id(at_us)) == (1 << 48) - 1


def test_no_two_ids_of_one_microsecond_are_the_same() -> None:
    assert len({new_message_id(NOON) for _ in range(10_000)}) == 10_000

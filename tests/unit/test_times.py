"""How times are written and read."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.instant import instant
from entrypoints.http.times import microseconds, optional_instant, optional_microseconds
from tests.unit.builders import NOON

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_US = -62_135_596_800_000_000
LATEST_US = 253_402_300_799_999_999

zones = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def since_epoch_us(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


@given(st.datetimes(timezones=zones))
def test_any_time_that_the_calendar_knows_is_read_as_that_instant(moment: datetime) -> None:
    expected_us = min(max(since_epoch_us(moment), EARLIEST_US), LATEST_US)
    written = moment.isoformat()
    assert microseconds(written) == expected_us
    assert microseconds(written.lower()) == expected_us
    assert microseconds(written.replace("T", " ")) == expected_us


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_is_written_to_the_millisecond_and_read_back(moment: datetime) -> None:
    at_us = since_epoch_us(moment)
    written = instant(at_us)
    assert len(written) == len("2026-03-20T12:00:00.250Z")
    assert microseconds(written) == at_us - at_us % 1_000


def test_an_instant_is_in_utc() -> None:
    assert instant(NOON) == "2026-03-20T12:00:00.250Z"
    assert instant(0) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-20T12:00:00.25Z",
        "2026-03-20t12:00:00.25z",
        "2026-03-20T12:00:00.250000999Z",
        "2026-03-20T13:30:00.25+01:30",
        "2026-03-20T12:00:00.25-00:00",
        "2026-03-19T13:00:00.25-23:00",
    ],
)
def test_one_instant_has_many_writings(written: str) -> None:
    assert microseconds(written) == NOON


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31t23:59:60.5z", "2017-01-01T00:00:00.5Z"),
        ("2017-01-01T01:29:60+01:30", "2017-01-01T00:00:00Z"),
    ],
)
def test_a_leap_second_is_the_second_after_it(written: str, same: str) -> None:
    assert microseconds(written) == microseconds(same)


@pytest.mark.parametrize("written", ["0000-01-01T00:00:00Z", "0000-12-31T23:59:60Z", "0001-01-01T00:00:00+23:59"])
def test_what_is_before_the_calendar_is_its_beginning(written: str) -> None:
    assert microseconds(written) == EARLIEST_US


@pytest.mark.parametrize(
    "written", ["9999-12-31T23:59:60Z", "9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-23:59"]
)
def test_what_is_after_the_calendar_is_its_end(written: str) -> None:
    assert microseconds(written) == LATEST_US


def test_the_calendar_can_be_written_from_its_beginning_to_its_end() -> None:
    assert instant(EARLIEST_US) == "0001-01-01T00:00:00.000Z"
    assert instant(LATEST_US) == "9999-12-31T23:59:59.999Z"


def test_no_time_is_no_time() -> None:
    assert optional_instant(None) is None
    assert optional_microseconds(None) is None
    assert (optional_instant(0), optional_microseconds("1970-01-01T00:00:00Z")) == ("1970-01-01T00:00:00.000Z", 0)

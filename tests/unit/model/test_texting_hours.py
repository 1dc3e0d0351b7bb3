from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers.tzdata import TIMEZONE_DATA

from domain.errors import InvalidValue
from domain.model.phone_number import PhoneNumber
from domain.model.texting_hours import TextingHours

DAYTIME = TextingHours.parse("09:00-20:00")
DENVER = ("America/Denver",)
QUARTER_US = 15 * 60 * 1_000_000


def at(written: str, zone: str, *, fold: int = 0) -> int:
    local = datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return round(local.timestamp()) * 1_000_000


def opens(hours: str, now: str, *zones: str) -> str:
    """By the clock of the first of them."""
    opens_us = TextingHours.parse(hours).opens_us(zones, at(now, zones[0]))
    return f"{datetime.fromtimestamp(opens_us / 1e6, ZoneInfo(zones[0])):%Y-%m-%d %H:%M}"


def closes(hours: str, now: str, *zones: str) -> str:
    closes_us = TextingHours.parse(hours).closes_us(zones, at(now, zones[0]))
    return f"{datetime.fromtimestamp(closes_us / 1e6, ZoneInfo(zones[0])):%Y-%m-%d %H:%M}"


class TestWriting:
    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            ("09:00-20:00", "09:00-20:00"),
            ("Mo-Su 09:00-20:00", "09:00-20:00"),
            ("Mo-Sa 09:00-20:00, Su 12:00-20:00", "Mo-Sa 09:00-20:00, Su 12:00-20:00"),
            ("Su 12:00-20:00,Mo-Sa 09:00-20:00", "Mo-Sa 09:00-20:00, Su 12:00-20:00"),
            ("09:00-12:00, 14:00-18:15", "09:00-12:00, 14:00-18:15"),
            ("09:00-12:00, 11:00-14:00, 14:00-15:00", "09:00-15:00"),
            ("Sa-Mo 00:00-24:00", "Mo 00:00-24:00, Sa-Su 00:00-24:00"),
            ("We 08:45-09:00", "We 08:45-09:00"),
        ],
    )
    def test_hours_are_kept_in_one_writing(self, written: str, kept: str) -> None:
        assert str(TextingHours.parse(written)) == kept
        assert TextingHours.parse(kept) == TextingHours.parse(written)

    @pytest.mark.parametrize(
        "written",
        [
            *("", "9-20", "9:00-20:00", "09:00", "Mo", "09:00-20:00,", "mo 09:00-20:00", "Mo,Tu 09:00-20:00"),
            *("22:00-06:00", "09:00-09:00", "09:10-20:00", "09:00-24:15", "09:75-20:00", "24:00-24:00", "٠٩:00-20:00"),
        ],
    )
    def test_what_is_no_hours_is_refused_with_a_sentence(self, written: str) -> None:
        with pytest.raises(InvalidValue, match=r"^Texting hours .+\.$"):
            TextingHours.parse(written)

    @given(st.integers(min_value=1, max_value=2 ** (7 * 96) - 1))
    def test_any_hours_are_read_as_they_are_written(self, quarters: int) -> None:
        assert TextingHours.parse(str(TextingHours(quarters))).quarters == quarters


class TestOneZone:
    def test_while_they_are_open_they_open_now(self) -> None:
        now_us = at("2026-07-01 09:00", "America/Denver")

        assert DAYTIME.opens_us(DENVER, now_us) == now_us
        assert DAYTIME.opens_us(DENVER, now_us + 1) == now_us + 1
        assert DAYTIME.opens_us(DENVER, now_us - 1) == now_us

    def test_they_are_closed_from_their_end_on(self) -> None:
        end_us = at("2026-07-01 20:00", "America/Denver")

        assert DAYTIME.opens_us(DENVER, end_us - 1) == end_us - 1
        assert DAYTIME.opens_us(DENVER, end_us) == at("2026-07-02 09:00", "America/Denver")
        assert DAYTIME.closes_us(DENVER, end_us - 1) == end_us

    def test_a_day_that_is_not_named_has_none(self) -> None:
        assert opens("Mo-Fr 09:00-17:00", "2026-07-03 17:00", "America/Denver") == "2026-07-06 09:00"

    def test_windows_that_meet_at_midnight_are_one(self) -> None:
        assert closes("00:00-06:00, 22:00-24:00", "2026-07-01 23:00", "America/Denver") == "2026-07-02 06:00"

    def test_what_never_closes_is_open_for_a_week_at_least(self) -> None:
        now_us = at("2026-07-01 09:00", "America/Denver")

        assert TextingHours.parse("00:00-24:00").closes_us(DENVER, now_us) >= now_us + 7 * 96 * QUARTER_US

    @pytest.mark.parametrize(
        ("zone", "utc"),
        [("Asia/Kathmandu", "03:15"), ("Pacific/Chatham", "20:15"), ("Asia/Kolkata", "03:30"), ("UTC", "09:00")],
    )
    def test_zones_may_lie_quarter_hours_apart(self, zone: str, utc: str) -> None:
        opens_us = DAYTIME.opens_us((zone,), at("2026-07-01 21:00", zone))

        assert f"{datetime.fromtimestamp(opens_us / 1e6, UTC):%H:%M}" == utc


class TestWhenClocksChange:
    def test_what_begins_in_the_hour_that_is_left_out_begins_after_it(self) -> None:
        # On 8 March 2026, 01:59 is followed by 03:00.
        assert opens("02:15-05:00", "2026-03-08 00:30", "America/Denver") == "2026-03-08 03:00"

    def test_what_lies_within_the_hour_that_is_left_out_begins_on_the_next_day(self) -> None:
        assert opens("02:00-03:00", "2026-03-08 00:30", "America/Denver") == "2026-03-09 02:00"
        assert opens("Su 02:00-03:00", "2026-03-01 03:00", "America/Denver") == "2026-03-15 02:00"

    def test_the_hour_that_comes_twice_is_open_twice(self) -> None:
        # On 1 November 2026, 01:59 is followed by 01:00.
        hours = TextingHours.parse("01:00-02:00")
        first_us, second_us = (at("2026-11-01 01:00", "America/Denver", fold=fold) for fold in (0, 1))

        assert second_us - first_us == 4 * QUARTER_US
        assert hours.opens_us(DENVER, first_us - 1) == first_us
        assert hours.closes_us(DENVER, first_us) == second_us + 4 * QUARTER_US

    def test_what_begins_within_the_hour_that_comes_twice_is_interrupted(self) -> None:
        hours = TextingHours.parse("01:30-05:00")
        first_us = at("2026-11-01 01:30", "America/Denver")

        assert hours.closes_us(DENVER, first_us) == first_us + 2 * QUARTER_US
        assert hours.opens_us(DENVER, first_us + 2 * QUARTER_US) == first_us + 4 * QUARTER_US

    def test_clocks_may_change_by_half_an_hour(self) -> None:
        # On 4 October 2026, 01:59 on Lord Howe Island is followed by 02:30.
        assert opens("02:00-05:00", "2026-10-04 01:00", "Australia/Lord_Howe") == "2026-10-04 02:30"
        assert opens("02:00-02:30", "2026-10-04 01:00", "Australia/Lord_Howe") == "2026-10-05 02:00"

    def test_chatham_changes_at_a_quarter_to(self) -> None:
        # On 27 September 2026, 02:44 is followed by 03:45.
        assert closes("02:30-03:30", "2026-09-27 02:30", "Pacific/Chatham") == "2026-09-27 03:45"


class TestSeveralZones:
    def test_it_is_open_where_it_is_in_all_of_them(self) -> None:
        zones = "America/New_York", "America/Los_Angeles"

        assert opens("09:00-20:00", "2026-07-01 09:00", *zones) == "2026-07-01 12:00"
        assert closes("09:00-20:00", "2026-07-01 12:00", *zones) == "2026-07-01 20:00"

    def test_where_they_never_are_all_open_it_is_when_most_are(self) -> None:
        zones = "Europe/London", "Europe/Paris", "Pacific/Auckland"

        assert opens("10:00-16:00", "2026-07-01 06:00", *zones) == "2026-07-01 10:00"
        assert closes("10:00-16:00", "2026-07-01 10:00", *zones) == "2026-07-01 15:00"

    def test_a_toll_free_number_is_texted_when_all_of_america_may_be(self) -> None:
        zones = PhoneNumber("+18005550100").time_zones
        opens_us = TextingHours.parse("08:00-22:00").opens_us(zones, at("2026-07-01 12:00", "UTC"))

        assert len(zones) > 20
        for zone in zones:
            assert 8 <= datetime.fromtimestamp(opens_us / 1e6, ZoneInfo(zone)).hour < 22


class TestZonesOfNumbers:
    @pytest.mark.parametrize(
        ("number", "zones"),
        [
            ("+19706904544", ("America/Denver",)),
            ("+13452231234", ("America/Cayman",)),
            ("+12462501234", ("America/Barbados",)),  # A mobile phone.
            ("+97714012345", ("Asia/Katmandu",)),
            ("+881612345678", ("UTC",)),  # A satellite phone.
        ],
    )
    def test_a_number_tells_where_its_owner_is(self, number: str, zones: tuple[str, ...]) -> None:
        assert PhoneNumber(number).time_zones == zones

    def test_a_mobile_number_tells_the_country_alone(self) -> None:
        assert {"Australia/Perth", "Australia/Sydney"} <= set(PhoneNumber("+61412345678").time_zones)

    def test_all_zones_are_known(self) -> None:
        for zone in {zone for zones in TIMEZONE_DATA.values() for zone in zones}:
            assert ZoneInfo(zone).key == zone


PLACES = (
    *("America/Denver", "America/New_York", "America/St_Johns", "Europe/London", "Africa/Casablanca", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Pago_Pago"),
)
ZONES = st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True).map(tuple)
RULES = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 95), st.integers(1, 96)).filter(lambda rule: rule[1] < rule[2]),
    min_size=1,
    max_size=6,
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def open_in(rules: list[tuple[int, int, int]], zone: str, moment: datetime) -> bool:
    """As somebody would tell who looks at a clock there."""
    clock = moment.astimezone(ZoneInfo(zone))
    minute = clock.hour * 60 + clock.minute
    return any(day == clock.weekday() and 15 * start <= minute < 15 * end for day, start, end in rules)


@settings(deadline=None)
@given(rules=RULES, zone=ZONES.map(lambda zones: zones[0]), moment=MOMENTS)
def test_it_opens_and_closes_as_the_clocks_say(rules: list[tuple[int, int, int]], zone: str, moment: datetime) -> None:
    hours = TextingHours(sum({1 << day * 96 + each for day, start, end in rules for each in range(start, end)}))
    now_us = round(moment.timestamp() * 1_000_000)
    opens_us = hours.opens_us((zone,), now_us)
    closes_us = hours.closes_us((zone,), opens_us)

    for each in range(now_us, opens_us, QUARTER_US):
        assert not open_in(rules, zone, datetime.fromtimestamp(each / 1e6, UTC))
    for each in range(opens_us, closes_us, QUARTER_US):
        assert open_in(rules, zone, datetime.fromtimestamp(each / 1e6, UTC))
    assert closes_us > opens_us >= now_us
    assert opens_us == now_us or not opens_us % QUARTER_US
    assert opens_us - now_us <= timedelta(days=15) / timedelta(microseconds=1)


@settings(deadline=None)
@given(rules=RULES, zones=ZONES, moment=MOMENTS)
def test_it_is_open_in_all_zones_or_in_as_many_as_it_ever_is(
    rules: list[tuple[int, int, int]], zones: tuple[str, ...], moment: datetime
) -> None:
    hours = TextingHours(sum({1 << day * 96 + each for day, start, end in rules for each in range(start, end)}))
    opens_us = hours.opens_us(zones, round(moment.timestamp() * 1_000_000))
    week_us = 7 * 96 * QUARTER_US
    start_us = opens_us // week_us * week_us

    def zones_open(at_us: int) -> int:
        return sum(open_in(rules, zone, datetime.fromtimestamp(at_us / 1e6, UTC)) for zone in zones)

    assert zones_open(opens_us) == max(map(zones_open, range(start_us, start_us + week_us, QUARTER_US))) > 0

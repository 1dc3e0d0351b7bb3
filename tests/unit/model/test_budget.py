from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import InvalidValue
from domain.model.budget import Budget, Velocity
from domain.model.terms import Terms


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def test_a_program_without_budgets_counts_against_none() -> None:
    assert Terms().budgets_at(at("2026-11-26T12:00")) == []


@pytest.mark.parametrize(
    ("now", "zone", "day", "until", "month", "month_until"),
    [
        ("2026-11-26T12:00", "UTC", "2026-11-26", "2026-11-27", "2026-11", "2026-12-01"),
        ("2026-12-31T23:59:59", "UTC", "2026-12-31", "2027-01-01", "2026-12", "2027-01-01"),
        ("2027-01-01T06:59", "America/Denver", "2026-12-31", "2027-01-01T07:00", "2026-12", "2027-01-01T07:00"),
        # The day on which clocks are set back has 25 hours, the month begins in summer time.
        ("2026-11-01T06:00", "America/Denver", "2026-11-01", "2026-11-02T07:00", "2026-11", "2026-12-01T07:00"),
        ("2026-01-31T12:00", "UTC", "2026-01-31", "2026-02-01", "2026-01", "2026-02-01"),
    ],
)
def test_days_and_months_are_those_of_the_zone(
    now: str, zone: str, day: str, until: str, month: str, month_until: str
) -> None:
    terms = Terms(daily_segments=10, monthly_segments=100, budget_zone=zone)

    assert terms.budgets_at(at(now)) == [Budget(day, 10, at(until)), Budget(month, 100, at(month_until))]


@pytest.mark.parametrize(
    "terms",
    [
        {"daily_segments": 0},
        {"monthly_segments": 1_000_000_001},
        {"budget_zone": "Denver"},
        {"budget_zone": "../etc/passwd"},
        {"budget_zone": ""},
        {"countries": frozenset({"USA"})},
        {"countries": frozenset({""})},
        {"recipients_per_request": 0},
        {"recipients_per_request": 10_001},
    ],
)
def test_what_cannot_be_is_refused(terms: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        Terms(**terms)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("texts", "within"), [(0, timedelta(hours=1)), (1_001, timedelta(hours=1)), (1, timedelta()), (1, timedelta(32))]
)
def test_a_velocity_that_cannot_be_is_refused(texts: int, within: timedelta) -> None:
    with pytest.raises(InvalidValue):
        Velocity(texts, within)

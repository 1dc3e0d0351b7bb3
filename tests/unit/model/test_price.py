"""How prices are read and multiplied."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidValue
from domain.model.price import Price

amounts = st.decimals(0, 999_999, places=6).map(lambda amount: f"{amount:.6f}")


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("0.0083 USD", "0.0083", "USD"),
        ("1 EUR", "1", "EUR"),
        ("0 JPY", "0", "JPY"),
        (" 999999.999999 CHF\n", "999999.999999", "CHF"),
    ],
)
def test_a_price_is_read_exactly(text: str, amount: str, currency: str) -> None:
    assert Price.parse(text) == Price(Decimal(amount), currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0.0083",
        "USD",
        "USD 0.0083",
        "0.0083USD",
        "0.0083  USD",
        "0.0083 usd",
        "0.0083 US",
        "0.0083 USDT",
        "-1 USD",
        "+1 USD",
        "1. USD",
        ".5 USD",
        "1,5 EUR",
        "1e3 USD",
        "NaN USD",
        "1234567 USD",
        "0.1234567 USD",
        "\N{ARABIC-INDIC DIGIT ONE} USD",
        "1 USD 2 USD",
        "1\nUSD",
    ],
)
def test_what_is_not_written_as_a_price_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="is written as"):
        Price.parse(text)


@given(amounts, st.integers(0, 490_000))
def test_many_texts_cost_exactly_so_many_times_one(amount: str, count: int) -> None:
    cost = Price.parse(f"{amount} USD").times(count)
    assert cost.amount * 1_000_000 == int(amount.replace(".", "")) * count
    assert cost.currency == "USD"

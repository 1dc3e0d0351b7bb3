from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from domain.model.delivery import DeliveryState
from domain.model.price import Price
from domain.model.sender import SenderAddress
from domain.model.usage import DayOfUse, PriceList


def a_day(state: DeliveryState = DeliveryState.DELIVERED, **by_country: int) -> DayOfUse:
    return DayOfUse(
        day=date(2026, 11, 26),
        sender=SenderAddress("+18005550100"),
        state=state,
        messages=1,
        deliveries=1,
        by_country=by_country,
    )


def usd(amount: str) -> Price:
    return Price(Decimal(amount), "USD")


def test_segments_cost_what_their_countries_do_and_elsewhere_what_is_left() -> None:
    prices = PriceList({"US": usd("0.01"), "CA": usd("0.02")}, usd("0.10"))

    assert prices.cost([a_day(US=3, CA=2), a_day(GB=1)]) == usd("0.17")
    assert prices.without_price([a_day(US=3, GB=1)]) == 0


def test_what_has_no_price_is_left_out_and_told() -> None:
    prices = PriceList({"US": usd("0.01")})

    assert prices.cost([a_day(US=3, GB=2)]) == usd("0.03")
    assert prices.without_price([a_day(US=3, GB=2)]) == 2


def test_what_no_provider_took_costs_nothing() -> None:
    prices = PriceList({"US": usd("0.01")})
    free = [a_day(state, US=1, GB=1) for state in (DeliveryState.BLOCKED, DeliveryState.CANCELED, DeliveryState.QUEUED)]

    assert prices.cost(free) == usd("0.00")
    assert prices.without_price(free) == 0


def test_a_price_of_another_currency_does_not_count() -> None:
    prices = PriceList({"US": usd("0.01")}, Price(Decimal(1), "EUR"))

    assert prices.cost([a_day(US=1, GB=1)]) == usd("0.01")
    assert prices.without_price([a_day(US=1, GB=1)]) == 1


def test_without_prices_nothing_is_said() -> None:
    none: Mapping[str, Price] = {}

    assert PriceList(none).cost([a_day(US=1)]) is None

"""What a program has sent, by day, sender and state, and what that costs as far as the operator says so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.model.delivery import DeliveryState
from domain.model.price import Price
from domain.model.sender import SenderAddress

# What providers have taken, or may have: that is what they bill.
BILLED = frozenset({DeliveryState.UNKNOWN, DeliveryState.SENT, DeliveryState.UNDELIVERED, DeliveryState.DELIVERED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfUse:
    """`messages` have a delivery in the state. `by_country` has the segments of each country that was texted, under ""
    those of numbers that belong to none.
    """

    day: date
    sender: SenderAddress
    state: DeliveryState
    messages: int
    deliveries: int
    by_country: Mapping[str, int]

    @property
    def segments(self) -> int:
        return sum(self.by_country.values())


@dataclass(frozen=True, slots=True)
class PriceList:
    """What a segment costs in each country, and elsewhere; all in one currency."""

    by_country: Mapping[str, Price]
    elsewhere: Price | None = None

    @property
    def currency(self) -> str | None:
        """None where there are no prices. The elsewhere's counts only where there are no others."""
        prices = [*self.by_country.values(), *([] if self.elsewhere is None else [self.elsewhere])]
        return prices[0].currency if prices else None

    def cost(self, days: Iterable[DayOfUse]) -> Price | None:
        """Of what providers have taken, as far as there are prices for it; None where there are none at all."""
        if self.currency is None:
            return None
        amount = Decimal(0)
        for each in days:
            for country, segments in each.by_country.items() if each.state in BILLED else ():
                price = self._price(country)
                amount += Decimal(0) if price is None else price.amount * segments
        return Price(amount, self.currency)

    def without_price(self, days: Iterable[DayOfUse]) -> int:
        """How many segments the cost leaves out."""
        return sum(
            segments
            for each in days
            if each.state in BILLED
            for country, segments in each.by_country.items()
            if self._price(country) is None
        )

    def _price(self, country: str) -> Price | None:
        price = self.by_country.get(country, self.elsewhere)
        return None if price is None or price.currency != self.currency else price


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """From the one day to the other, both included, as days are in the zone."""

    first: date
    last: date
    zone: str
    days: Sequence[DayOfUse]
    prices: PriceList

from collections.abc import Mapping
from dataclasses import dataclass

from domain.errors import InvalidValue, PriceNotFound
from domain.model.phone_number import is_region
from domain.model.price import Price
from domain.ports.prices import Prices


@dataclass(frozen=True, kw_only=True)
class OperatePrices:
    """What operators say that a segment costs."""

    prices: Prices

    async def all(self) -> Mapping[str, Price]:
        return await self.prices.all()

    async def put(self, country: str, price: Price) -> None:
        """Raises `InvalidValue` and `CurrencyDiffers`."""
        if not is_region(country):
            raise InvalidValue("A country is written as US (ISO 3166-1 alpha-2).")
        await self.prices.put(country, price)

    async def remove(self, country: str) -> Price:
        """What it was. Raises `PriceNotFound`."""
        found = (await self.all()).get(country)
        if found is None:
            raise PriceNotFound
        await self.prices.remove(country)
        return found

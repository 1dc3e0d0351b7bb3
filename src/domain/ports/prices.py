from collections.abc import Mapping
from typing import Protocol

from domain.model.price import Price


class Prices(Protocol):
    """What a segment costs, by country (ISO 3166-1 alpha-2); all in one currency."""

    async def put(self, country: str, price: Price) -> None:
        """In the place of the country's price before. Raises `CurrencyDiffers` where others have another currency."""
        ...

    async def remove(self, country: str) -> None:
        """Raises `PriceNotFound`."""
        ...

    async def all(self) -> Mapping[str, Price]:
        """In the order of the countries."""
        ...

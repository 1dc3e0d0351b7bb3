from collections.abc import Mapping
from decimal import Decimal

from sqlalchemy import delete, insert, select

from adapters.sql.database import Database, carried_through
from adapters.sql.tables import prices
from domain.errors import CurrencyDiffers, PriceNotFound
from domain.model.price import Price
from domain.ports.prices import Prices


class SqlPrices(Prices):
    def __init__(self, database: Database) -> None:
        self._database = database

    @carried_through
    async def put(self, country: str, price: Price) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(prices).where(prices.c.country == country))
            others = select(prices.c.currency).where(prices.c.currency != price.currency).limit(1)
            current = (await connection.execute(others)).scalar_one_or_none()
            if current is not None:
                raise CurrencyDiffers(current=current)
            row = {"country": country, "amount": str(price.amount), "currency": price.currency}
            await connection.execute(insert(prices).values(row))

    @carried_through
    async def remove(self, country: str) -> None:
        async with self._database.writing() as connection:
            if not (await connection.execute(delete(prices).where(prices.c.country == country))).rowcount:
                raise PriceNotFound

    async def all(self) -> Mapping[str, Price]:
        async with self._database.reading() as connection:
            rows = await connection.execute(select(prices).order_by(prices.c.country))
            return {row.country: Price(Decimal(row.amount), row.currency) for row in rows}

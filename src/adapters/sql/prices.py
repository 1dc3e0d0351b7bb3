from collections.abc import Mapping
from decimal import Decimal

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.audit import audit
from adapters.sql.database import Database, carried_through
from adapters.sql.rows import AnyRow
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
            before = await _taken_away(connection, country)
            others = select(prices.c.currency).where(prices.c.currency != price.currency).limit(1)
            current = (await connection.execute(others)).scalar_one_or_none()
            if current is not None:
                raise CurrencyDiffers(current=current)
            row = {"country": country, "amount": str(price.amount), "currency": price.currency}
            await connection.execute(insert(prices).values(row))
            after = {"Price": f"{price.amount} {price.currency}"}
            await audit(connection, "price.set", f"price {country}", before=_told(before), after=after)

    @carried_through
    async def remove(self, country: str) -> None:
        async with self._database.writing() as connection:
            before = await _taken_away(connection, country)
            if before is None:
                raise PriceNotFound
            await audit(connection, "price.removed", f"price {country}", before=_told(before))

    async def all(self) -> Mapping[str, Price]:
        async with self._database.reading() as connection:
            rows = await connection.execute(select(prices).order_by(prices.c.country))
            return {row.country: Price(Decimal(row.amount), row.currency) for row in rows}


async def _taken_away(connection: AsyncConnection, country: str) -> AnyRow | None:
    gone = delete(prices).where(prices.c.country == country)
    return (await connection.execute(gone.returning(prices.c.amount, prices.c.currency))).first()


def _told(row: AnyRow | None) -> Mapping[str, object]:
    return {} if row is None else {"Price": f"{row.amount} {row.currency}"}

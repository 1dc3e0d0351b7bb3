from collections.abc import Collection, Sequence

from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, carried_through
from adapters.sql.tables import opt_outs
from domain.model.phone_number import PhoneNumber
from domain.ports.opt_outs import OptOuts

# A statement of thousands of parameters takes more memory than they do, and SQLite bounds their number.
_PAIRS_AT_ONCE = 500

_AMONG = "SELECT number FROM opt_outs WHERE program_id = $1 AND number = ANY ($2::text[])"


class SqlOptOuts(OptOuts):
    def __init__(self, database: Database) -> None:
        self._database = database

    @carried_through
    async def set(self, program_id: str, number: PhoneNumber, *, do_not_text: bool, at_us: int) -> None:
        key = {"program_id": program_id, "number": number.e164}
        async with self._database.writing() as connection:
            if do_not_text:
                await self._database.insert_unless_there(connection, opt_outs, {**key, "since_us": at_us})
            else:
                await connection.execute(
                    delete(opt_outs).where(opt_outs.c.program_id == program_id, opt_outs.c.number == number.e164)
                )

    async def among(self, program_id: str, numbers: Collection[PhoneNumber]) -> frozenset[PhoneNumber]:
        pairs = [(program_id, number.e164) for number in numbers]
        if self._database.is_sqlite:
            async with self._database.reading() as connection:
                found = await opted_out_among(connection, pairs)
            return frozenset(PhoneNumber(number) for _, number in found)
        async with self._database.driver() as driver:
            rows = await driver.fetch(_AMONG, program_id, [number for _, number in pairs])
        return frozenset(PhoneNumber(row["number"]) for row in rows)


async def opted_out_among(connection: AsyncConnection, pairs: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Those of the programs and numbers where the number has opted out. For SQLite."""
    key = opt_outs.c.program_id, opt_outs.c.number
    found: list[tuple[str, str]] = []
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        rows = await connection.execute(select(*key).where(tuple_(*key).in_(pairs[start : start + _PAIRS_AT_ONCE])))
        found += [(row.program_id, row.number) for row in rows]
    return found

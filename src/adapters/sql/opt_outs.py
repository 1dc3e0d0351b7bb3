from collections.abc import Collection

from sqlalchemy import delete, select

from adapters.sql.database import Database, carried_through
from adapters.sql.tables import opt_outs
from domain.model.phone_number import PhoneNumber
from domain.ports.opt_outs import OptOuts

# Both databases bound the number of parameters of one statement.
_AT_ONCE = 5_000


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
        wanted = [number.e164 for number in numbers]
        found: set[PhoneNumber] = set()
        async with self._database.reading() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                rows = await connection.execute(
                    select(opt_outs.c.number).where(
                        opt_outs.c.program_id == program_id, opt_outs.c.number.in_(wanted[start : start + _AT_ONCE])
                    )
                )
                found.update(PhoneNumber(number) for number in rows.scalars())
        return frozenset(found)

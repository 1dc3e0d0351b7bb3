from collections.abc import Collection

from sqlalchemy import select

from adapters.sql.database import Database
from adapters.sql.tables import deliveries
from domain.model.delivery import IN_VAIN
from domain.model.phone_number import PhoneNumber
from domain.ports.contacts import Contacts

# A statement of thousands of parameters takes more memory than they do, and SQLite bounds their number.
_NUMBERS_AT_ONCE = 500


class SqlContacts(Contacts):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def among(self, program_id: str, numbers: Collection[PhoneNumber]) -> frozenset[PhoneNumber]:
        wanted = [each.e164 for each in numbers]
        texted = (
            select(deliveries.c.number)
            .distinct()
            .where(deliveries.c.program_id == program_id, deliveries.c.state.not_in([state.value for state in IN_VAIN]))
        )
        found: set[str] = set()
        async with self._database.reading() as connection:
            for start in range(0, len(wanted), _NUMBERS_AT_ONCE):
                some = deliveries.c.number.in_(wanted[start : start + _NUMBERS_AT_ONCE])
                found.update((await connection.execute(texted.where(some))).scalars())
        return frozenset(map(PhoneNumber, found))

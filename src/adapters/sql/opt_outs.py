from collections.abc import Collection, Sequence

from sqlalchemy import delete, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, carried_through
from adapters.sql.group import Group
from adapters.sql.tables import opt_outs
from domain.model.phone_number import PhoneNumber
from domain.ports.opt_outs import OptOuts

# SQLite bounds the number of parameters of one statement; each pair takes two.
_PAIRS_AT_ONCE = 5_000

# So many questions are asked together; longer ones alone, since the others would have to wait for them.
_TOGETHER = 200
_LONG = 100
_ROOM = 5_000

_AMONG_PAIRS = text("""
    SELECT o.program_id, o.number
    FROM unnest(CAST(:programs AS text[]), CAST(:numbers AS text[])) AS asked (program_id, number)
    JOIN opt_outs o ON o.program_id = asked.program_id AND o.number = asked.number
""")

_Pair = tuple[str, str]


class SqlOptOuts(OptOuts):
    def __init__(self, database: Database) -> None:
        self._database = database
        self._questions: Group[Sequence[_Pair], frozenset[PhoneNumber]] = Group(
            self._answer, at_once=_TOGETHER, room=_ROOM
        )

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
        if len(pairs) > _LONG:
            [answer] = await self._answer([pairs])
            return answer
        return await self._questions(pairs)

    async def _answer(self, questions: Sequence[Sequence[_Pair]]) -> Sequence[frozenset[PhoneNumber]]:
        pairs = [pair for question in questions for pair in question]
        async with self._database.reading() as connection:
            found = await (_among_on_sqlite if self._database.is_sqlite else _among)(connection, pairs)
        if not found:
            return [frozenset()] * len(questions)
        return [frozenset(PhoneNumber(pair[1]) for pair in question if pair in found) for question in questions]


async def _among(connection: AsyncConnection, pairs: Sequence[_Pair]) -> set[_Pair]:
    arrays = {"programs": [program for program, _ in pairs], "numbers": [number for _, number in pairs]}
    return {(row.program_id, row.number) for row in await connection.execute(_AMONG_PAIRS, arrays)}


async def _among_on_sqlite(connection: AsyncConnection, pairs: Sequence[_Pair]) -> set[_Pair]:
    key = opt_outs.c.program_id, opt_outs.c.number
    found: set[_Pair] = set()
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        some = pairs[start : start + _PAIRS_AT_ONCE]
        rows = await connection.execute(select(*key).where(tuple_(*key).in_(some)))
        found.update((row.program_id, row.number) for row in rows)
    return found

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select, tuple_

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

_AMONG_PAIRS = """
    SELECT o.program_id, o.number
    FROM unnest($1::text[], $2::text[]) AS asked (program_id, number)
    JOIN opt_outs o ON o.program_id = asked.program_id AND o.number = asked.number
"""

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
        found = await (self._among_on_sqlite if self._database.is_sqlite else self._among)(pairs)
        if not found:
            return [frozenset()] * len(questions)
        return [frozenset(PhoneNumber(pair[1]) for pair in question if pair in found) for question in questions]

    async def _among(self, pairs: Sequence[_Pair]) -> frozenset[_Pair]:
        async with self._database.driver() as connection:
            rows = await connection.fetch(
                _AMONG_PAIRS, [program for program, _ in pairs], [number for _, number in pairs]
            )
        return frozenset((row["program_id"], row["number"]) for row in rows)

    async def _among_on_sqlite(self, pairs: Sequence[_Pair]) -> frozenset[_Pair]:
        key = opt_outs.c.program_id, opt_outs.c.number
        found: list[_Pair] = []
        async with self._database.reading() as connection:
            for start in range(0, len(pairs), _PAIRS_AT_ONCE):
                some = pairs[start : start + _PAIRS_AT_ONCE]
                rows = await connection.execute(select(*key).where(tuple_(*key).in_(some)))
                found += [(row.program_id, row.number) for row in rows]
        return frozenset(found)

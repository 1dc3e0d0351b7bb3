from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, DatabaseFault, carried_through
from adapters.sql.rows import PROGRAM_COLUMNS, SENDER_COLUMNS, as_pace, as_program, as_sender
from adapters.sql.tables import program_keys, program_senders, programs, provider_accounts, senders
from domain.errors import PaceDiffers, ProgramExists, ProgramNotFound
from domain.model.pace import Pace
from domain.model.program import MAX_SEGMENTS, KeyHash, Program
from domain.model.sender import Sender, SenderAddress
from domain.ports.programs import NewProgram, Programs

_DEFAULT_PACE = Pace.parse("1/s")
_PROGRAMS = select(*PROGRAM_COLUMNS).select_from(
    programs.join(senders, programs.c.sender_id == senders.c.id).join(
        provider_accounts, senders.c.account_id == provider_accounts.c.id
    )
)
_OTHER_SENDERS = (
    select(program_senders.c.program_id, *SENDER_COLUMNS)
    .select_from(
        program_senders.join(senders, program_senders.c.sender_id == senders.c.id).join(
            provider_accounts, senders.c.account_id == provider_accounts.c.id
        )
    )
    .order_by(senders.c.id)
)


class SqlPrograms(Programs):
    def __init__(self, database: Database) -> None:
        self._database = database

    @carried_through
    async def add(self, program: NewProgram) -> Program:
        try:
            async with self._database.writing() as connection:
                sender_id = await self._sender(connection, program.provider, program.sender, program.pace)
                await connection.execute(
                    insert(programs).values(
                        id=program.id,
                        folded_id=program.id.casefold(),
                        sid=program.sid,
                        name=program.name,
                        sender_id=sender_id,
                        segment_cap=MAX_SEGMENTS,
                        first_hub=program.first_hub,
                        created_us=program.created_us,
                    )
                )
                await connection.execute(
                    insert(program_keys).values(
                        program_id=program.id,
                        digest=program.key_hash.digest,
                        pepper_id=program.key_hash.pepper_id,
                        created_us=program.created_us,
                    )
                )
                rows = await connection.execute(_PROGRAMS.where(programs.c.id == program.id))
                return as_program(rows.one())
        except DatabaseFault as fault:
            if fault.breaks_a_rule:
                raise ProgramExists from fault
            raise

    @carried_through
    async def add_sender(self, program_id: str, *, provider: str, sender: SenderAddress, pace: Pace | None) -> Program:
        async with self._database.writing() as connection:
            program = await self._find(connection, program_id)
            if program is None:
                raise ProgramNotFound
            sender_id = await self._sender(connection, provider, sender, pace)
            if sender_id != program.sender.id:
                row = {"program_id": program.id, "sender_id": sender_id}
                await self._database.insert_unless_there(connection, program_senders, row)
            return await self._find(connection, program_id) or program

    async def find(self, program_id: str) -> Program | None:
        if not program_id.isprintable():
            return None
        async with self._database.reading() as connection:
            return await self._find(connection, program_id)

    async def _find(self, connection: AsyncConnection, program_id: str) -> Program | None:
        row = (await connection.execute(_PROGRAMS.where(programs.c.folded_id == program_id.casefold()))).first()
        if row is None:
            return None
        others = await connection.execute(_OTHER_SENDERS.where(program_senders.c.program_id == row.id))
        return as_program(row, [as_sender(each) for each in others])

    async def find_with_keys(self, sid: str) -> tuple[Program, Sequence[KeyHash]] | None:
        # Of what no program can be called, some cannot even be asked for.
        if not sid.isprintable():
            return None
        async with self._database.reading() as connection:
            row = (await connection.execute(_PROGRAMS.where(programs.c.sid == sid))).first()
            if row is None:
                return None
            keys = await connection.execute(
                select(program_keys.c.digest, program_keys.c.pepper_id).where(program_keys.c.program_id == row.id)
            )
            return as_program(row), [KeyHash(key.digest, key.pepper_id) for key in keys]

    async def all(self) -> Sequence[Program]:
        others: dict[str, list[Sender]] = defaultdict(list)
        async with self._database.reading() as connection:
            for row in await connection.execute(_OTHER_SENDERS):
                others[row.program_id].append(as_sender(row))
            rows = await connection.execute(_PROGRAMS.order_by(programs.c.name))
            return [as_program(row, others[row.id]) for row in rows]

    async def _sender(
        self, connection: AsyncConnection, provider: str, address: SenderAddress, pace: Pace | None
    ) -> int:
        """The id of the sender, which is one for the whole hub."""
        account = {"provider": provider, "account": provider}
        account_id = await self._found_or_added(connection, provider_accounts, account)
        first = (pace or _DEFAULT_PACE).per_second
        fraction = {"pace_numerator": first.numerator, "pace_denominator": first.denominator}
        key = {"account_id": account_id, "address": address.value}
        sender_id = await self._found_or_added(connection, senders, key, fraction)
        current = as_pace((await connection.execute(select(senders).where(senders.c.id == sender_id))).one())
        if pace is not None and pace != current:
            raise PaceDiffers(current=str(current))
        return sender_id

    async def _found_or_added(
        self,
        connection: AsyncConnection,
        table: Table,
        key: Mapping[str, object],
        rest: Mapping[str, object] | None = None,
    ) -> int:
        await self._database.insert_unless_there(connection, table, {**key, **(rest or {})})
        found = select(table.c.id).where(*(table.c[name] == value for name, value in key.items()))
        return int((await connection.execute(found)).scalar_one())

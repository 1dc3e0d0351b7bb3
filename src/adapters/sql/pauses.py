from sqlalchemy import update

from adapters.sql.database import Database, carried_through
from adapters.sql.delivery_queue import SqlDeliveryQueue
from adapters.sql.tables import hub, programs, senders
from domain.errors import ProgramNotFound
from domain.ports.pauses import Pauses


class SqlPauses(Pauses):
    def __init__(self, database: Database, queue: SqlDeliveryQueue) -> None:
        self._database = database
        self._queue = queue

    @carried_through
    async def set_hub(self, *, paused: bool, now_us: int) -> None:
        async with self._database.writing() as connection:
            await connection.execute(update(hub).values(paused_us=now_us if paused else None))

    @carried_through
    async def set_program(self, program_id: str, *, paused: bool, now_us: int) -> None:
        its = programs.c.folded_id == program_id.casefold()
        async with self._database.writing() as connection:
            changed = update(programs).where(its).values(paused_us=now_us if paused else None)
            if not (await connection.execute(changed)).rowcount:
                raise ProgramNotFound
        if not paused:
            # Its senders were idle where nobody else sends from them.
            await self._queue.rouse_if_queued(None, now_us=now_us)

    @carried_through
    async def set_sender(self, sender_id: int, *, paused: bool, now_us: int) -> None:
        async with self._database.writing() as connection:
            changed = update(senders).where(senders.c.id == sender_id).values(paused_us=now_us if paused else None)
            await connection.execute(changed)

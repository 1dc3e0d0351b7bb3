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
        await self._change_program(program_id, paused=paused, now_us=now_us, paused_us=now_us if paused else None)

    @carried_through
    async def suspend_program(self, program_id: str, *, suspended: bool, now_us: int) -> None:
        since_us = now_us if suspended else None
        times = {"suspended_us": since_us, "paused_us": since_us}
        await self._change_program(program_id, paused=suspended, now_us=now_us, **times)

    async def _change_program(self, program_id: str, *, paused: bool, now_us: int, **times: int | None) -> None:
        its = programs.c.folded_id == program_id.casefold()
        async with self._database.writing() as connection:
            if not (await connection.execute(update(programs).where(its).values(times))).rowcount:
                raise ProgramNotFound
        if not paused:
            # Its senders were idle where nobody else sends from them.
            await self._queue.rouse_if_queued(None, now_us=now_us)

    @carried_through
    async def set_sender(self, sender_id: int, *, paused: bool, now_us: int) -> None:
        async with self._database.writing() as connection:
            changed = update(senders).where(senders.c.id == sender_id).values(paused_us=now_us if paused else None)
            await connection.execute(changed)

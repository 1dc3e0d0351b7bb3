from collections.abc import Mapping

from sqlalchemy import update

from adapters.sql.audit import audit
from adapters.sql.database import Database, carried_through
from adapters.sql.delivery_queue import SqlDeliveryQueue
from adapters.sql.tables import hub, not_deleted, programs, senders
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
            await audit(connection, "hub.paused" if paused else "hub.resumed", "hub")

    @carried_through
    async def set_program(self, program_id: str, *, paused: bool, now_us: int) -> None:
        action = "program.paused" if paused else "program.resumed"
        times = {"paused_us": now_us if paused else None}
        await self._change_program(program_id, action, times, now_us=now_us)

    @carried_through
    async def suspend_program(self, program_id: str, *, suspended: bool, now_us: int) -> None:
        since_us = now_us if suspended else None
        action = "program.suspended" if suspended else "program.reinstated"
        await self._change_program(program_id, action, {"suspended_us": since_us, "paused_us": since_us}, now_us=now_us)

    async def _change_program(
        self, program_id: str, action: str, times: Mapping[str, int | None], *, now_us: int
    ) -> None:
        its = programs.c.folded_id == program_id.casefold()
        changed = update(programs).where(its, not_deleted).values(times).returning(programs.c.id)
        async with self._database.writing() as connection:
            found = (await connection.execute(changed)).scalar_one_or_none()
            if found is None:
                raise ProgramNotFound
            await audit(connection, action, f"program {found}", program_id=found)
        if times["paused_us"] is None:
            # Its senders were idle where nobody else sends from them.
            await self._queue.rouse_if_queued(None, now_us=now_us)

    @carried_through
    async def set_sender(self, sender_id: int, *, paused: bool, now_us: int) -> None:
        async with self._database.writing() as connection:
            changed = update(senders).where(senders.c.id == sender_id).values(paused_us=now_us if paused else None)
            address = (await connection.execute(changed.returning(senders.c.address))).scalar_one()
            await audit(connection, "sender.paused" if paused else "sender.resumed", f"sender {address}")

from sqlalchemy import func, select

from adapters.sql.database import Database
from adapters.sql.tables import deliveries, queued, senders
from domain.model.priority import Priority
from domain.ports.backlog import Ahead, Backlog


class SqlBacklog(Backlog):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def ahead_of(self, sender_id: int, priority: Priority) -> Ahead:
        waiting = select(func.coalesce(func.sum(deliveries.c.segments), 0)).where(
            deliveries.c.sender_id == sender_id,
            queued,
            deliveries.c.priority <= int(priority),
        )
        line = select(senders.c.next_free_us, waiting.scalar_subquery().label("segments")).where(
            senders.c.id == sender_id
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(line)).one()
        return Ahead(int(row.segments), row.next_free_us)

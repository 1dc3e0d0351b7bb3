from collections.abc import Sequence

from sqlalchemy import delete, func, insert, select, update

from adapters.sql.database import Database, carried_through
from adapters.sql.rows import DELIVERY_COLUMNS, as_delivery
from adapters.sql.tables import deliveries, dispatchers, provider_accounts, senders, sending
from domain.model.share import Share
from domain.ports.dispatchers import Dispatchers, Orphan

# A dispatcher that has left is known no more: it was there at the slot for all that we know.
_LAST_SEEN = func.coalesce(dispatchers.c.last_seen_us, deliveries.c.slot_us)


class SqlDispatchers(Dispatchers):
    def __init__(self, database: Database) -> None:
        self._database = database

    @carried_through
    async def join(self, *, now_us: int) -> int:
        async with self._database.writing() as connection:
            row = insert(dispatchers).values(started_us=now_us, last_seen_us=now_us).returning(dispatchers.c.id)
            return int((await connection.execute(row)).scalar_one())

    @carried_through
    async def beat(self, dispatcher_id: int, *, now_us: int, heard_since_us: int) -> Share | None:
        alive = select(dispatchers.c.id).where(dispatchers.c.last_seen_us >= heard_since_us)
        async with self._database.writing() as connection:
            beaten = await connection.execute(
                update(dispatchers).where(dispatchers.c.id == dispatcher_id).values(last_seen_us=now_us)
            )
            if not beaten.rowcount:
                return None
            ids = (await connection.execute(alive.order_by(dispatchers.c.id))).scalars().all()
        return Share(ids.index(dispatcher_id), len(ids))

    @carried_through
    async def leave(self, dispatcher_id: int) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(dispatchers).where(dispatchers.c.id == dispatcher_id))

    async def orphans(self, *, silent_since_us: int, limit: int) -> Sequence[Orphan]:
        left_behind = (
            select(
                *DELIVERY_COLUMNS, deliveries.c.slot_us, provider_accounts.c.provider, _LAST_SEEN.label("last_seen_us")
            )
            .join(senders, deliveries.c.sender_id == senders.c.id)
            .join(provider_accounts, senders.c.account_id == provider_accounts.c.id)
            .outerjoin(dispatchers, deliveries.c.claimed_by == dispatchers.c.id)
            # Both so that the index of what is claimed is used, which is short.
            .where(sending, deliveries.c.claimed_by.is_not(None), silent_since_us > _LAST_SEEN)
            .order_by(deliveries.c.claimed_by)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [
                Orphan(
                    delivery=delivery,
                    provider=delivery.provider(row.provider),
                    slot_us=row.slot_us,
                    last_seen_us=row.last_seen_us,
                )
                for row in await connection.execute(left_behind)
                for delivery in [as_delivery(row)]
            ]

    @carried_through
    async def dismiss(self, *, silent_since_us: int) -> None:
        claimed = select(deliveries.c.id).where(deliveries.c.claimed_by == dispatchers.c.id, sending).exists()
        async with self._database.writing() as connection:
            await connection.execute(delete(dispatchers).where(dispatchers.c.last_seen_us < silent_since_us, ~claimed))

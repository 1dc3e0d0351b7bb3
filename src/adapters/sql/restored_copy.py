from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update

from adapters.sql.database import Database, carried_through
from adapters.sql.tables import deliveries, dispatchers, queued, sending, text_messages
from domain.model.delivery import RESTORED, DeliveryState
from domain.ports.restored_copy import RestoredCopy

_AT_ONCE = 5_000

_LAST_BEAT = select(func.max(dispatchers.c.last_seen_us))
_LAST_TEXT = select(text_messages.c.created_us).order_by(text_messages.c.id.desc()).limit(1)
_scheduled = (deliveries.c.state == DeliveryState.SCHEDULED.value) & deliveries.c.due_us.is_not(None)


class SqlRestoredCopy(RestoredCopy):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def last_beat_us(self) -> int | None:
        async with self._database.reading() as connection:
            beat_us: int | None = (await connection.execute(_LAST_BEAT)).scalar()
        return beat_us

    async def last_text_us(self) -> int | None:
        async with self._database.reading() as connection:
            created_us: int | None = (await connection.execute(_LAST_TEXT)).scalar()
        return created_us

    async def doubt(self, *, sent_since_us: int, due_before_us: int, ask_after_us: int, now_us: int) -> int:
        unknown = {
            "state": DeliveryState.UNKNOWN.value,
            "reason": RESTORED,
            "claimed_by": None,
            "due_us": now_us + ask_after_us,
            "updated_us": now_us,
        }
        then_claimed = {**unknown, "attempt": deliveries.c.attempt + 1, "slot_us": sent_since_us}
        # Another sender may have taken over what was tried before, and that one did not wait with it.
        may_have_left = or_(deliveries.c.due_us < due_before_us, deliveries.c.attempt > 0)
        # One after the other, as each state has an index of its own.
        return (
            await self._change(sending, unknown)
            or await self._change(queued, then_claimed)
            or await self._change(_scheduled & may_have_left, then_claimed)
        )

    @carried_through
    async def forget_dispatchers(self) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(dispatchers))

    @carried_through
    async def _change(self, which: ColumnElement[bool], values: dict[str, Any]) -> int:
        some = select(deliveries.c.id).where(which).limit(_AT_ONCE)
        async with self._database.writing() as connection:
            changed = update(deliveries).where(deliveries.c.id.in_(some)).values(values)
            return (await connection.execute(changed)).rowcount

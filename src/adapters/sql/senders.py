from collections.abc import Mapping, Sequence

from sqlalchemy import func, select, update

from adapters.sql.audit import audit
from adapters.sql.database import Database, carried_through
from adapters.sql.rows import SENDER_COLUMNS, as_pace, as_schedule, as_sender
from adapters.sql.tables import deliveries, provider_accounts, senders, sending
from domain.model.pace import SECOND_US, Pace
from domain.model.sender import OptOutReplies, Sender
from domain.ports.senders import Senders

_SENDERS = select(*SENDER_COLUMNS).join(provider_accounts, senders.c.account_id == provider_accounts.c.id)


class SqlSenders(Senders):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Sequence[Sender]:
        by_name = _SENDERS.order_by(provider_accounts.c.provider, senders.c.address, senders.c.id)
        async with self._database.reading() as connection:
            return [as_sender(row) for row in await connection.execute(by_name)]

    @carried_through
    async def change(
        self, sender_id: int, *, pace: Pace, backlog_us: int, opt_out_replies: OptOutReplies | None = None, now_us: int
    ) -> None:
        its = select(senders).where(senders.c.id == sender_id).with_for_update(key_share=True)
        given_away = select(func.max(deliveries.c.slot_us)).where(
            deliveries.c.sender_id == sender_id, deliveries.c.claimed_by.is_not(None), sending
        )
        async with self._database.writing() as connection:
            row = (await connection.execute(its)).one()
            last_slot_us = (await connection.execute(given_away)).scalar_one()
            schedule = as_schedule(row).at_pace(pace, now_us=now_us, last_slot_us=last_slot_us)
            changed: dict[str, object] = {
                "pace_numerator": pace.per_second.numerator,
                "pace_denominator": pace.per_second.denominator,
                "backlog_us": backlog_us,
                "next_free_us": schedule.next_free_us,
                # Its next claim was planned for the old pace.
                "due_us": None if row.due_us is None else min(row.due_us, now_us),
            }
            whose = select(provider_accounts.c.provider).where(provider_accounts.c.id == row.account_id)
            usual = OptOutReplies.usual_with((await connection.execute(whose)).scalar_one())
            answered_by = row.opt_out_replies or usual.value
            if opt_out_replies is not None:
                changed["opt_out_replies"] = opt_out_replies.value
            await connection.execute(update(senders).where(senders.c.id == sender_id).values(changed))
            before = _told(as_pace(row), row.backlog_us, answered_by)
            after = _told(pace, backlog_us, changed.get("opt_out_replies", answered_by))
            if after != before:
                await audit(connection, "sender.changed", f"sender {row.address}", before=before, after=after)


def _told(pace: Pace, backlog_us: int, opt_out_replies: object) -> Mapping[str, object]:
    return {"Rate": str(pace), "BacklogSeconds": backlog_us // SECOND_US, "OptOutReplies": opt_out_replies}

"""A month of a program's texts, as if it had sent them: a hub that has just started has nothing to look back on."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import insert

from adapters.sql.database import Database
from adapters.sql.tables import deliveries, text_messages
from domain.model.message_id import new_message_id
from domain.model.pace import SECOND_US

TEXTS = (
    "Clinic: your appointment is tomorrow at 9:30. Reply STOP to opt out.",
    "The office is closed on Monday. We are back on Tuesday at 8:00.",
    "Water will be off in Main Street from 13:00 to 15:00 today.",
    "Your order is ready. Pick it up at desk 4 until Friday.",
)
_HOURS = {7: 2, 8: 6, 9: 9, 10: 7, 11: 5, 12: 3, 13: 4, 14: 6, 15: 8, 16: 5, 17: 2, 19: 1}
_OUTCOMES = {
    ("delivered", None): 94,
    ("undelivered", "unreachable"): 2,
    ("failed", "invalid-recipient"): 1,
    ("sent", None): 2,
    ("blocked", "opted-out"): 1,
}


async def fill_in(
    database: Database, program_id: str, sender_id: int, *, days: int = 30, messages: int = 12, recipients: int = 30
) -> None:
    """So many messages each day but Sundays, to so many numbers at the most; the same whenever it is called."""
    dice, today = random.Random(7), datetime.now(UTC).date()
    for day in (today - timedelta(days=ago) for ago in range(days, 0, -1)):
        if day.weekday() == 6:
            continue
        texts, numbers = [], []
        for _ in range(dice.randint(messages // 2, messages) if day.weekday() < 5 else messages // 4):
            (hour,) = dice.choices(list(_HOURS), list(_HOURS.values()))
            at = datetime.combine(day, time(hour, dice.randrange(60), dice.randrange(60)), UTC)
            created_us = int(at.timestamp()) * SECOND_US
            message_id, count = new_message_id(created_us), dice.randint(1, recipients)
            texts.append(
                {
                    "id": message_id,
                    "program_id": program_id,
                    "sender_id": sender_id,
                    "body": dice.choice(TEXTS),
                    "recipients": count,
                    "created_us": created_us,
                }
            )
            numbers += list(_of(message_id, program_id, sender_id, created_us, count, dice))
        async with database.writing() as connection:
            await connection.execute(insert(text_messages), texts)
            await connection.execute(insert(deliveries), numbers)


def _of(
    message_id: UUID, program_id: str, sender_id: int, created_us: int, count: int, dice: random.Random
) -> Iterator[dict[str, object]]:
    for position in range(count):
        ((state, reason),) = dice.choices(list(_OUTCOMES), list(_OUTCOMES.values()))
        yield {
            "message_id": message_id,
            "position": position,
            "program_id": program_id,
            "sender_id": sender_id,
            "number": f"+1970555{dice.randrange(10_000):04}",
            "segments": 1,
            "state": state,
            "attempt": 0 if state == "blocked" else 1,
            "failures": 0,
            "enquiries": 0,
            "reason": reason,
            "updated_us": created_us + (position + 2) * SECOND_US,
        }

from typing import Protocol

from domain.model.idempotency import IdempotencyKey
from domain.model.text_message import AcceptedText, NewText


class Intake(Protocol):
    """Where texts become the hub's: what it has taken is durable."""

    async def add(self, text: NewText) -> AcceptedText:
        """Stores message and deliveries in one transaction; what was stored is durable when this returns.

        Deliveries to numbers that have opted out of the program's texts are stored as `blocked`, and count as such; so
        are those of the same text to the same number within its `duplicate_window_us`, and those that are more than
        its `per_recipient` allows, however many come at once. What has not got to the number, the next may get to it.
        What is not blocked counts against its budgets; where it is more than any has left, nothing of it is stored:
        raises `BudgetExceeded`.
        A text whose key the program has used within a day is not stored again: the earlier one is returned. Raises
        `IdempotencyKeyReused` where that was another request, `IdempotencyKeyInUse` where it takes too long to end,
        `HubBusy` where too many texts wait to be stored, and `StoreUnavailable`; with that one the text was either
        stored whole or not at all.
        """
        ...

    async def answered(self, program_id: str, key: IdempotencyKey, *, now_us: int) -> AcceptedText | None:
        """The text that was stored under the key within a day. Raises `IdempotencyKeyReused`."""
        ...

    async def forget_keys(self, *, now_us: int) -> int:
        """Drops keys that stand for nothing any more, and notes of texts that have no duplicates any more, a good many
        at a time; says how many.
        """
        ...

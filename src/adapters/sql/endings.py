"""Deliveries that a statement has brought to their end, where nobody else hears of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import provider_accounts, senders
from domain.model.delivery import DeliveryState

# The provider of their sender, their state, why they are in it, and how many they are.
Ended: TypeAlias = Callable[[str, DeliveryState, str | None, int], None]

_PROVIDERS = select(senders.c.id, provider_accounts.c.provider).join(
    provider_accounts, senders.c.account_id == provider_accounts.c.id
)


def untold(_provider: str, _state: DeliveryState, _reason: str | None, _count: int) -> None:
    """Nobody wants to hear of it."""


async def by_provider(connection: AsyncConnection, sender_ids: Iterable[int]) -> Mapping[str, int]:
    """How many there are of each provider, of senders that are named as often as they have one."""
    of_sender = Counter(sender_ids)
    found: Counter[str] = Counter()
    if of_sender:
        for row in await connection.execute(_PROVIDERS.where(senders.c.id.in_(of_sender))):
            found[row.provider] += of_sender[row.id]
    return found

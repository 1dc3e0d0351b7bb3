from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from domain.model.delivery import Delivery
from domain.model.text_message import NewText, TextSummary

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`more` says whether there are items after these."""

    items: Sequence[T]
    more: bool


class TextLog(Protocol):
    """The record of every message and delivery. A program sees its own alone."""

    async def add(self, text: NewText) -> None:
        """Stores message and deliveries in one transaction; what was stored is durable when this returns.

        Raises `StoreUnavailable`; then it was either stored whole or not at all.
        """
        ...

    async def find(self, program_id: str, message_id: UUID) -> TextSummary | None: ...

    async def page(self, program_id: str, *, before: UUID | None, limit: int) -> Page[TextSummary]:
        """Newest first. `before` is the last id of the page before."""
        ...

    async def deliveries(self, program_id: str, message_id: UUID, *, after: int, limit: int) -> Page[Delivery] | None:
        """In the order of the request. `after` is the last position of the page before, 0 for the first."""
        ...

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from domain.model.delivery import Delivery, DeliveryState
from domain.model.phone_number import PhoneNumber
from domain.model.sender import SenderAddress
from domain.model.text_message import TextSummary

T = TypeVar("T")
E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Page(Generic[T, E]):
    """`end` is where the next page goes on; None where this is the last."""

    items: Sequence[T]
    end: E | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedDelivery:
    """A delivery with the address of the sender that sends it or has sent it."""

    delivery: Delivery
    sender: SenderAddress


@dataclass(frozen=True, slots=True)
class LoggedText:
    """A message with one of its deliveries."""

    text: TextSummary
    to: LoggedDelivery


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFilter:
    """Which messages of a log are wanted; None asks for all. The time is that of acceptance: `from_us` is included,
    `before_us` is not.
    """

    state: DeliveryState | None = None
    number: PhoneNumber | None = None
    from_us: int | None = None
    before_us: int | None = None


EVERY_TEXT = TextFilter()


class TextLog(Protocol):
    """The record of every message and delivery. A program sees its own alone."""

    async def cancel(self, program_id: str, message_id: UUID, *, now_us: int) -> int | None:
        """Ends the deliveries that wait, and lets none of the others wait again; says how many it ended.

        None where there is no such message.
        """
        ...

    async def find(self, program_id: str, message_id: UUID) -> TextSummary | None: ...

    async def page(
        self, program_id: str, *, wanted: TextFilter = EVERY_TEXT, before: UUID | None, limit: int
    ) -> Page[TextSummary, UUID]:
        """Newest first. `before` is the end of the page before. A page may have fewer items than there are, even none:
        the last one is known by its end alone.
        """
        ...

    async def deliveries(
        self, program_id: str, message_id: UUID, *, state: DeliveryState | None = None, after: int, limit: int
    ) -> Page[LoggedDelivery, int] | None:
        """In the order of the request; those in the state, if one is given. `after` is the end of the page before, 0
        for the first. None where there is no such message.
        """
        ...

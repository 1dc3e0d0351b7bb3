"""One request of a program: one text for one or many numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.model.delivery import Delivery, DeliveryState, overall_state
from domain.model.message_body import MessageBody
from domain.model.phone_number import PhoneNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage:
    """`created_us` is when the hub took it. `client_date_sent` is what an old client wrote into DateSent, kept as it
    came: it never schedules anything.
    """

    id: UUID
    program_id: str
    sender_id: int
    body: MessageBody
    recipients: int
    created_us: int
    client_date_sent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewText:
    """A message with all its deliveries, as it is to be stored. The store gives the deliveries their ids."""

    message: TextMessage
    deliveries: Sequence[Delivery]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSummary:
    """A message as it stands. `numbers` are its first ones, `NUMBERS_SHOWN` at the most; `counts` is per state."""

    message: TextMessage
    numbers: Sequence[PhoneNumber]
    counts: Mapping[DeliveryState, int]

    @property
    def state(self) -> DeliveryState:
        return overall_state(self.counts)

    @property
    def failed(self) -> bool:
        """Whether it has come to an end other than the one that was wanted, for any of its numbers."""
        return self.state.terminal and self.state is not DeliveryState.DELIVERED


NUMBERS_SHOWN = 100

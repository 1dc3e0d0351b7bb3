"""A provider's later word on a text."""

from dataclasses import dataclass, field
from enum import Enum

from domain.model.delivery import Delivery, DeliveryState

_UNDER_WAY = frozenset({DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.SENT})


class ReceiptOutcome(Enum):
    """What came of a receipt."""

    APPLIED = "applied"
    # It came twice, late or out of order.
    NOTHING_NEW = "nothing-new"
    # Nobody here knows the text: another's, or one that was deleted since.
    UNKNOWN_DELIVERY = "unknown-delivery"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """`state` is SENT as long as the provider has the text and no verdict. `reference` is what it calls the text.

    `delivery_id` and `attempt` travelled with the text and came back, None where they did not. `digits` are those of
    the recipient's number.
    """

    state: DeliveryState
    reference: str
    digits: str = field(repr=False)
    reason: str | None = None
    delivery_id: int | None = None
    attempt: int | None = None

    def is_of(self, delivery: Delivery) -> bool:
        """Whether it can be: ids start anew in a new database, and receipts of the one before may still come."""
        return delivery.attempt >= (self.attempt or 1) and delivery.number.e164 == f"+{self.digits}"

    def settle(self, delivery: Delivery, *, now_us: int) -> Delivery:
        """The delivery as it stands then; the same where the receipt says nothing new of it.

        That an earlier attempt came to nothing says nothing of the one that is under way; that it arrived, all.
        """
        if (
            self._is_of_another_attempt(delivery)
            and delivery.state in _UNDER_WAY
            and self.state is not DeliveryState.DELIVERED
        ):
            return delivery
        return delivery.receipt(self.state, now_us=now_us, reason=self.reason, provider_reference=self.reference)

    def _is_of_another_attempt(self, delivery: Delivery) -> bool:
        if self.reference == delivery.provider_reference:
            return False
        if self.attempt is not None:
            return self.attempt != delivery.attempt
        return delivery.provider_reference is not None

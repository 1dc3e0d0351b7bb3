from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from domain.model.delivery import Delivery
from domain.model.message_body import MessageBody
from domain.model.sender import Sender
from domain.model.share import EVERY_SENDER, Share
from domain.model.slots import Reservation, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A delivery that is this dispatcher's to send, in its slot. The attempt is recorded already. `mail_to` is the
    e-mail address that gets it in place of a text.
    """

    delivery: Delivery
    message_id: UUID
    program_id: str
    sender: Sender
    body: MessageBody
    slot: Slot
    expires_us: int | None = None
    trace_parent: str | None = None
    mail_to: str | None = field(default=None, repr=False)

    @property
    def provider(self) -> str:
        return self.delivery.provider(self.sender.provider)


class DeliveryQueue(Protocol):
    """What is to be sent. Queue and throttle in one: a claim takes deliveries and reserves their slots together."""

    async def claim(
        self, dispatcher_id: int, *, now_us: int, reservation: Reservation, share: Share = EVERY_SENDER
    ) -> Sequence[Claim]:
        """Takes what is due at the senders of the share, and at others that are late, and commits before it returns.

        Two dispatchers never get the same delivery, nor overlapping slots of one sender or limit. The order at a
        sender is that of `domain.model.turns`. Not among the claims are deliveries to numbers that have opted out
        meanwhile (they become `blocked`), of messages that were canceled (`canceled`) and those that expire before
        their slot (`expired`). Nothing is taken of what is paused; of a sender that is barred, one now and then.
        """
        ...

    async def next_due_us(self, *, share: Share = EVERY_SENDER) -> int | None:
        """When there is something to claim next, as far as that is known. None: nothing is queued."""
        ...

    async def record(self, deliveries: Sequence[Delivery]) -> None:
        """Stores what has become of claimed deliveries, and the attempt's outcome with it.

        A delivery whose attempt is no longer the current one, or that a receipt has settled, stays as it is.
        Recording the same twice changes nothing.
        """
        ...

    async def take_over(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """Stores what becomes of deliveries that their dispatcher has left behind; gives those of which it is stored.

        Of two that take over the same at once, one gets each. What is no longer being sent in that attempt, since its
        dispatcher has recorded it after all, stays as it is and is nobody's.
        """
        ...

    async def strays(self, dispatcher_id: int, *, slots_before_us: int) -> Sequence[Delivery]:
        """What the dispatcher has claimed for slots before then and has not recorded.

        Some of it the dispatcher may never have heard of: when the answer to a claim is lost on its way.
        """
        ...

    async def delay(self, sender_id: int, by_us: int, *, now_us: int) -> None:
        """Keeps the sender's line free for so long."""
        ...

    async def bar(self, sender_id: int, reason: str, *, now_us: int) -> int:
        """Notes that the provider takes nothing from the sender; says how often in a row it did.

        From now on one text is tried now and then, and less often with every time.
        """
        ...

    async def unbar(self, sender_id: int, *, now_us: int) -> None:
        """The provider takes texts from the sender again."""
        ...

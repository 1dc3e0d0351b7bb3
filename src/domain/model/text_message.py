"""One request of a program: one text for one or many numbers."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self
from uuid import UUID

from domain.model.budget import Budget, Velocity
from domain.model.delivery import OPTED_OUT, Delivery, DeliveryState, overall_state
from domain.model.idempotency import IdempotencyKey
from domain.model.message_body import MessageBody
from domain.model.phone_number import PhoneNumber
from domain.model.priority import Priority
from domain.model.sender import SenderAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage:
    """`created_us` is when the hub took it, `send_at_us` when it is to be sent (None: at once), `expires_us` when it
    is not worth sending any more (None: never). `client_date_sent` is what an old client wrote into DateSent, kept as
    it came: it never schedules anything. `estimated_us` is when the last of it would be sent, as it looked when the hub
    took it; None where that could not be told. `sender_named`: the request wants it from this sender and no other.
    `notice` is what is added for those who had no text of the program's before. `is_reply`: the hub's own answer to a
    keyword, which somebody gets who has opted out. `is_test`: the sandbox takes it, whatever the sender.
    `template` and `template_version` say what it was made from, None where it came in words of its own.
    `sent_by` is the person who sent it, None where the program itself did.
    `trace_parent` names the trace that its acceptance is part of, for whoever follows that; it means nothing here.
    """

    id: UUID
    program_id: str
    sender_id: int
    sender: SenderAddress
    body: MessageBody
    recipients: int
    created_us: int
    priority: Priority = Priority.NORMAL
    send_at_us: int | None = None
    expires_us: int | None = None
    client_date_sent: str | None = None
    estimated_us: int | None = None
    sender_named: bool = False
    notice: str | None = None
    is_reply: bool = False
    is_test: bool = False
    trace_parent: str | None = None
    template: str | None = None
    template_version: int | None = None
    sent_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewText:
    """A message with all its deliveries, as it is to be stored. The store gives the deliveries their ids.

    `refusals` are the numbers that it does without, as (position in the request, reason) pairs; `provider` is that of
    its sender. `duplicate_window_us` is for how long the same text to the same number is not to be sent again; None: it
    may be at once. `per_recipient` is how many texts one of its numbers may get, and `budgets` what its segments are
    counted against.
    """

    message: TextMessage
    deliveries: Sequence[Delivery]
    refusals: Sequence[tuple[int, str]] = ()
    key: IdempotencyKey | None = None
    provider: str = ""
    duplicate_window_us: int | None = None
    per_recipient: Velocity | None = None
    budgets: Sequence[Budget] = ()

    @property
    def guarded(self) -> bool:
        """Whether what was stored before decides what becomes of it, beside opt-outs."""
        return bool(self.budgets) or self.duplicate_window_us is not None or self.per_recipient is not None

    @property
    def segments(self) -> int:
        """Of all that is to be sent."""
        return sum(each.segments for each in self.deliveries if each.state is not DeliveryState.BLOCKED)

    def sparing(self, opted_out: Container[PhoneNumber]) -> Self:
        """As it is to be stored where these numbers have opted out: what would go to them is blocked."""
        return self if self.message.is_reply else self.blocked_for(OPTED_OUT, opted_out)

    def blocked_for(self, reason: str, numbers: Container[PhoneNumber]) -> Self:
        """With what would go to these numbers blocked."""
        now_us = self.message.created_us
        deliveries = [
            each.blocked(reason, now_us=now_us)
            if each.number in numbers and each.state is not DeliveryState.BLOCKED
            else each
            for each in self.deliveries
        ]
        return self if deliveries == list(self.deliveries) else replace(self, deliveries=deliveries)

    @property
    def counts(self) -> Mapping[DeliveryState, int]:
        """How many of its deliveries are in which state."""
        return Counter([delivery.state for delivery in self.deliveries])

    def accepted(self) -> "AcceptedText":
        """What its sender is told: the first numbers, and how many are blocked for which reason."""
        numbers = [delivery.number for delivery in self.deliveries[:NUMBERS_SHOWN]]
        blocked = [each.reason for each in self.deliveries if each.state is DeliveryState.BLOCKED]
        return AcceptedText(
            summary=TextSummary(message=self.message, numbers=numbers, counts=self.counts),
            refusals=self.refusals,
            blocked=Counter(filter(None, blocked)),
            segments=self.segments,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSummary:
    """A message as it stands. `numbers` are its first ones, `NUMBERS_SHOWN` at the most; `counts` is per state.
    `reason` is why its delivery is as it is, where it has but one.
    """

    message: TextMessage
    numbers: Sequence[PhoneNumber]
    counts: Mapping[DeliveryState, int]
    reason: str | None = None

    @property
    def state(self) -> DeliveryState:
        return overall_state(self.counts)

    @property
    def failed(self) -> bool:
        """Whether it has come to an end other than the one that was wanted, for any of its numbers."""
        return self.state.terminal and self.state is not DeliveryState.DELIVERED


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedText:
    """A message as it stood when it was accepted. `replayed`: that was by an earlier request with the same key.

    `blocked` is how many of its deliveries were blocked for which reason. `segments`, how many the others have, is told
    where it was not replayed.
    """

    summary: TextSummary
    refusals: Sequence[tuple[int, str]] = ()
    blocked: Mapping[str, int] = field(default_factory=dict)
    segments: int = 0
    replayed: bool = False


NUMBERS_SHOWN = 100

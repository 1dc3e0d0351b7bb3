"""One message to one number: the unit that is queued, paced, sent and followed.

Times are whole microseconds since the Unix epoch on the hub's clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Self

from domain.errors import IllegalTransition
from domain.model.phone_number import PhoneNumber


class DeliveryState(Enum):
    """Least advanced first, then the terminal ones, worst first: a message's state is the first that applies."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    SENT = "sent"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    BLOCKED = "blocked"
    CANCELED = "canceled"
    DELIVERED = "delivered"

    # States are counted and looked up with every request, and each is one object.
    __hash__ = object.__hash__

    @property
    def terminal(self) -> bool:
        return self in _TERMINAL


_TERMINAL = frozenset(
    {
        DeliveryState.FAILED,
        DeliveryState.UNDELIVERED,
        DeliveryState.EXPIRED,
        DeliveryState.BLOCKED,
        DeliveryState.CANCELED,
        DeliveryState.DELIVERED,
    }
)

# For these the recipient has not got it.
IN_VAIN = _TERMINAL - {DeliveryState.DELIVERED}
# Not handed to the provider as yet: these can still be stopped.
WAITING = (DeliveryState.SCHEDULED, DeliveryState.QUEUED)
# Something is still to become of these, for all that the hub knows.
STILL_TO_COME = (*WAITING, DeliveryState.SENDING, DeliveryState.UNKNOWN)
# The provider's word for it that the recipient wants no texts from the sender.
OPTED_OUT_AT_PROVIDER = "opted-out-at-provider"
# Reasons of the hub's own.
OPTED_OUT = "opted-out"
DUPLICATE = "duplicate"
TOO_MANY_TEXTS = "too-many-texts"
NOT_SENT_IN_TIME = "not-sent-in-time"
FAILED_OVER = "failed-over"
RESTORED = "restored-from-backup"
QUIET_HOURS = "quiet-hours"
MAILED_INSTEAD = "mailed-instead"
MAIL, SANDBOX = "mail", "sandbox"
# Providers that get texts in place of the sender's, and what their references begin with: from the claim on, so that
# nobody asks another about such a text, whatever becomes of the attempt.
REFERENCES_BEGIN = {MAIL: "mail:", SANDBOX: "sandbox-"}

_RANK = {state: rank for rank, state in enumerate(DeliveryState)}

# What a delivery receipt may say.
RECEIPT_STATES = frozenset(
    {
        DeliveryState.SENT,
        DeliveryState.DELIVERED,
        DeliveryState.UNDELIVERED,
        DeliveryState.FAILED,
        DeliveryState.EXPIRED,
    }
)


def in_order(counts: Mapping[DeliveryState, int]) -> list[DeliveryState]:
    """The states that any delivery is in, the least advanced first."""
    return sorted((state for state, count in counts.items() if count), key=_RANK.__getitem__)


def overall_state(counts: Mapping[DeliveryState, int]) -> DeliveryState:
    """The state of a message whose deliveries are in these states; at least one count is more than zero.

    The least advanced delivery decides; once all are terminal, the worst outcome does.
    """
    return in_order(counts)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """`position` counts from 1 within the message. `attempt` grows with every claim and tells a late result of an
    earlier one from the current. `failures` counts calls that surely did not send, since its sender has it, and
    `enquiries` how often the provider could not say of the last unknown attempt that it has it: 0 as long as there was
    none. `reason` is a slug, set where the state needs one to be understood.
    `has_notice`: what the message adds for those who had no text of the program's before goes to this number, too.
    `resends` is how often it was sent again although it may have been sent before. `provider_reference` is the
    provider's own id. `due_us` is when the hub turns to the delivery again: to queue it
    (`scheduled`) or to ask the provider about it (`unknown`, `sent`).
    """

    id: int
    position: int
    number: PhoneNumber
    segments: int
    state: DeliveryState
    attempt: int = 0
    failures: int = 0
    enquiries: int = 0
    resends: int = 0
    reason: str | None = None
    provider_reference: str | None = None
    due_us: int | None = None
    has_notice: bool = False
    updated_us: int = 0

    def put_off(self, until_us: int, *, now_us: int) -> Self:
        """Its recipient is not to be texted before then."""
        self._must_be(*WAITING, event="being put off")
        return self._to(DeliveryState.SCHEDULED, now_us, reason=QUIET_HOURS, due_us=until_us)

    def provider(self, of_sender: str) -> str:
        """Who has it, or will: the provider of its sender, if no other gets it instead."""
        reference = self.provider_reference or ""
        return next((name for name, begin in REFERENCES_BEGIN.items() if reference.startswith(begin)), of_sender)

    def claimed(self, *, now_us: int, instead: str | None = None) -> Self:
        """The attempt is recorded before the call, so that no crash can hide that there may have been one. `instead` is
        who gets it in place of its sender's provider.
        """
        self._must_be(DeliveryState.QUEUED, event="a claim")
        reference = None if instead is None else REFERENCES_BEGIN[instead]
        return self._to(
            DeliveryState.SENDING, now_us, attempt=self.attempt + 1, reason=None, provider_reference=reference
        )

    def blocked(self, reason: str, *, now_us: int) -> Self:
        self._must_be(*WAITING, event="a block")
        return self._to(DeliveryState.BLOCKED, now_us, reason=reason)

    def canceled(self, *, now_us: int) -> Self:
        self._must_be(*WAITING, event="a cancellation")
        return self._to(DeliveryState.CANCELED, now_us, reason=None)

    def expired(self, *, now_us: int) -> Self:
        """Its time went by before it could be handed to the provider."""
        self._must_be(*WAITING, event="expiry")
        return self._to(DeliveryState.EXPIRED, now_us, reason=NOT_SENT_IN_TIME)

    def released(self, *, now_us: int) -> Self:
        """Handed back without a call to the provider."""
        self._must_be(DeliveryState.SENDING, event="a release")
        return self._to(DeliveryState.QUEUED, now_us)

    def sent(self, provider_reference: str, *, now_us: int, ask_after_us: int | None = None) -> Self:
        self._must_be(DeliveryState.SENDING, event="an acceptance")
        due_us = None if ask_after_us is None else now_us + ask_after_us
        return self._to(DeliveryState.SENT, now_us, reason=None, provider_reference=provider_reference, due_us=due_us)

    def refused(self, reason: str, *, now_us: int, opted_out: bool = False) -> Self:
        """The provider said no, for good. An opt-out that it knows of counts as one of ours."""
        self._must_be(DeliveryState.SENDING, event="a refusal")
        return self._to(DeliveryState.BLOCKED if opted_out else DeliveryState.FAILED, now_us, reason=reason)

    def held_back(self, reason: str, *, now_us: int) -> Self:
        """The provider takes nothing from the sender now: surely not sent, and no failure of the delivery."""
        self._must_be(DeliveryState.SENDING, event="being held back")
        return self._to(DeliveryState.QUEUED, now_us, reason=reason)

    def retried(self, reason: str, *, now_us: int, after_us: int) -> Self:
        """Surely not sent, and tried again later."""
        self._must_be(DeliveryState.SENDING, DeliveryState.UNKNOWN, event="a retry")
        return self._to(
            DeliveryState.SCHEDULED,
            now_us,
            reason=reason,
            due_us=now_us + after_us,
            failures=self.failures + 1,
            enquiries=self.enquiries + (self.state is DeliveryState.UNKNOWN),
        )

    def resent(self, reason: str, *, now_us: int) -> Self:
        """Sent again, although nobody can tell whether it was sent before."""
        self._must_be(DeliveryState.UNKNOWN, event="a resending")
        again = self.retried(reason, now_us=now_us, after_us=0)
        return replace(again, resends=self.resends + 1)

    def given_up(self, reason: str, *, now_us: int) -> Self:
        self._must_be(DeliveryState.SENDING, DeliveryState.UNKNOWN, event="giving up")
        return self._to(DeliveryState.FAILED, now_us, reason=reason)

    def lost_sight_of(self, reason: str, *, now_us: int, ask_after_us: int | None) -> Self:
        """It may have been sent or not; asked about after `ask_after_us`, or never where that is None."""
        self._must_be(DeliveryState.SENDING, event="an unknown outcome")
        due_us = None if ask_after_us is None else now_us + ask_after_us
        return self._to(DeliveryState.UNKNOWN, now_us, reason=reason, due_us=due_us, enquiries=0)

    def doubted(self, *, now_us: int, ask_after_us: int) -> Self:
        """What is known of it is as old as a backup. Since then it may have been claimed, and sent in that attempt."""
        self._must_be(*WAITING, DeliveryState.SENDING, event="doubt")
        attempt = self.attempt + (self.state in WAITING)
        due_us = now_us + ask_after_us
        return self._to(DeliveryState.UNKNOWN, now_us, reason=RESTORED, attempt=attempt, due_us=due_us)

    def not_found(self, *, now_us: int, ask_after_us: int) -> Self:
        """The provider does not know it, as yet."""
        self._must_be(DeliveryState.UNKNOWN, event="an enquiry")
        due_us = now_us + ask_after_us
        return self._to(DeliveryState.UNKNOWN, now_us, due_us=due_us, enquiries=self.enquiries + 1)

    def found(self, provider_reference: str, *, now_us: int, ask_after_us: int | None = None) -> Self:
        """The provider has it, and no verdict yet."""
        self._must_be(DeliveryState.UNKNOWN, DeliveryState.SENT, event="an enquiry")
        due_us = None if ask_after_us is None else now_us + ask_after_us
        return self._to(DeliveryState.SENT, now_us, reason=None, provider_reference=provider_reference, due_us=due_us)

    def asked_in_vain(self, *, now_us: int, ask_after_us: int | None = None) -> Self:
        """The provider could not say. Not asked again, it stays as it is until a receipt or a person settles it."""
        self._must_be(DeliveryState.UNKNOWN, DeliveryState.SENT, event="an enquiry")
        return replace(self, due_us=None if ask_after_us is None else now_us + ask_after_us)

    def receipt(
        self, state: DeliveryState, *, now_us: int, reason: str | None = None, provider_reference: str | None = None
    ) -> Self:
        """What the provider says later, which may come late, twice and out of order.

        A receipt that says nothing new changes nothing; a terminal state is never left. What waits to be sent once
        more, since it seemed not to have been sent, is not: the provider has it.
        """
        if state not in RECEIPT_STATES or (self.state in WAITING and not self.attempt):
            raise IllegalTransition(state=self.state.value, event=f"a receipt of {state.value}")
        if self.state.terminal or self.state is state:
            return self
        if self.state is DeliveryState.SENT or provider_reference is None:
            provider_reference = self.provider_reference
        return self._to(state, now_us, reason=reason, provider_reference=provider_reference)

    def _must_be(self, *states: DeliveryState, event: str) -> None:
        if self.state not in states:
            raise IllegalTransition(state=self.state.value, event=event)

    def _to(self, state: DeliveryState, now_us: int, **changes: object) -> Self:
        return replace(self, **{"due_us": None, **changes, "state": state, "updated_us": now_us})  # type: ignore[arg-type]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.model.callback import Callback
from domain.model.consent import Scope
from domain.model.inbound_message import InboundMessage, InboundOutcome, InboundText
from domain.model.keyword import Keyword
from domain.model.phone_number import PhoneNumber
from domain.ports.text_log import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What came of a callback that handed a text over; `message_id` 0 where it is nobody's."""

    callback: Callback
    outcome: InboundOutcome
    message_id: int = 0
    program_id: str | None = None
    keyword: Keyword | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReply:
    """A keyword that is to be answered, by a message of the id `reply_id`."""

    inbound_id: int
    reply_id: UUID
    program_id: str
    sender_id: int
    number: PhoneNumber
    keyword: Keyword
    received_us: int


class InboundMessages(Protocol):
    """What people text back, each message with the program that it is for."""

    async def take_in(
        self, read: Callable[[Callback], InboundText | None], *, scope: Scope, now: Callable[[], int], limit: int
    ) -> Sequence[TakenIn]:
        """Takes up to so many texts that providers handed over, the oldest first, and keeps each with its program: the
        one that texted the number last from the sender, or the one that has the sender to itself.

        A keyword does what it says in the same transaction: an opt-out is the program's, the sender's or everybody's,
        as `scope` has it, and the sender's where nobody knows whose the text is. It is recorded when no text to the
        number is on its way to a provider any more: until then the number is not texted, and the message waits. So
        whatever was sent, was sent before. An opt-in lifts what binds the program and the sender, and is a mere text
        where there is nothing to lift. Where the hub answers keywords that are texted to the sender, a reply is due to
        each opt-out and opt-in that is new, and to HELP now and then.

        What others are at is left for later, and so is what the same person texted after something that waits. `now`
        is the hub's clock, `read` says what a callback means, None for what nobody understands.
        """
        ...

    async def page(
        self, program_id: str, *, number: str | None = None, before: int | None, limit: int
    ) -> Page[InboundMessage, int]:
        """The program's, newest first. `before` is the end of the page before, None for the first."""
        ...

    async def due_replies(self, *, now_us: int, limit: int) -> Sequence[DueReply]:
        """The keywords that are to be answered. Each is given out once in half a minute, to whoever asks first."""
        ...

    async def replied(self, inbound_id: int, *, sent: bool) -> None:
        """That is done; `sent` is False where nobody is to be answered any more."""
        ...

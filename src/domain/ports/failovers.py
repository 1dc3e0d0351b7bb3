from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.model.failover import Failover, SenderCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedOver:
    """A delivery that another sender has taken over."""

    delivery_id: int
    message_id: UUID


class Failovers(Protocol):
    """Hands over what waits at one of a program's senders to another."""

    async def conditions(self, *, now_us: int) -> Mapping[str, Sequence[SenderCondition]]:
        """Those of the senders of each program that wants failover, by its id; its own sender first, the others in the
        order in which they were added.
        """
        ...

    async def carry_out(self, failover: Failover, *, now_us: int, limit: int) -> Sequence[FailedOver]:
        """Hands over some of what waits, the most urgent first, and commits; says what that was.

        That is what is queued or waits for another try. Not what waits for its `SendAt`, what had an unknown outcome
        before, nor what a request wants from a certain sender. None of it is claimed meanwhile, and of two that do the
        same at once each hands over what the other does not. Nothing goes to a sender that has stopped meanwhile.
        """
        ...

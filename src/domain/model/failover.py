"""Which of a program's senders takes over from which, where the program wants that."""

from collections.abc import Sequence
from dataclasses import dataclass

# Reasons that say nothing of the text or its recipient: nobody's texts get through.
PROVIDER_AWAY = frozenset({"no-connection", "no-secure-connection", "provider-error"})
# What one text comes to in some ten seconds of that. A blip is over sooner.
FAILURES_OF_A_STANDSTILL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderCondition:
    """How a sender does for one program at a moment.

    `bar_reason` is why its provider takes nothing from it, and `being_tried` that it is about to be seen whether that
    is so still. `away_reason` is why one of the program's texts did not get to the provider so often that it must be
    out of order. None where that is not so.
    """

    sender_id: int
    provider: str
    paused: bool = False
    bar_reason: str | None = None
    being_tried: bool = False
    away_reason: str | None = None

    @property
    def usable(self) -> bool:
        return not self.paused and self.bar_reason is None and self.away_reason is None

    @property
    def stands_still(self) -> str | None:
        """Why what waits at it is better off elsewhere.

        An operator who pauses a sender wants its queue kept, and a sender that is being tried needs a text for that.
        """
        if self.paused:
            return None
        if self.bar_reason is not None:
            return None if self.being_tried else self.bar_reason
        return self.away_reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """What waits of the program at one sender is another's from now on; `provider` is that of the first."""

    program_id: str
    from_sender_id: int
    to_sender_id: int
    provider: str
    reason: str


def failovers(program_id: str, senders: Sequence[SenderCondition]) -> Sequence[Failover]:
    """`senders` are all of the program's in their order, its own first.

    Who takes over is the next that can: never one before, so that each has a text once at the most.
    """
    found = []
    for place, sender in enumerate(senders):
        following = next((each for each in senders[place + 1 :] if each.usable), None)
        if sender.stands_still is not None and following is not None:
            found.append(
                Failover(
                    program_id=program_id,
                    from_sender_id=sender.sender_id,
                    to_sender_id=following.sender_id,
                    provider=sender.provider,
                    reason=sender.stands_still,
                )
            )
    return found

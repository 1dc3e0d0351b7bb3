from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """Which senders a dispatcher looks after: those whose id, divided by `of`, leaves `rank`.

    All dispatchers that are alive count themselves in the same order, so each sender is one's. Where they disagree for
    a moment, a sender changes hands or waits a little; it never gets a slot twice.
    """

    rank: int = 0
    of: int = 1


EVERY_SENDER = Share()

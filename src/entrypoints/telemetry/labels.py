"""Which values labels take: few, and none that anybody else could make up."""

from domain.model.reasons import SENTENCES

OTHER = "other"
MOST_SENDERS = 1_000  # That one process counts one by one.
MOST_SHOWN = 100  # Of what is shown one by one: senders by what waits, limits, accounts.


def known_reason(reason: str | None) -> str:
    """As it is documented; empty where there is none."""
    if reason is None:
        return ""
    return reason if reason in SENTENCES else OTHER

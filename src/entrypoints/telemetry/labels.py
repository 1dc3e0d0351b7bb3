"""Which values labels take: few, and none that anybody else could make up."""

from domain.model.reasons import SENTENCES

OTHER = "other"
MOST_SENDERS = 1_000  # That one process counts one by one.
MOST_PROGRAMS = 1_000  # As well.
MOST_SHOWN = 100  # Of what is shown one by one: senders by what waits, limits, accounts.


def known_reason(reason: str | None) -> str:
    """As it is documented; empty where there is none."""
    if reason is None:
        return ""
    return reason if reason in SENTENCES else OTHER


class FirstLabels:
    """Each of the first `most` ids is a label of its own, and `OTHER` is that of all who come later."""

    def __init__(self, most: int) -> None:
        self._most = most
        # What is looked up once need not be for each text.
        self._labels: dict[int | str, tuple[str]] = {}

    def of(self, each: int | str) -> tuple[str]:
        label = self._labels.get(each)
        if label is None:
            label = (str(each) if len(self._labels) < self._most else OTHER,)
            self._labels[each] = label
        return label

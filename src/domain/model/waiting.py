"""How much waits somewhere."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.model.limit import Counted


@dataclass(frozen=True, slots=True)
class Waiting:
    """Texts, and the segments of all of them. Where it is reckoned with averages, there are parts of them."""

    texts: float = 0
    segments: float = 0

    def __add__(self, other: "Waiting") -> "Waiting":
        return Waiting(self.texts + other.texts, self.segments + other.segments)

    def __sub__(self, other: "Waiting") -> "Waiting":
        return Waiting(self.texts - other.texts, self.segments - other.segments)

    def first(self, texts: float) -> "Waiting":
        """So many of them, or all where there are no more, each of the average length."""
        if texts <= 0 or not self.texts:
            return NOTHING
        return self if texts >= self.texts else Waiting(texts, self.segments * texts / self.texts)

    def counted(self, by: Counted) -> float:
        """As the limit counts: segments, or texts."""
        return self.segments if by is Counted.SEGMENTS else self.texts


NOTHING = Waiting()


def together(several: Iterable[Waiting]) -> Waiting:
    return sum(several, NOTHING)


def most_had(waiting: Iterable[float], gone: float) -> float:
    """What each has had at the most, when they have taken turns and so much of all is gone."""
    most = 0.0
    in_order = sorted(waiting)
    for through, its in enumerate(in_order):
        most = gone / (len(in_order) - through)
        if most <= its:
            break
        gone -= its
    return most

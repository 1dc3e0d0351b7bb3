from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much is measured."""

    rounds: int = 5
    seconds: float = 4.0
    connections: int = 64
    warm_up_s: float = 1.0

    @property
    def total_s(self) -> float:
        """All rounds in one, for rows that measure one thing for long."""
        return self.rounds * self.seconds

    @property
    def in_words(self) -> str:
        return (
            f"{self.rounds} rounds of {self.seconds:g} s after a warm-up of {self.warm_up_s:g} s, "
            f"{self.connections} connections with one request in flight on each"
        )

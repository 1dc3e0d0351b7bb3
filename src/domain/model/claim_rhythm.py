"""How many texts a dispatcher claims at once, and how often it does, by how long its claims take."""

from domain.model.pace import SECOND_US

_CADENCE_US = 50_000
_LONGEST_CADENCE_US = 150_000
_LONG_CLAIM_US = 150_000
_MOST = 500
_LEAST = 100
_SOON_US = SECOND_US // 10


class ClaimRhythm:
    """What a claim takes grows with its texts and on a busy machine, where a few large ones take less than many small
    ones. `cadence_us` is the least time from the beginning of a claim to the next; what comes meanwhile is claimed
    together. `takes_us` is how long the next one is likely to take: what the last two took at the least, since a single
    one may have been held up.
    """

    def __init__(self, *, most_in_flight: int, now_us: int) -> None:
        """`most_in_flight` bounds the calls under way at once."""
        self.cadence_us = _CADENCE_US
        self.takes_us = 0
        self._most_in_flight = most_in_flight
        self._most = _MOST
        self._took_us = 0
        self._begun = 0
        self._since_us = now_us

    def call_began(self) -> None:
        self._begun += 1

    def portion(self, *, in_flight: int, now_us: int) -> int:
        """How many texts to claim: as many as can be claimed in time, and as there are or will soon be calls for."""
        room = self._most_in_flight - in_flight
        return min(self._most, max(room, self._most_in_flight // 2, self._soon_begun(now_us), 1))

    def claim_took(self, took_us: int, *, claimed: int) -> None:
        """Sets the rhythm anew by a claim that took so long and got `claimed` texts."""
        self.takes_us, self._took_us = min(self._took_us, took_us), took_us
        self.cadence_us = min(max(_CADENCE_US, 3 * took_us), _LONGEST_CADENCE_US)
        if took_us > _LONG_CLAIM_US:
            self._most = max(self._most // 2, _LEAST)
        elif claimed and took_us < _LONG_CLAIM_US // 2:
            self._most = min(self._most * 2, _MOST)

    def _soon_begun(self, now_us: int) -> int:
        """How many calls begin in a tenth of a second, as it was since this was asked last. So late nobody is too late
        for his slot.
        """
        begun, passed_us = self._begun, now_us - self._since_us
        self._begun, self._since_us = 0, now_us
        return begun * _SOON_US // passed_us if passed_us > 0 else 0

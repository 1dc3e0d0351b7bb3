from collections.abc import Sequence
from typing import Protocol

from domain.model.phone_number import PhoneNumber
from domain.model.subject import Erasure


class Erasures(Protocol):
    """Numbers that the hub is to forget: each stands in the store until nothing of it remains."""

    async def ask(self, number: PhoneNumber, *, keep_opt_outs: bool, now_us: int) -> None:
        """What came until now is to go; asked twice, what came until the later time. Opt-outs stay only where they
        were to stay each time.
        """
        ...

    async def carry_out(self, number: PhoneNumber, *, now_us: int, everywhere: bool) -> Erasure | None:
        """Does what can be done now, in steps that may be broken off anywhere and done again. What waits is cancelled,
        what the provider has is left until it is through, and counted as remaining. Tables that have to be looked
        through whole are left to the last time, unless it is to be done `everywhere`. The number itself is forgotten
        with the last step; None where it was before.
        """
        ...

    async def asked_for(self) -> Sequence[PhoneNumber]:
        """Those of which something may remain, the longest asked for first."""
        ...

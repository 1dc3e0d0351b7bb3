from collections.abc import Collection
from typing import Protocol

from domain.model.phone_number import PhoneNumber


class OptOuts(Protocol):
    """Who is not to be texted by which program."""

    async def set(self, program_id: str, number: PhoneNumber, *, do_not_text: bool, at_us: int) -> None:
        """Setting what is set already changes nothing."""
        ...

    async def among(self, program_id: str, numbers: Collection[PhoneNumber]) -> frozenset[PhoneNumber]:
        """Those of the numbers that have opted out."""
        ...

from collections.abc import Collection
from typing import Protocol

from domain.model.phone_number import PhoneNumber
from domain.model.program import Program


class Contacts(Protocol):
    """Whom a program has texted before, as far as its log goes back."""

    async def among(self, program_id: str, numbers: Collection[PhoneNumber]) -> frozenset[PhoneNumber]:
        """Those of the numbers that got a text of the program's, or are to get one that it has posted."""
        ...


async def newcomers(contacts: Contacts, program: Program, numbers: Collection[PhoneNumber]) -> frozenset[PhoneNumber]:
    """Those of the numbers that are to get the program's notice; none where it has none."""
    if program.terms.notice is None:
        return frozenset()
    return frozenset(numbers) - await contacts.among(program.id, numbers)

from typing import Protocol

from domain.model.phone_number import PhoneNumber
from domain.model.subject import SubjectRecord
from domain.ports.text_log import Page


class Subjects(Protocol):
    """What the hub has of whoever has a phone number, whichever program's it is."""

    async def page(
        self, number: PhoneNumber, *, after: tuple[int, int], limit: int
    ) -> Page[SubjectRecord, tuple[int, int]]:
        """Kind by kind. `after` is the end of the page before, (0, 0) at first. Great tables are looked through a part
        at a time: a page may be short or empty, and have others after it.
        """
        ...

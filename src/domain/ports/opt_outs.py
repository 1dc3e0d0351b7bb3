from collections.abc import Collection, Sequence
from typing import Protocol

from domain.model.consent import ConsentEvent, OptOut
from domain.model.phone_number import PhoneNumber
from domain.ports.text_log import Page


class OptOuts(Protocol):
    """Who is not to be texted, and the record of everything that was said about it, which only grows."""

    async def record(self, events: Sequence[ConsentEvent]) -> None:
        """Adds the events in their order and does what they say: all of it or nothing.

        An opt-out that is there already keeps its date and its first proof. An opt-in lifts the opt-out of its own
        scope alone.
        """
        ...

    async def among(
        self, program_id: str, numbers: Collection[PhoneNumber], *, sender_id: int
    ) -> frozenset[PhoneNumber]:
        """Those of the numbers that the program must not text from the sender, in whatever scope they opted out."""
        ...

    async def of_program(self, program_id: str, numbers: Collection[PhoneNumber]) -> frozenset[PhoneNumber]:
        """Those of the numbers that have opted out from the program itself, whatever else binds it."""
        ...

    async def page(
        self, program_id: str, *, number: PhoneNumber | None = None, after: str | None, limit: int
    ) -> Page[OptOut, str]:
        """The opt-outs that bind the program, by number: its own, its senders' and those of all. `after` is the end
        of the page before, None for the first.
        """
        ...

    async def events(
        self, number: PhoneNumber, *, program_id: str | None = None, after: int | None = None, limit: int
    ) -> Page[ConsentEvent, int]:
        """All that was said about the number, in order; where a program is given, what is about its texts. `after` is
        the end of the page before.
        """
        ...

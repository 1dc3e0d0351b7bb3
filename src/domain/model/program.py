"""The offices that send: a program has credentials and a sender."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from domain.errors import NumberRefused, PropertyRefused, UnknownSender
from domain.model.phone_number import PhoneNumber
from domain.model.sender import Sender
from domain.model.terms import OWN_COUNTRIES, USUAL_TERMS, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """`id` is compared without regard to letter case, `sid` exactly. Texts come from `sender` unless they name one of
    `other_senders`.

    A `first_hub` program came over from the first hub: its clients post whole models, so properties that the document
    does not know are passed over instead of refused. What a `paused` one sends is accepted and kept until it is
    resumed; a `suspended` one cannot log in, and nothing of it is sent either.
    """

    id: str
    sid: str
    name: str
    sender: Sender
    first_hub: bool = False
    paused: bool = False
    suspended: bool = False
    deleted_us: int | None = None
    terms: Terms = USUAL_TERMS
    other_senders: Sequence[Sender] = ()

    def __post_init__(self) -> None:
        check_names(self.id, self.sid, self.name)

    @property
    def senders(self) -> Sequence[Sender]:
        """All of them, its own first."""
        return (self.sender, *self.other_senders)

    def sender_called(self, name: str | None, *, default_region: str) -> Sender:
        """The sender by its address, a number in any common writing; the program's own for None.

        Raises `UnknownSender`.
        """
        if name is None:
            return self.sender
        addresses = {name.strip()}
        with suppress(NumberRefused):
            addresses.add(self.read_number(name, default_region=default_region).e164)
        found = next((each for each in self.senders if each.address.value in addresses), None)
        if found is None:
            raise UnknownSender
        return found

    def sends_from(self, sender: Sender, *, named: bool) -> Sender:
        """Whose line a text for the sender will wait in: that of the one that takes over, where the sender is barred.

        `named`: the request wants it from this one and no other.
        """
        if named or not self.terms.failover or sender.paused or sender.bar_reason is None:
            return sender
        return next((each for each in self.senders if each.bar_reason is None and not each.paused), sender)

    def countries(self, default_region: str) -> frozenset[str] | None:
        """Those whose numbers it texts; None: all."""
        named = self.terms.countries
        if named is None or OWN_COUNTRIES not in named:
            return named
        return named - {OWN_COUNTRIES} | {each.home_region(default_region) for each in self.senders}

    def read_number(self, text: str, *, default_region: str) -> PhoneNumber:
        """One number as its callers write it. Raises `NumberRefused`."""
        return PhoneNumber.parse(text.strip(), region=self.sender.home_region(default_region))

    def is_called(self, program_id: str) -> bool:
        return same_program_id(self.id, program_id)


def check_names(program_id: str, sid: str, name: str) -> None:
    """Raises `PropertyRefused`."""
    for what, value in (("ProgramId", program_id), ("ProgramSID", sid), ("Name", name)):
        if not 1 <= len(value) <= 100 or not value.isprintable() or value != value.strip():
            called = "name" if what == "Name" else what
            raise PropertyRefused(what, f"A program's {called} is 1 to 100 printable characters.")


def same_program_id(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()

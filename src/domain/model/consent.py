"""Who wants to be texted and who does not, with the proof of it."""

from dataclasses import dataclass, field
from enum import Enum

from domain.errors import InvalidValue
from domain.model.phone_number import PhoneNumber


class Consent(Enum):
    """What somebody wants: texts or none."""

    GIVEN = "opt-in"
    WITHDRAWN = "opt-out"


class Method(Enum):
    """How it was told."""

    TEXT = "text"  # The person texted it.
    PROVIDER = "provider"  # The provider knows of it, and takes no text to the number.
    API = "api"  # The program's own software told it.
    IMPORT = "import"  # It stood in a list.
    PAGE = "page"  # On the program's public page.
    OPERATOR = "operator"


class Scope(Enum):
    """Whose texts it is about."""

    PROGRAM = "program"  # Those of one program, whichever sender they come from.
    SENDER = "sender"  # Those that come from one sender, whichever program's they are.
    GLOBAL = "global"  # All.


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvent:
    """What somebody wanted at a time, and the proof of it. Events are added and never changed.

    With a `program_id` it is about that program's texts, with a `sender_id` about that sender's, with neither about
    all. `wording` is what was said or shown, in full; `actor` who said it, `reference` where more is to be found, such
    as the provider's id of a message. `id` is 0 until it is stored.
    """

    number: PhoneNumber
    consent: Consent
    method: Method
    at_us: int
    program_id: str | None = None
    sender_id: int | None = None
    wording: str | None = field(default=None, repr=False)
    actor: str | None = None
    reference: str | None = None
    id: int = 0

    def __post_init__(self) -> None:
        if self.program_id is not None and self.sender_id is not None:
            raise InvalidValue("An opt-out is a program's or a sender's.")

    @property
    def scope(self) -> Scope:
        if self.program_id is not None:
            return Scope.PROGRAM
        return Scope.GLOBAL if self.sender_id is None else Scope.SENDER


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """That a number is not to be texted, and the event that says so."""

    number: PhoneNumber
    scope: Scope
    since_us: int
    method: Method | None = None  # None: from before there was a record of it.
    wording: str | None = field(default=None, repr=False)
    actor: str | None = None
    reference: str | None = None

"""Who may do what with the hub's interface: the grant that a token carries."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from domain.model.phone_number import PhoneNumber


class Scope(Enum):
    """What an operation asks of a token, and a token carries."""

    SEND = "messages:send"
    READ = "messages:read"
    # Runs the hub: all programs, their keys and senders.
    OPERATOR = "operator"
    # The first hub's clients post whole models: what the document does not know is passed over.
    FIRST_HUB_MODELS = "first-hub:models"


class KeyKind(Enum):
    """What a key is for."""

    LIVE = "live"
    TEAM = "team"  # Texts go to the numbers of its list alone.
    TEST = "test"  # Texts go to nobody: the sandbox takes them, whatever the sender.


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token says. Times are UTC, to the second; `token_id` is unique to the token.

    `key_id` is the key that it was given for; None for one that is as old as keys without ids. `kind` is that key's,
    and `numbers` are those that it may text where it is for a team. `person` is who acts for the program, as the record
    calls them; None where it does so itself.
    """

    program_id: str
    program_sid: str
    scopes: frozenset[Scope]
    issued_at: datetime
    expires_at: datetime
    token_id: str
    key_id: int | None = None
    kind: KeyKind = KeyKind.LIVE
    numbers: frozenset[PhoneNumber] = frozenset()
    person: str | None = None

    def allows(self, scope: Scope) -> bool:
        return scope in self.scopes

    def may_text(self, number: PhoneNumber) -> bool:
        return self.kind is not KeyKind.TEAM or number in self.numbers

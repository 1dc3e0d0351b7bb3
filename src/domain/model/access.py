"""Who may do what with the hub's interface: the grant that a token carries."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Scope(Enum):
    SEND = "messages:send"
    READ = "messages:read"
    # The first hub's clients post whole models: what the document does not know is passed over.
    FIRST_HUB_MODELS = "first-hub:models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token says. Times are UTC, to the second; `token_id` is unique to the token."""

    program_id: str
    program_sid: str
    scopes: frozenset[Scope]
    issued_at: datetime
    expires_at: datetime
    token_id: str

    def allows(self, scope: Scope) -> bool:
        return scope in self.scopes

"""Persons who sign in at the console, and what they may do there.

The organisation's identity provider says who they are and which groups they belong to; the hub says what a group may
do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from domain.errors import PropertyRefused
from domain.model.access import Scope
from domain.model.program import same_program_id

LONGEST_GROUP = 200


class Role(Enum):
    """What a group may do: read a program's texts and replies, send for it as well, or run the hub."""

    READER = "reader"
    SENDER = "sender"
    OPERATOR = "operator"

    @property
    def scopes(self) -> frozenset[Scope]:
        return _SCOPES[self]


_SCOPES = {
    Role.READER: frozenset({Scope.READ}),
    Role.SENDER: frozenset({Scope.READ, Scope.SEND}),
    Role.OPERATOR: frozenset({Scope.OPERATOR}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRole:
    """What the members of a group may do in a program. Operators run the hub, so their role has no program, and they
    see all of them. `id` is the hub's own, 0 before it is stored. Raises `PropertyRefused`.
    """

    group: str
    role: Role
    program_id: str | None = None
    id: int = 0

    def __post_init__(self) -> None:
        if not is_group(self.group):
            raise PropertyRefused("Group", "A group's name is 1 to 200 printable characters.")
        if (self.role is Role.OPERATOR) != (self.program_id is None):
            raise PropertyRefused("ProgramId", "A reader or a sender is one of a program, an operator of none.")


def is_group(name: str) -> bool:
    return 1 <= len(name) <= LONGEST_GROUP and name.isprintable() and name == name.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`subject` is the identity provider's own name for somebody, which never changes; `name` is what people call
    them, which may. `groups` are as the provider has them.
    """

    issuer: str
    subject: str
    name: str = field(repr=False)
    groups: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        """What stands in the record: who it was can be told although somebody else has the name since."""
        return self.name if self.name == self.subject else f"{self.name} ({self.subject})"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffSession:
    """Somebody who has signed in. Times are whole seconds since the Unix epoch; `id` is unique to the session."""

    id: str
    person: Person
    began_s: int
    ends_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffStanding:
    """What somebody who has signed in may do at the moment: `roles` are those of their groups."""

    session: StaffSession
    roles: Sequence[StaffRole]

    @property
    def person(self) -> Person:
        return self.session.person

    @property
    def is_operator(self) -> bool:
        return any(each.role is Role.OPERATOR for each in self.roles)

    @property
    def program_ids(self) -> Sequence[str]:
        """The programs that they have a role in, each once."""
        return list(dict.fromkeys(each.program_id for each in self.roles if each.program_id is not None))

    def scopes_in(self, program_id: str) -> frozenset[Scope]:
        """By roles in this program, whose id may be in any letter case; an operator has none of these by itself."""
        here = (each.role for each in self.roles if each.program_id and same_program_id(each.program_id, program_id))
        return frozenset(scope for role in here for scope in role.scopes)

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.errors import TokenRefused
from domain.model.access import Grant, Scope
from domain.model.program import Program
from domain.model.staff import StaffSession, StaffStanding
from domain.ports.programs import Programs
from domain.ports.staff_roles import StaffRoles


@dataclass(frozen=True, kw_only=True)
class CheckStaff:
    """Says with each request what a person may do. `issuer` is the identity provider that the hub has at present; empty
    where it has none, and no session is good.
    """

    roles: StaffRoles
    programs: Programs
    issuer: str

    async def __call__(self, session: StaffSession) -> StaffStanding:
        """Raises `TokenRefused` where the hub has another identity provider now."""
        if session.person.issuer != self.issuer:
            raise TokenRefused("of another identity provider")
        groups = frozenset(session.person.groups)
        return StaffStanding(session=session, roles=[each for each in await self.roles.all() if each.group in groups])

    async def programs_of(self, standing: StaffStanding) -> Sequence[Program]:
        """Those that they have a role in, by name; without those that are deleted."""
        found = [await self.programs.find(each) for each in standing.program_ids]
        return sorted((each for each in found if each is not None), key=lambda each: (each.name.casefold(), each.id))


def grant_in(program: Program, standing: StaffStanding) -> Grant:
    """What they may do in the program now. Operators see it; where it is suspended, they alone, and that is all."""
    session = standing.session
    scopes = frozenset[Scope]() if program.suspended else standing.scopes_in(program.id)
    if standing.is_operator:
        scopes |= {Scope.OPERATOR, Scope.READ}
    return Grant(
        program_id=program.id,
        program_sid=program.sid,
        scopes=scopes,
        issued_at=datetime.fromtimestamp(session.began_s, UTC),
        expires_at=datetime.fromtimestamp(session.ends_s, UTC),
        token_id=session.id,
        person=session.person.signature,
    )

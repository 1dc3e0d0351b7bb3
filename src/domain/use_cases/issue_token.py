from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from uuid import uuid4

from domain.errors import CredentialsRefused
from domain.model.access import Grant, Scope
from domain.model.pace import SECOND_US
from domain.model.program import KeyHash, Program, ProgramKey
from domain.ports.clock import Clock
from domain.ports.login_guard import LoginGuard
from domain.ports.programs import Programs
from domain.ports.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class IssueToken:
    """Logs a program in. `peppers` are those that stored key hashes may name, by their id."""

    programs: Programs
    tokens: Tokens
    guard: LoginGuard
    clock: Clock
    lifetime: timedelta
    peppers: Mapping[str, bytes]

    async def __call__(self, program_sid: str, key: ProgramKey, *, address: str) -> tuple[str, Grant]:
        """The token and what it grants. Raises `CredentialsRefused` or `TooManyLogins`."""
        await self.guard.admit(program_sid, address)
        found = await self.programs.find_with_keys(program_sid)
        if found is None or not any(self._fits(key, stored) for stored in found[1]):
            raise CredentialsRefused
        grant = self._grant(found[0])
        return self.tokens.issue(grant), grant

    def _fits(self, key: ProgramKey, stored: KeyHash) -> bool:
        if stored.pepper_id is not None and stored.pepper_id not in self.peppers:
            return False
        pepper = None if stored.pepper_id is None else self.peppers[stored.pepper_id]
        return compare_digest(key.hash(pepper), stored.digest)

    def _grant(self, program: Program) -> Grant:
        issued_at = datetime.fromtimestamp(self.clock.now_us() // SECOND_US, UTC)
        scopes = {Scope.SEND, Scope.READ} | ({Scope.FIRST_HUB_MODELS} if program.first_hub else set())
        return Grant(
            program_id=program.id,
            program_sid=program.sid,
            scopes=frozenset(scopes),
            issued_at=issued_at,
            expires_at=issued_at + (program.token_lifetime or self.lifetime),
            token_id=uuid4().hex,
        )

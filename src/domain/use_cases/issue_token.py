from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from uuid import uuid4

from domain.errors import CredentialsRefused
from domain.model.access import Grant, Scope
from domain.model.pace import SECOND_US
from domain.model.program import Program
from domain.model.program_key import IssuedKey, KeyHash, ProgramKey
from domain.ports.clock import Clock
from domain.ports.login_guard import GuessGuard
from domain.ports.program_keys import ProgramKeys
from domain.ports.programs import Programs
from domain.ports.tokens import Tokens

_NOTED_EVERY_US = 60 * SECOND_US
_NOBODYS = IssuedKey(hash=KeyHash(b"\0" * 32))


@dataclass(frozen=True, kw_only=True)
class IssueToken:
    """Logs a program in. `peppers` are those that stored key hashes may name, by their id."""

    programs: Programs
    keys: ProgramKeys
    tokens: Tokens
    guard: GuessGuard
    clock: Clock
    lifetime: timedelta
    peppers: Mapping[str, bytes]

    async def __call__(self, program_sid: str, key: ProgramKey, *, address: str) -> tuple[str, Grant]:
        """The token and what it grants. Raises `CredentialsRefused` or `TooManyLogins`."""
        await self.guard.admit(program_sid, address)
        found = await self.programs.find_with_keys(program_sid)
        # Whoever has no program here is kept as long as whoever has one.
        program, keys = found or (None, [_NOBODYS])
        now_us = self.clock.now_us()
        fitting = [each for each in keys if self._fits(key, each.hash)]
        good = [each for each in fitting if each.is_live(now_us) and each.terms.admits(address)]
        if program is None or program.suspended or not good:
            await self.guard.ended(program_sid, address, good=False)
            raise CredentialsRefused
        await self.guard.ended(program_sid, address, good=True)
        issued = good[0]
        if issued.last_used_us is None or now_us - issued.last_used_us >= _NOTED_EVERY_US:
            await self.keys.used(issued.id, now_us=now_us)
        grant = self._grant(program, issued, now_us)
        return self.tokens.issue(grant), grant

    def _fits(self, key: ProgramKey, stored: KeyHash) -> bool:
        if stored.pepper_id is not None and stored.pepper_id not in self.peppers:
            return False
        pepper = None if stored.pepper_id is None else self.peppers[stored.pepper_id]
        return compare_digest(key.hash(pepper), stored.digest)

    def _grant(self, program: Program, key: IssuedKey, now_us: int) -> Grant:
        issued_at = datetime.fromtimestamp(now_us // SECOND_US, UTC)
        expires_at = issued_at + (program.terms.token_lifetime or self.lifetime)
        if key.terms.expires_us is not None:
            expires_at = min(expires_at, datetime.fromtimestamp(key.terms.expires_us // SECOND_US, UTC))
        scopes = key.terms.scopes | ({Scope.FIRST_HUB_MODELS} if program.first_hub else frozenset())
        return Grant(
            program_id=program.id,
            program_sid=program.sid,
            scopes=scopes,
            issued_at=issued_at,
            expires_at=expires_at,
            token_id=uuid4().hex,
            key_id=key.id,
            kind=key.terms.kind,
            numbers=key.terms.numbers,
        )

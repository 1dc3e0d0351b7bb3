from dataclasses import dataclass, replace

from domain.errors import TokenRefused
from domain.model.access import Grant
from domain.model.pace import SECOND_US
from domain.ports.clock import Clock
from domain.ports.program_keys import KeyStandings


@dataclass(frozen=True, kw_only=True)
class CheckAccess:
    """Says with each request whether what a token grants is granted still."""

    standings: KeyStandings
    clock: Clock

    async def __call__(self, grant: Grant, *, address: str) -> Grant:
        """As it is now. Raises `TokenRefused` where its key was revoked, has expired or is not for that address, or its
        program was suspended.
        """
        if grant.key_id is None:
            issued_us = int(grant.issued_at.timestamp()) * SECOND_US
            if not await self.standings.of_keyless(grant.program_id, issued_us=issued_us):
                raise TokenRefused("its program was suspended, or had a key revoked")
            return grant
        standing = await self.standings.of_key(grant.key_id)
        if standing is None or standing.suspended:
            raise TokenRefused("its key is gone, or its program suspended")
        if not standing.key.is_live(self.clock.now_us()):
            raise TokenRefused("its key was revoked or has expired")
        terms = standing.key.terms
        if not terms.admits(address):
            raise TokenRefused("its key is not for that address")
        if terms.kind is grant.kind and terms.numbers == grant.numbers:
            return grant
        return replace(grant, kind=terms.kind, numbers=terms.numbers)

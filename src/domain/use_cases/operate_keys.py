"""What operators do with programs' keys: issue, look at, and revoke them."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import InvalidValue
from domain.model.program_key import IssuedKey, KeyHash, KeyTerms, ProgramKey
from domain.ports.clock import Clock
from domain.ports.program_keys import ProgramKeys


@dataclass(frozen=True, kw_only=True)
class OperateKeys:
    """A key is replaced without an interruption by issuing a second one, and revoking the first when nobody uses it.

    `pepper` is the one that new key hashes use, with its id; None for none.
    """

    keys: ProgramKeys
    clock: Clock
    pepper: tuple[str, bytes] | None

    async def issue(self, program_id: str, terms: KeyTerms) -> tuple[IssuedKey, ProgramKey]:
        """The key's value is told this once. Raises `ProgramNotFound`, `TooManyKeys`, and `InvalidValue` for one that
        has expired already.
        """
        now_us = self.clock.now_us()
        if terms.expires_us is not None and terms.expires_us <= now_us:
            raise InvalidValue("A key expires later than now.")
        key = ProgramKey.generate(terms.kind)
        pepper_id, pepper = self.pepper or (None, None)
        hashed = KeyHash(key.hash(pepper), pepper_id)
        return await self.keys.add(program_id, hashed, terms, hint=key.hint, now_us=now_us), key

    async def of(self, program_id: str) -> Sequence[IssuedKey]:
        """In the order in which they were issued. Raises `ProgramNotFound`."""
        return await self.keys.of_program(program_id)

    async def revoke(self, program_id: str, key_id: int) -> IssuedKey:
        """Tokens that were given for it end within five seconds. Raises `ProgramNotFound` and `KeyNotFound`."""
        return await self.keys.revoke(program_id, key_id, now_us=self.clock.now_us())

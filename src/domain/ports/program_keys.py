from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.model.program_key import IssuedKey, KeyHash, KeyTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether what was granted for a key is good still. `suspended`: its program is, with all its keys."""

    key: IssuedKey
    suspended: bool


class ProgramKeys(Protocol):
    """The keys that programs have, without their values."""

    async def add(self, program_id: str, key_hash: KeyHash, terms: KeyTerms, *, hint: str, now_us: int) -> IssuedKey:
        """Raises `ProgramNotFound`, and `TooManyKeys` where the program has two live ones of the kind."""
        ...

    async def of_program(self, program_id: str) -> Sequence[IssuedKey]:
        """In the order in which they were issued. Raises `ProgramNotFound`."""
        ...

    async def revoke(self, program_id: str, key_id: int, *, now_us: int) -> IssuedKey:
        """One that is revoked already stays as it is. Raises `ProgramNotFound` and `KeyNotFound`."""
        ...

    async def used(self, key_id: int, *, now_us: int) -> None: ...


class KeyStandings(Protocol):
    """Whether what a token was issued for holds still. Asked with every request."""

    async def of_key(self, key_id: int) -> Standing | None:
        """None where there is no such key any more."""
        ...

    async def of_keyless(self, program_id: str, *, issued_us: int) -> bool:
        """Whether a token is good still that names no key: as long as its program is not suspended, and had no key
        revoked since.
        """
        ...

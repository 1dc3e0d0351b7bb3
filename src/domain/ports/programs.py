from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.errors import OtherProgram, TokenRefused
from domain.model.access import Grant
from domain.model.credentials import ProviderAccount
from domain.model.pace import Pace
from domain.model.program import Program
from domain.model.program_key import USUAL_KEY, IssuedKey, KeyHash, KeyTerms
from domain.model.sender import SenderAddress
from domain.model.terms import USUAL_TERMS, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProgram:
    """`pace` is None to take the sender's own if the hub has it already, else one segment per second. `account` is the
    provider account that the sender belongs to; None for that of the one sender of this address that the hub has.
    """

    id: str
    sid: str
    name: str
    key_hash: KeyHash
    key_terms: KeyTerms = USUAL_KEY
    key_hint: str = ""
    provider: str
    sender: SenderAddress
    pace: Pace | None
    first_hub: bool
    created_us: int
    account: ProviderAccount | None = None
    terms: Terms = USUAL_TERMS


class Programs(Protocol):
    """The programs and what they send from. Those that are deleted are not among them any more."""

    async def add(self, program: NewProgram) -> Program:
        """Stores the program, and its sender unless the hub has it already.

        Credentials that are given with an account are its new ones. Raises `ProgramExists` for an id (in any letter
        case) or SID in use, also by one that is deleted and not gone yet, `PaceDiffers` and `CredentialsMissing`.
        """
        ...

    async def add_sender(
        self,
        program_id: str,
        *,
        provider: str,
        sender: SenderAddress,
        pace: Pace | None,
        account: ProviderAccount | None = None,
    ) -> Program:
        """Lets the program use a further sender, stored unless the hub has it already; as in `NewProgram`.

        Raises `ProgramNotFound`, `PaceDiffers` and `CredentialsMissing`.
        """
        ...

    async def remove_sender(self, program_id: str, sender_id: int) -> Program:
        """Raises `ProgramNotFound`, `OwnSender` for its first, and `SenderNotFound` for one that it does not have."""
        ...

    async def change(self, program_id: str, change: Callable[[Program], Program]) -> Program:
        """Stores the name and the terms that the change gives to the program as it is at that moment.

        Raises `ProgramNotFound`, and what the change raises.
        """
        ...

    async def find(self, program_id: str) -> Program | None:
        """By its id in any letter case."""
        ...

    async def find_with_keys(self, sid: str) -> tuple[Program, Sequence[IssuedKey]] | None:
        """With all of its keys, those that are not live any more as well."""
        ...

    async def all(self, *, deleted: bool = False) -> Sequence[Program]:
        """By name; or those that are deleted and not gone yet, the last first."""
        ...


async def own_program(programs: Programs, grant: Grant, named: str | None) -> Program:
    """The program that calls. `named` is what it calls itself in the request, None where it does not.

    Raises `TokenRefused` where the program is gone, and `OtherProgram` where another is named.
    """
    program = await programs.find(grant.program_id)
    if program is None:
        raise TokenRefused("its program is gone")
    if named is not None and not program.is_called(named):
        raise OtherProgram
    return program

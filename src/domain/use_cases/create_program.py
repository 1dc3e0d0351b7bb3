from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domain.errors import naming
from domain.model.credentials import Credentials
from domain.model.pace import Pace
from domain.model.program import Program, check_names
from domain.model.program_key import USUAL_KEY, KeyHash, KeyTerms, ProgramKey
from domain.model.sender import SenderAddress
from domain.model.terms import USUAL_TERMS, Terms
from domain.ports.clock import Clock
from domain.ports.programs import NewProgram, Programs
from domain.ports.sms_provider import SmsProvider, account_at


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstHubIdentity:
    """What a program's clients have hard-coded since the first hub."""

    program_id: str
    program_sid: str
    key: ProgramKey


@dataclass(frozen=True, kw_only=True)
class CreateProgram:
    """`pepper` is the one that new key hashes use, with its id; None for none."""

    programs: Programs
    clock: Clock
    providers: Mapping[str, SmsProvider]
    new_id: Callable[[], object]
    pepper: tuple[str, bytes] | None

    async def __call__(
        self,
        *,
        name: str,
        provider: str,
        sender: SenderAddress,
        pace: Pace | None = None,
        credentials: Credentials | None = None,
        terms: Terms = USUAL_TERMS,
        first_hub: FirstHubIdentity | None = None,
        key_terms: KeyTerms = USUAL_KEY,
    ) -> tuple[Program, ProgramKey]:
        """The program and its key, which is told this once: the hub keeps its hash alone.

        A sender that the hub has already is shared, with its pace; credentials are its account's new ones. Raises
        `ProgramExists`, `PaceDiffers`, `UnknownProvider`, `CredentialsMissing`, or `PropertyRefused` for a name or
        credentials that cannot be.
        """
        with naming("Credentials"):
            account = await account_at(self.providers, provider, credentials)
        identity = first_hub or FirstHubIdentity(
            program_id=str(self.new_id()), program_sid=str(self.new_id()), key=ProgramKey.generate()
        )
        check_names(identity.program_id, identity.program_sid, name)
        pepper_id, pepper = self.pepper or (None, None)
        program = await self.programs.add(
            NewProgram(
                id=identity.program_id,
                sid=identity.program_sid,
                name=name,
                key_hash=KeyHash(identity.key.hash(pepper), pepper_id),
                key_terms=key_terms,
                key_hint=identity.key.hint,
                provider=provider,
                sender=sender,
                pace=pace,
                first_hub=first_hub is not None,
                created_us=self.clock.now_us(),
                account=account,
                terms=terms,
            )
        )
        return program, identity.key

from collections.abc import Callable, Collection
from dataclasses import dataclass

from domain.errors import UnknownProvider
from domain.model.pace import Pace
from domain.model.program import KeyHash, Program, ProgramKey
from domain.model.sender import SenderAddress
from domain.ports.clock import Clock
from domain.ports.programs import NewProgram, Programs


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
    providers: Collection[str]
    new_id: Callable[[], object]
    pepper: tuple[str, bytes] | None

    async def __call__(
        self,
        *,
        name: str,
        provider: str,
        sender: SenderAddress,
        pace: Pace | None = None,
        first_hub: FirstHubIdentity | None = None,
    ) -> tuple[Program, ProgramKey]:
        """The program and its key, which is told this once: the hub keeps its hash alone.

        A sender that the hub has already is shared, with its pace. Raises `ProgramExists`, `PaceDiffers` or
        `UnknownProvider`.
        """
        if provider not in self.providers:
            raise UnknownProvider(name=provider, known=sorted(self.providers))
        identity = first_hub or FirstHubIdentity(
            program_id=str(self.new_id()), program_sid=str(self.new_id()), key=ProgramKey.generate()
        )
        pepper_id, pepper = self.pepper or (None, None)
        program = await self.programs.add(
            NewProgram(
                id=identity.program_id,
                sid=identity.program_sid,
                name=name,
                key_hash=KeyHash(identity.key.hash(pepper), pepper_id),
                provider=provider,
                sender=sender,
                pace=pace,
                first_hub=first_hub is not None,
                created_us=self.clock.now_us(),
            )
        )
        return program, identity.key

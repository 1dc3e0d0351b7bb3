from collections.abc import Mapping
from dataclasses import dataclass

from domain.errors import naming
from domain.model.credentials import Credentials
from domain.model.pace import Pace
from domain.model.program import Program
from domain.model.sender import Sender, SenderAddress
from domain.ports.programs import Programs
from domain.ports.sms_provider import SmsProvider, account_at


@dataclass(frozen=True, kw_only=True)
class AddSender:
    """Lets a program name a further sender in its requests."""

    programs: Programs
    providers: Mapping[str, SmsProvider]

    async def __call__(
        self,
        program_id: str,
        *,
        provider: str,
        sender: SenderAddress,
        pace: Pace | None = None,
        credentials: Credentials | None = None,
    ) -> Program:
        """The program with its senders. Adding one that it has already changes nothing.

        A sender that the hub has already is shared, with its pace; credentials are its account's new ones. Raises
        `ProgramNotFound`, `PaceDiffers`, `UnknownProvider`, `CredentialsMissing` or `InvalidValue`.
        """
        program, _ = await self.attach(program_id, provider=provider, sender=sender, pace=pace, credentials=credentials)
        return program

    async def attach(
        self,
        program_id: str,
        *,
        provider: str,
        sender: SenderAddress,
        pace: Pace | None = None,
        credentials: Credentials | None = None,
    ) -> tuple[Program, Sender]:
        """As above, and which of the program's senders it is."""
        with naming("Credentials"):
            account = await account_at(self.providers, provider, credentials)
        program = await self.programs.add_sender(
            program_id, provider=provider, sender=sender, pace=pace, account=account
        )
        added = next(
            each
            for each in program.senders
            if (each.provider, each.address) == (provider, sender)
            # Without credentials no two accounts have it.
            and (credentials is None or account is None or each.account == account.name)
        )
        return program, added

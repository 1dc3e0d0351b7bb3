from collections.abc import Mapping
from dataclasses import dataclass

from domain.model.credentials import Credentials
from domain.model.pace import Pace
from domain.model.program import Program
from domain.model.sender import SenderAddress
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
        account = account_at(self.providers, provider, credentials)
        return await self.programs.add_sender(program_id, provider=provider, sender=sender, pace=pace, account=account)

from collections.abc import Mapping
from dataclasses import dataclass

from domain.ports.senders import Senders
from domain.ports.sms_provider import SmsProvider


@dataclass(frozen=True, kw_only=True)
class PrepareProviders:
    """Makes those ready that the hub's senders send by. Others get ready with their first text."""

    senders: Senders
    providers: Mapping[str, SmsProvider]

    async def __call__(self) -> None:
        in_use = {each.provider for each in await self.senders.all()}
        for name, provider in self.providers.items():
            if name in in_use:
                await provider.prepare()

import asyncio
from collections.abc import Callable

from domain.model.credentials import Credentials
from domain.model.credentials_check import CredentialsCheck
from domain.model.send_outcome import EnquiryAnswer, SendOutcome
from domain.ports.credentials_checker import CredentialsChecker
from domain.ports.due_deliveries import Enquiry
from domain.ports.sms_provider import Departure, OutgoingText, SmsProvider


class OnDemand(SmsProvider):
    """Another provider, which `load` makes when it is first needed: its library takes memory and time, which hubs that
    never send by it can do without.

    It is loaded in a thread. In the event loop it would hold the texts of all others up for 0.3 s; beside it, for some
    milliseconds. What goes wrong is raised, and tried again with the next call.
    """

    def __init__(self, load: Callable[[], SmsProvider]) -> None:
        self._load = load
        self._loading = asyncio.Lock()
        self._loaded: SmsProvider | None = None

    async def prepare(self) -> None:
        await (await self._provider()).prepare()

    def account_of(self, credentials: Credentials) -> str:
        # Whoever does other things meanwhile has prepared it, and asks in a thread.
        self._loaded = self._loaded or self._load()
        return self._loaded.account_of(credentials)

    async def send(self, text: OutgoingText, departure: Departure) -> SendOutcome:
        return await (await self._provider()).send(text, departure)

    async def look_up(self, enquiry: Enquiry) -> EnquiryAnswer:
        return await (await self._provider()).look_up(enquiry)

    async def close(self) -> None:
        if self._loaded is not None:
            await self._loaded.close()

    async def _provider(self) -> SmsProvider:
        async with self._loading:
            if self._loaded is None:
                self._loaded = await asyncio.to_thread(self._load)
            return self._loaded


class CheckerOnDemand(CredentialsChecker):
    """Another checker, which `load` makes each time: it is needed now and then, and holds nothing."""

    def __init__(self, load: Callable[[], CredentialsChecker]) -> None:
        self._load = load

    async def __call__(self, credentials: Credentials) -> CredentialsCheck:
        checker = await asyncio.to_thread(self._load)
        return await checker(credentials)

import asyncio
import ssl
from collections.abc import Callable, Mapping
from functools import partial

from adapters.providers.http_answers import UnlistedCode, showable
from adapters.providers.vonage.account import Api, VonageAccount
from adapters.providers.vonage.answers import read
from adapters.providers.vonage.call import Call
from adapters.providers.vonage.connection import ConnectionGone
from adapters.providers.vonage.library import Hosts, Written, client_of, written
from adapters.providers.vonage.transport import Transport
from adapters.providers.vonage.workers import Worker, Workers
from domain.errors import CredentialsUnreadable, InvalidValue
from domain.model.credentials import Credentials
from domain.model.pace import SECOND_US
from domain.model.send_outcome import Barred, CannotTell, EnquiryAnswer, NotSent, SendOutcome, Unknown
from domain.ports.due_deliveries import Enquiry
from domain.ports.provider_accounts import ProviderAccounts
from domain.ports.sms_provider import Departure, OutgoingText, SmsProvider

# Vonage cannot be asked. As long as the hub would ask, a receipt may come.
_WAITS_FOR_RECEIPT = CannotTell("no-receipt", 300 * SECOND_US)


class VonageProvider(SmsProvider):
    """Vonage's Messages API or its SMS API, as the account wants it, by Vonage's own library.

    Calls of all accounts share `most_threads`. `timeout_s` is for the answer; neither the time in which the connection
    is made nor the wait for the departure counts. `callback_urls` are where receipts of each text are to go, by
    API; without one, or where calls cannot be checked, they go where the account has them go. `tls` says who is
    believed to be Vonage; None: as the machine does. `credit_told` gets what an account, by our id, has left.
    """

    def __init__(
        self,
        accounts: ProviderAccounts,
        *,
        hosts: Hosts,
        callback_urls: Mapping[Api, str] | None = None,
        timeout_s: float = 10.0,
        connect_timeout_s: float = 5.0,
        most_threads: int = 200,
        tls: ssl.SSLContext | None = None,
        unlisted: UnlistedCode = lambda status, code: None,  # noqa: ARG005 - nobody wants to be told
        credit_told: Callable[[int, float], None] = lambda account_id, amount: None,  # noqa: ARG005 - as above
    ) -> None:
        self._accounts = accounts
        self._hosts = hosts
        self._callback_urls = callback_urls or {}
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._unlisted = unlisted
        self._credit_told = credit_told
        self._tls = tls or ssl.create_default_context()
        self._workers = Workers(most_threads, self._new_worker)
        self._reading = asyncio.Lock()
        self._known: dict[int, tuple[Credentials, VonageAccount]] = {}

    async def prepare(self) -> None:
        """It is ready when it is made."""

    async def close(self) -> None:
        self._workers.close()

    def account_of(self, credentials: Credentials) -> str:
        return VonageAccount.of(credentials).name

    async def send(self, text: OutgoingText, departure: Departure) -> SendOutcome:
        try:
            account = await self._account(text.account_id)
        except CredentialsUnreadable:
            return Barred("credentials-unreadable")
        except InvalidValue:
            return Barred("credentials-unusable")
        if text.sender.is_pool:
            return Barred("sender-refused")
        call = Call(answer_timeout_s=self._timeout_s)
        callback_url = self._callback_urls.get(account.api) if account.signs else None
        message = written(text, account.api, callback_url)
        try:
            ready = await self._ready(call, text.account_id, account, message)
            if ready:
                await departure()
                call.leaves()
        except ConnectionGone:
            return NotSent("no-connection")
        finally:
            call.stays()
        if ready:
            await call.ends()
        return self._outcome(call, text.account_id, account)

    async def look_up(self, enquiry: Enquiry) -> EnquiryAnswer:  # noqa: ARG002 - whatever it is about
        return _WAITS_FOR_RECEIPT

    async def _account(self, account_id: int) -> VonageAccount:
        """Raises `CredentialsUnreadable`, and `InvalidValue` for credentials of another kind."""
        credentials = await self._accounts.credentials(account_id)
        if self._is_known(account_id, credentials):
            return self._known[account_id][1]
        async with self._reading:
            if not self._is_known(account_id, credentials):
                # To read a private key takes 50 ms, which would make the texts of others late.
                account = await asyncio.to_thread(VonageAccount.of, credentials)
                self._known[account_id] = credentials, account
            return self._known[account_id][1]

    def _is_known(self, account_id: int, credentials: Credentials) -> bool:
        return account_id in self._known and self._known[account_id][0] == credentials

    async def _ready(self, call: Call, account_id: int, account: VonageAccount, message: Written) -> bool:
        """Whether a connection stands, with the request at hand and nothing of it written."""
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                worker = await self._workers.one()
                worker.begin(call, account_id, account, message, then=partial(self._workers.give_back, worker))
                return await call.stands()
        except TimeoutError:
            return False

    def _outcome(self, call: Call, account_id: int, account: VonageAccount) -> SendOutcome:
        if call.answer is not None:
            reading = read(account.api, call.answer)
            for code in reading.unlisted:
                self._unlisted(call.answer.status, showable(code))
            if reading.credit is not None:
                self._credit_told(account_id, reading.credit)
            return reading.outcome
        if call.departed:
            return Unknown(_trouble(call.fault))
        if call.fault is not None and not isinstance(call.fault, OSError):
            raise call.fault  # A fault of ours.
        return NotSent("no-secure-connection" if isinstance(call.fault, ssl.SSLError) else "no-connection")

    def _new_worker(self) -> Worker:
        transport = Transport(self._tls, connect_timeout_s=self._connect_timeout_s)
        return Worker(transport, partial(client_of, hosts=self._hosts))


def _trouble(fault: BaseException | None) -> str:
    if isinstance(fault, TimeoutError):
        return "no-answer"
    return "connection-lost" if isinstance(fault, OSError) else "unreadable-answer"

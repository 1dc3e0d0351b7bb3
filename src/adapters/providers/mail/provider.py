import asyncio
from contextlib import suppress

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

from adapters.providers.mail.message import message_id, written
from adapters.providers.mail.server import MailServer
from domain.errors import InvalidValue
from domain.model.credentials import Credentials
from domain.model.delivery import MAILED, DeliveryState
from domain.model.send_outcome import (
    Accepted,
    CannotTell,
    EnquiryAnswer,
    Found,
    NotSent,
    Refused,
    SendOutcome,
    Unknown,
)
from domain.ports.clock import Clock
from domain.ports.due_deliveries import Enquiry
from domain.ports.sms_provider import Departure, OutgoingText, SmsProvider

_AWAY = NotSent("mail-server-away")
_GOODBYE_S = 1.0


class MailProvider(SmsProvider):
    """Sends each text as an e-mail, to the address that it has for that, by SMTP (RFC 5321). Without a server it
    refuses them.

    `timeout_s` is for everything before the departure, and again for everything after it.
    """

    def __init__(self, server: MailServer | None, clock: Clock, *, timeout_s: float = 20.0) -> None:
        self._server = server
        self._clock = clock
        self._timeout_s = timeout_s
        self._context = None if server is None else server.context()

    def account_of(self, credentials: Credentials) -> str:  # noqa: ARG002 - whatever they are
        raise InvalidValue("No sender sends by e-mail: programs have an address in place of their recipients.")

    async def prepare(self) -> None:
        """It is ready when it is made."""

    async def close(self) -> None:
        """It holds nothing between two e-mails."""

    async def send(self, text: OutgoingText, departure: Departure) -> SendOutcome:
        if self._server is None or self._context is None or text.mail_to is None:
            return Refused("mail-not-set-up")
        client = self._server.client(self._context, timeout_s=self._timeout_s)
        try:
            fault = await self._ready(client, self._server.sender, text.mail_to)
            if fault is not None:
                return fault
            await departure()
            if not client.is_connected:
                return _AWAY
            return await self._handed_over(client, self._server.sender, text)
        finally:
            client.close()

    async def look_up(self, enquiry: Enquiry) -> EnquiryAnswer:
        """What the server took has come to its end as far as texts go; of all else nobody can tell."""
        reference = enquiry.delivery.provider_reference
        if enquiry.delivery.state is DeliveryState.SENT and reference is not None:
            return Found(reference, DeliveryState.DELIVERED, "mailed-instead")
        return CannotTell("no-receipt")

    async def _ready(self, client: SMTP, sender: str, recipient: str) -> SendOutcome | None:
        """None where the server waits for the e-mail itself."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.connect()
                await client.mail(sender)
                await client.rcpt(recipient)
        except (SMTPSenderRefused, SMTPRecipientRefused) as error:
            return _refusal(error.code)
        except (SMTPException, OSError, ValueError):
            # Of TLS, of the login, of nonsense that it says, too.
            return _AWAY
        return None

    async def _handed_over(self, client: SMTP, sender: str, text: OutgoingText) -> SendOutcome:
        now_us = self._clock.now_us()
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.data(written(text, sender=sender, now_us=now_us).as_bytes())
        except SMTPDataError as error:
            return _refusal(error.code)
        except TimeoutError:
            return Unknown("no-answer")
        except SMTPServerDisconnected:
            return Unknown("connection-lost")
        except SMTPResponseException:
            return Unknown("unreadable-answer")
        with suppress(SMTPException, OSError):
            await client.quit(timeout=_GOODBYE_S)
        return Accepted(MAILED + message_id(text, sender=sender, now_us=now_us), ask_after_us=0)


def _refusal(code: int) -> SendOutcome:
    """By the first digit of the server's reply (RFC 5321, 4.2.1)."""
    match code // 100:
        case 5:
            return Refused("mail-refused")
        case 4:
            return _AWAY
        case _:
            return Unknown("unreadable-answer")

import asyncio
from contextlib import suppress
from email.message import EmailMessage

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

from adapters.providers.mail.message import written
from adapters.providers.mail.server import MailServer
from domain.errors import InvalidValue
from domain.model.credentials import Credentials
from domain.model.delivery import MAIL, MAILED_INSTEAD, REFERENCES_BEGIN, DeliveryState
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
_REFUSED = Refused("mail-refused")
_GOODBYE_S = 1.0


class MailProvider(SmsProvider):
    """Sends each text as an e-mail, to the address that it has for that, by SMTP (RFC 5321). Without a server it
    refuses them.

    `timeout_s` is for everything before the departure, and again for everything after it.
    """

    def __init__(self, server: MailServer | None, clock: Clock, *, timeout_s: float = 15.0) -> None:
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
        mail = written(text, sender=self._server.sender, now_us=self._clock.now_us())
        client = self._server.client(self._context, timeout_s=self._timeout_s)
        try:
            fault = await self._ready(client, self._server.sender, text.mail_to)
            if fault is not None:
                return fault
            await departure()
            if not client.is_connected:
                return _AWAY
            return await self._handed_over(client, mail)
        finally:
            client.close()

    async def look_up(self, enquiry: Enquiry) -> EnquiryAnswer:
        """What the server took has come to its end as far as texts go; of all else nobody can tell."""
        reference = enquiry.delivery.provider_reference
        if enquiry.delivery.state is DeliveryState.SENT and reference is not None:
            return Found(reference, DeliveryState.DELIVERED, MAILED_INSTEAD)
        return CannotTell("no-receipt")

    async def _ready(self, client: SMTP, sender: str, recipient: str) -> SendOutcome | None:
        """None where the server waits for the e-mail itself."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.connect()
                await client.mail(sender)
                await client.rcpt(recipient)
        except (SMTPSenderRefused, SMTPRecipientRefused) as error:
            return _REFUSED if _is_for_good(error.code) else _AWAY
        except (SMTPException, OSError, ValueError):
            # Of TLS, of the login, of nonsense that it says, too.
            return _AWAY
        return None

    async def _handed_over(self, client: SMTP, mail: EmailMessage) -> SendOutcome:
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.data(mail.as_bytes())
        except SMTPDataError as error:
            if _is_for_good(error.code):
                return _REFUSED
            return _AWAY if error.code // 100 == 4 else Unknown("unreadable-answer")
        except TimeoutError:
            return Unknown("no-answer")
        except SMTPServerDisconnected:
            return Unknown("connection-lost")
        except SMTPResponseException:
            return Unknown("unreadable-answer")
        with suppress(SMTPException, OSError):
            await client.quit(timeout=_GOODBYE_S)
        return Accepted(REFERENCES_BEGIN[MAIL] + mail["Message-ID"], ask_after_us=0)


def _is_for_good(code: int) -> bool:
    """By the first digit of the server's reply (RFC 5321, 4.2.1)."""
    return code // 100 == 5

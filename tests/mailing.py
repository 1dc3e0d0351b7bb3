"""A mail server of the tests' own, which keeps what it takes."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "hub@office.example", "open:sesame/%"
FROM = "texts@hub.example"

Answer = Callable[[SMTP], Awaitable[str]]


def saying(reply: str) -> Answer:
    async def answer(_server: SMTP) -> str:
        return reply

    return answer


async def hang(_server: SMTP) -> str:
    await asyncio.Event().wait()
    raise AssertionError


async def hang_up(server: SMTP) -> str:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()
    return "250 nobody hears it"


@dataclass
class MailServer:
    """`to_sender`, `to_recipients` and `to_mails` are what it answers to each of these, `OK` where there is none left.
    `logins` are those that were tried, each with whether the line was encrypted.
    """

    login: bool = False
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    logins: list[tuple[str, bool]] = field(default_factory=list)
    connections: list[SMTP] = field(default_factory=list)
    to_senders: deque[Answer] = field(default_factory=deque)
    to_recipients: deque[Answer] = field(default_factory=deque)
    to_mails: deque[Answer] = field(default_factory=deque)

    @property
    def texts(self) -> list[str]:
        """What each e-mail would have said, and to whom, by its subject."""
        return sorted(str(each["Subject"]) for each in self.mails)

    async def handle_MAIL(  # noqa: N802 - the library's own
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.login and not session.authenticated:
            return "530 5.7.0 Log in first"
        reply = await _next(self.to_senders, server)
        if reply.startswith("250"):
            envelope.mail_from = address
        return reply

    async def handle_RCPT(  # noqa: N802 - the library's own
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = await _next(self.to_recipients, server)
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        reply = await _next(self.to_mails, server)
        if reply.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.mails.append(message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default))
            self.recipients += envelope.rcpt_tos
            self.encrypted.append(session.ssl is not None)
        return reply

    def authenticate(
        self, server: SMTP, session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.logins.append((data.login.decode(), _is_encrypted(server, session)))
        return AuthResult(handled=False, success=(data.login.decode(), data.password.decode()) == (USER, PASSWORD))


async def _next(answers: deque[Answer], server: SMTP) -> str:
    return await answers.popleft()(server) if answers else "250 OK"


def _is_encrypted(server: SMTP, session: Session) -> bool:
    assert isinstance(server.transport, asyncio.Transport)
    return session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None


@asynccontextmanager
async def a_mail_server(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, login: bool = False
) -> AsyncIterator[MailServer]:
    """On 127.0.0.1. With `tls` it speaks that from the first byte, with `starttls` once it is asked to. With `login` it
    takes nothing of strangers.
    """
    keeps = MailServer(login=login)
    loop = asyncio.get_running_loop()

    def connected() -> SMTP:
        protocol = SMTP(
            keeps,
            loop=loop,
            hostname="mail.example",
            tls_context=starttls,
            auth_require_tls=False,
            authenticator=keeps.authenticate,
        )
        keeps.connections.append(protocol)
        return protocol

    server = await loop.create_server(connected, "127.0.0.1", 0, ssl=tls)
    async with server:
        keeps.port = server.sockets[0].getsockname()[1]
        yield keeps
        for each in keeps.connections:
            if isinstance(each.transport, asyncio.Transport):
                each.transport.abort()


@contextmanager
def a_mail_server_beside(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, login: bool = False
) -> Iterator[MailServer]:
    """The same in a thread, for tests that wait for other processes."""
    loop = asyncio.new_event_loop()
    ready: Future[MailServer] = Future()
    over = asyncio.Event()

    async def serve() -> None:
        async with a_mail_server(tls=tls, starttls=starttls, login=login) as server:
            ready.set_result(server)
            await over.wait()

    with ThreadPoolExecutor(1) as thread:
        serving = thread.submit(loop.run_until_complete, serve())
        try:
            yield ready.result(10)
        finally:
            loop.call_soon_threadsafe(over.set)
            serving.result(10)
            loop.close()

"""E-mails in place of texts: the real library against a real mail server."""

import asyncio
import re
from dataclasses import replace
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from adapters.providers.mail.provider import MailProvider
from adapters.providers.mail.server import MailServer as Address
from domain.errors import InvalidValue
from domain.model.credentials import NO_CREDENTIALS
from domain.model.delivery import DeliveryState
from domain.model.message_body import MessageBody
from domain.model.send_outcome import Accepted, CannotTell, Found, NotSent, Refused, SendOutcome, Unknown
from domain.model.sender import SenderAddress
from domain.ports.due_deliveries import Enquiry
from domain.ports.sms_provider import NotLeaving, OutgoingText
from entrypoints.stand_ins.certificates import Certificate
from tests.builders import SENDER, a_delivery
from tests.contract.calling import BODY, NUMBER, Departures, a_stranger, a_text_to, closed_port, never, until
from tests.mailing import FROM, PASSWORD, USER, a_mail_server, hang, hang_up, saying
from tests.patience import PATIENCE_S
from tests.unit.fakes import FakeClock

TO = "office@example.org"
AWAY = NotSent("mail-server-away")
REFUSED = Refused("mail-refused")
LOGIN = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@"


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(tmp_path)


@pytest.fixture
def trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    return certificate


def a_text(body: MessageBody = BODY, *, to: str | None = TO, sender: SenderAddress = SENDER) -> OutgoingText:
    return replace(a_text_to(body=body, sender=sender), mail_to=to)


def a_provider(port: int, *, scheme: str = "smtp", login: str = "", timeout_s: float = PATIENCE_S) -> MailProvider:
    return MailProvider(
        Address.at(f"{scheme}://{login}127.0.0.1:{port}", sender=FROM), FakeClock(), timeout_s=timeout_s
    )


async def send(
    port: int, text: OutgoingText | None = None, *, scheme: str = "smtp", login: str = "", timeout_s: float = PATIENCE_S
) -> tuple[SendOutcome, int]:
    """What came of it, and how often it departed."""
    departures = Departures()
    provider = a_provider(port, scheme=scheme, login=login, timeout_s=timeout_s)
    return await provider.send(text or a_text(), departures), departures.count


def content(mail: EmailMessage) -> str:
    return str(mail.get_content()).replace("\r\n", "\n")


# What the office gets.


async def test_the_office_gets_what_would_have_been_a_text() -> None:
    async with a_mail_server() as server:
        outcome, departed = await send(server.port)

    [mail] = server.mails
    assert (server.recipients, departed) == ([TO], 1)
    assert (mail["From"], mail["To"]) == (FROM, TO)
    assert mail["Subject"] == f"Text to {NUMBER.e164} from {SENDER.value}"
    assert parsedate_to_datetime(mail["Date"]).timestamp() == FakeClock().now_us() // 1_000_000
    assert mail["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<7\.1\.\d+@hub\.example>", mail["Message-ID"])
    assert outcome == Accepted(f"mail:{mail['Message-ID']}", ask_after_us=0)
    assert content(mail) == (
        f"{BODY.text}\n-- \nThis would have been a text.\nTo: {NUMBER.e164}\nFrom: {SENDER.value}\n"
        "Segments: 1\nEncoding: UCS-2\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        ".",
        "From the dean:\n.\n..\n\n",
        "Subject: not a header",
        "=3D 100 %= ",
        "naïve €{}[]~\\ 🙂",
        "x" * 1_600,
        "é" * 1_600,
        "tab\tand no-break\u00a0space, line\u2028separator, next\x85line ",
    ],
)
async def test_what_it_says_is_what_would_have_been_texted(text: str) -> None:
    body = MessageBody(text)
    async with a_mail_server() as server:
        await send(server.port, a_text(body))

    said, _, below = content(server.mails[0]).rpartition("\n-- \n")
    assert said == text
    assert f"Segments: {body.segments}\nEncoding: {body.encoding.value}\n" in below


@pytest.mark.parametrize(
    "address", ["o'neill+tag=1@mail.example.org", f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.example"]
)
async def test_an_address_arrives_as_it_is(address: str) -> None:
    async with a_mail_server() as server:
        await send(server.port, a_text(to=address))

    assert server.recipients == [address]
    assert [each.addr_spec for each in server.mails[0]["To"].addresses] == [address]


async def test_the_name_of_a_sender_becomes_no_other_header() -> None:
    async with a_mail_server() as server:
        await send(server.port, a_text(sender=SenderAddress("A & B.c_d-e")))

    assert server.mails[0]["Subject"] == f"Text to {NUMBER.e164} from A & B.c_d-e"


@pytest.mark.parametrize("address", ["a@b.example\r\nBcc: c@d.example", "a@b.example>\r\nRCPT TO:<c@d.example"])
async def test_nothing_is_sent_to_an_address_that_is_more_than_one(address: str) -> None:
    async with a_mail_server() as server:
        with pytest.raises(ValueError, match="linefeed"):
            await send(server.port, a_text(to=address))

    assert server.connections == []


async def test_two_attempts_have_ids_of_their_own() -> None:
    async with a_mail_server() as server:
        for attempt in (1, 2):
            await send(server.port, replace(a_text(), attempt=attempt))

    assert len({each["Message-ID"] for each in server.mails}) == 2


# How it gets there.


async def test_it_is_encrypted_from_the_first_byte(trusted: Certificate) -> None:
    async with a_mail_server(tls=trusted.server(), login=True) as server:
        outcome, _ = await send(server.port, scheme="smtps", login=LOGIN)

    assert isinstance(outcome, Accepted)
    assert server.logins == [(USER, True)]


async def test_a_password_goes_over_an_encrypted_line(trusted: Certificate) -> None:
    async with a_mail_server(starttls=trusted.server(), login=True) as server:
        outcome, _ = await send(server.port, login=LOGIN)

    assert isinstance(outcome, Accepted)
    assert (server.logins, server.encrypted) == ([(USER, True)], [True])


async def test_a_password_goes_over_no_other() -> None:
    async with a_mail_server(login=True) as server:
        assert await send(server.port, login=LOGIN) == (AWAY, 0)

    assert server.logins == []


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_password_goes_to_nobody_who_cannot_prove_who_he_is(certificate: Certificate, scheme: str) -> None:
    tls = certificate.server()
    async with a_mail_server(**{"tls" if scheme == "smtps" else "starttls": tls}, login=True) as server:
        assert await send(server.port, scheme=scheme, login=LOGIN) == (AWAY, 0)

    assert server.logins == []


async def test_without_a_password_it_is_encrypted_where_the_server_offers_it(certificate: Certificate) -> None:
    async with a_mail_server(starttls=certificate.server()) as server:
        outcome, _ = await send(server.port)

    assert isinstance(outcome, Accepted)
    assert server.encrypted == [True]


async def test_a_login_that_is_not_accepted_is_the_servers_matter_and_not_the_texts(trusted: Certificate) -> None:
    async with a_mail_server(starttls=trusted.server(), login=True) as server:
        assert await send(server.port, login="somebody:else@") == (AWAY, 0)

    assert server.mails == []


# What the server says.


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("550 5.1.1 No such mailbox", REFUSED),
        ("451 4.7.1 Greylisted", AWAY),
        ("421 4.3.2 Shutting down", AWAY),
    ],
)
@pytest.mark.parametrize("to", ["to_senders", "to_recipients", "to_mails"])
async def test_a_refusal_is_for_good_or_for_now(reply: str, outcome: SendOutcome, to: str) -> None:
    async with a_mail_server() as server:
        getattr(server, to).append(saying(reply))
        assert await send(server.port) == (outcome, int(to == "to_mails"))
        assert isinstance((await send(server.port))[0], Accepted)

    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (hang, "no-answer"),
        (hang_up, "connection-lost"),
        (saying("Thanks!"), "unreadable-answer"),
        (saying("354 More of it"), "unreadable-answer"),
    ],
)
async def test_what_may_have_been_taken_is_unknown(answer: object, reason: str) -> None:
    async with a_mail_server() as server:
        server.to_mails.append(answer)  # type: ignore[arg-type]
        assert await send(server.port, timeout_s=0.5 if answer is hang else PATIENCE_S) == (Unknown(reason), 1)


@pytest.mark.parametrize("to", ["to_senders", "to_recipients"])
@pytest.mark.parametrize("answer", [hang, hang_up, saying("Hello!"), saying("354 More of it")])
async def test_what_was_not_handed_over_was_not_sent(answer: object, to: str) -> None:
    async with a_mail_server() as server:
        getattr(server, to).append(answer)
        assert await send(server.port, timeout_s=0.5 if answer is hang else PATIENCE_S) == (AWAY, 0)

    assert server.mails == []


async def test_nothing_is_sent_where_nobody_listens() -> None:
    assert await send(closed_port()) == (AWAY, 0)


@pytest.mark.parametrize("greeting", [b"", b"554 Go away\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x01"])
async def test_nothing_is_sent_to_one_who_does_not_greet(greeting: bytes) -> None:
    async with a_stranger(greeting) as port:
        assert await send(port, timeout_s=0.3) == (AWAY, 0)


@pytest.mark.parametrize("error", [NotLeaving(), TimeoutError("its own"), OSError("its own"), KeyError("its own")])
async def test_what_the_departure_raises_is_passed_on_and_nothing_is_sent(error: Exception) -> None:
    async def refuse() -> None:
        raise error

    async with a_mail_server() as server:
        with pytest.raises(type(error)) as caught:
            await a_provider(server.port).send(a_text(), Departures(refuse))

    assert caught.value is error
    assert server.mails == []


async def test_a_connection_that_breaks_before_the_departure_has_sent_nothing() -> None:
    async with a_mail_server() as server:

        async def held_up() -> None:
            await hang_up(server.connections[0])
            await asyncio.sleep(0.05)

        assert await a_provider(server.port).send(a_text(), Departures(held_up)) == AWAY


async def test_a_server_that_says_no_goodbye_has_it_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async def smtp_quit(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("adapters.providers.mail.provider._GOODBYE_S", 0.1)
    monkeypatch.setattr("aiosmtpd.smtp.SMTP.smtp_QUIT", smtp_quit)
    async with a_mail_server() as server:
        outcome, _ = await send(server.port)

    assert isinstance(outcome, Accepted)


async def test_it_leaves_no_connection_behind() -> None:
    async with a_mail_server() as server:
        with pytest.raises(NotLeaving):
            await a_provider(server.port).send(a_text(), Departures(never))
        await send(server.port)
        await until(lambda: [each.transport for each in server.connections] == [None, None])


# Without a server, and what is asked later.


async def test_without_a_server_it_is_refused_with_the_reason() -> None:
    departures = Departures()
    assert await MailProvider(None, FakeClock()).send(a_text(), departures) == Refused("mail-not-set-up")
    assert departures.count == 0


def an_enquiry(state: DeliveryState, reference: str) -> Enquiry:
    delivery = replace(a_delivery(state=state), provider_reference=reference)
    return Enquiry(delivery=delivery, provider="mail", account_id=1, sender=SENDER, body=BODY, attempted_us=0)


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        (DeliveryState.SENT, Found("mail:<7.1@a>", DeliveryState.DELIVERED, "mailed-instead")),
        (DeliveryState.UNKNOWN, CannotTell("no-receipt")),
    ],
)
async def test_what_was_taken_has_come_to_its_end_and_of_the_rest_nobody_can_tell(
    state: DeliveryState, answer: object
) -> None:
    assert await MailProvider(None, FakeClock()).look_up(an_enquiry(state, "mail:<7.1@a>")) == answer


def test_no_sender_sends_by_e_mail() -> None:
    with pytest.raises(InvalidValue):
        MailProvider(None, FakeClock()).account_of(NO_CREDENTIALS)


def test_a_password_is_not_shown() -> None:
    assert PASSWORD not in repr(Address.at(f"smtps://{LOGIN}mail.example", sender=FROM))


@pytest.mark.parametrize(("url", "port"), [("smtp://mail.example", 587), ("smtps://mail.example/", 465)])
def test_the_usual_ports_need_not_be_given(url: str, port: int) -> None:
    assert Address.at(url, sender=FROM).port == port

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

from domain.model.pace import SECOND_US
from domain.ports.sms_provider import OutgoingText


def written(text: OutgoingText, *, sender: str, now_us: int) -> EmailMessage:
    """The e-mail that goes in place of the text (RFC 5322): what it says, and below a signature's dashes what it would
    have been.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = text.mail_to
    mail["Subject"] = f"Text to {text.number.e164} from {text.sender.value}"
    mail["Date"] = datetime.fromtimestamp(now_us / SECOND_US, UTC)
    # With the time: ids of deliveries start anew in a new database, and mailboxes drop what has an id that they know.
    mail["Message-ID"] = f"<{text.delivery_id}.{text.attempt}.{now_us}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # So that no absence notice answers (RFC 3834).
    lines = [
        text.body.text,
        "-- ",
        "This would have been a text.",
        f"To: {text.number.e164}",
        f"From: {text.sender.value}",
        f"Segments: {text.body.segments}",
        f"Encoding: {text.body.encoding.value}",
    ]
    # Not every server takes octets beyond ASCII as they are.
    mail.set_content("\n".join(lines), cte="quoted-printable")
    return mail

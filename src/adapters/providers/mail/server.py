import ssl
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP

_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """`sender` is the address that e-mails come from. With `tls` the connection begins with TLS; else STARTTLS makes it
    safe where there is a password, or where the server offers it.
    """

    host: str
    port: int
    tls: bool
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def at(cls, url: str, *, sender: str) -> Self:
        parts = urlsplit(url)
        return cls(
            host=parts.hostname or "",
            port=parts.port or _PORTS[parts.scheme],
            tls=parts.scheme == "smtps",
            sender=sender,
            username=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
        )

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if not self.tls and self.username is None:
            # Whoever can forge a certificate could as well hide that the server offers TLS (RFC 7435). There is no
            # password to be had, and many a server of the house has a certificate that it made for itself.
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def client(self, context: ssl.SSLContext, *, timeout_s: float) -> SMTP:
        return SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            # The machine's own may take a name server that answers, and means nothing outside a cluster.
            local_hostname=self.sender.rpartition("@")[2],
            timeout=timeout_s,
            use_tls=self.tls,
            start_tls=False if self.tls else self.username is not None or None,
            tls_context=context,
        )

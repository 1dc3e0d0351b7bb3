"""Certificates for stand-ins that speak TLS, made anew each time and good for this machine alone."""

import ssl
from pathlib import Path

import trustme


class Authority:
    """Whoever is to believe the stand-ins trusts it: by `client`, or by SSL_CERT_FILE and what `write` has written."""

    def __init__(self) -> None:
        self._authority = trustme.CA()

    def server(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert("127.0.0.1").configure_cert(context)
        return context

    def client(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        return context

    def write(self, file: Path) -> None:
        self._authority.cert_pem.write_to_path(str(file))

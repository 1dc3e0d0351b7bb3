"""Certificates for stand-ins that speak TLS."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_LIFE = timedelta(days=365)
_LEFT_AT_LEAST = timedelta(days=1)
# Clocks of containers may be behind.
_SINCE = timedelta(hours=1)


class Certificate:
    """One that is signed by itself, and lies in the folder with its key: made there where none that is good for the
    hosts is found.

    Whoever is to believe the stand-in trusts it: by `client`, or by SSL_CERT_FILE and `file`.
    """

    def __init__(self, folder: Path, *hosts: str) -> None:
        self.file = folder / "certificate.pem"
        self._key_file = folder / "key.pem"
        names = {_name(host) for host in ("127.0.0.1", "localhost", *hosts)}
        if not (self._key_file.exists() and self.file.exists() and _is_good(self.file.read_bytes(), names)):
            self._make(names)

    def server(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.file, self._key_file)
        return context

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.file)

    def _make(self, names: set[x509.GeneralName]) -> None:
        key = generate_private_key(SECP256R1())
        self._key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._key_file.touch(mode=0o600)
        self._key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.file.write_bytes(_signed_by_itself(key, names).public_bytes(Encoding.PEM))


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _is_good(pem: bytes, names: set[x509.GeneralName]) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    return set(found) >= names and certificate.not_valid_after_utc > datetime.now(UTC) + _LEFT_AT_LEAST


def _signed_by_itself(key: EllipticCurvePrivateKey, names: set[x509.GeneralName]) -> x509.Certificate:
    itself = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SMS Hub stand-in")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(itself)
        .issuer_name(itself)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SINCE)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName(sorted(names, key=repr)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )

"""Credentials as they lie in the database: encrypted and authenticated (Fernet) with keys that are not there."""

import base64
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.errors import CredentialsUnreadable, EncryptionKeysMissing, InvalidValue
from domain.model.credentials import Credentials
from domain.ports.vault import Vault

_SHORTEST_KEY = 32
_FERNET_KEY = 32

# Says what the derived key is for; another value makes every stored credential unreadable.
_PURPOSE = b"sms-hub provider credentials"


class FernetVault(Vault):
    """`keys` are secrets by their id; the first seals, all open. A key is replaced by putting the new one first, and
    dropped when everything that it sealed has been sealed anew.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if any(len(key) < _SHORTEST_KEY for key in keys.values()):
            raise InvalidValue(f"Every key of SMSHUB_ENCRYPTION_KEYS has {_SHORTEST_KEY} bytes or more.")
        self._ring = MultiFernet([_fernet(key) for key in keys.values()]) if keys else None

    def seal(self, credentials: Credentials) -> bytes:
        """Different at each call. Raises `EncryptionKeysMissing`."""
        if self._ring is None:
            raise EncryptionKeysMissing
        return self._ring.encrypt(credentials.written().encode())

    def open(self, sealed: bytes) -> Credentials:
        """Raises `CredentialsUnreadable`."""
        if self._ring is None:
            raise CredentialsUnreadable
        try:
            return Credentials.parse(self._ring.decrypt(sealed).decode())
        except (InvalidToken, ValueError):
            raise CredentialsUnreadable from None


def _fernet(key: bytes) -> Fernet:
    derived = HKDF(SHA256(), length=_FERNET_KEY, salt=None, info=_PURPOSE).derive(key)
    return Fernet(base64.urlsafe_b64encode(derived))

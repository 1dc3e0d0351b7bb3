from typing import Protocol

from domain.model.credentials import Credentials


class Vault(Protocol):
    """Keeps credentials from whoever sees the database alone."""

    def seal(self, credentials: Credentials) -> bytes:
        """Raises `EncryptionKeysMissing`."""
        ...

    def open(self, sealed: bytes) -> Credentials:
        """Raises `CredentialsUnreadable`."""
        ...

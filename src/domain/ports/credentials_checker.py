from typing import Protocol

from domain.model.credentials import Credentials
from domain.model.credentials_check import CredentialsCheck


class CredentialsChecker(Protocol):
    """A provider that can be asked whether it accepts credentials."""

    async def __call__(self, credentials: Credentials) -> CredentialsCheck:
        """Changes nothing there. Never raises for what a provider or a network can do; ends in time.

        Raises `InvalidValue` for credentials that the provider cannot work with.
        """
        ...

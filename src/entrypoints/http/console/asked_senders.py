"""A sender as forms ask for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from domain.errors import (
    CredentialsMissing,
    EncryptionKeysMissing,
    HubError,
    PaceDiffers,
    PropertyRefused,
    naming,
)
from domain.model.credentials import Credentials
from domain.model.pace import Pace
from domain.model.sender import SenderAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedSender:
    """What is None was left empty."""

    provider: str
    address: SenderAddress
    pace: Pace | None
    credentials: Credentials | None

    @classmethod
    def read(cls, fields: Mapping[str, str], *, providers: Sequence[str]) -> Self:
        """Raises `PropertyRefused`."""
        provider = fields.get("Provider", "")
        if provider not in providers:
            raise PropertyRefused("Provider", "There is no such provider.")
        rate, credentials = fields.get("Rate", "").strip(), fields.get("Credentials", "").strip()
        with naming("Sender"):
            address = SenderAddress(fields.get("Sender", "").strip())
        with naming("Rate"):
            pace = Pace.parse(rate) if rate else None
        with naming("Credentials"):
            read = Credentials.parse(credentials) if credentials else None
        return cls(provider=provider, address=address, pace=pace, credentials=read)


def field_of(error: HubError) -> str | None:
    """Of the form; None for what lies in none of them."""
    match error:
        case PropertyRefused(name=name):
            return name
        case PaceDiffers():
            return "Rate"
        case CredentialsMissing() | EncryptionKeysMissing():
            return "Credentials"
        case _:
            return None

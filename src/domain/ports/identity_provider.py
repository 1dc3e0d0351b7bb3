from collections.abc import Mapping
from typing import Protocol

from domain.model.sign_in import Challenge
from domain.model.staff import Person


class IdentityProvider(Protocol):
    """Where an organisation's people sign in (OpenID Connect). `name` is what they call it, `issuer` what it calls
    itself.
    """

    @property
    def name(self) -> str: ...

    @property
    def issuer(self) -> str: ...

    async def address(self, challenge: Challenge) -> str:
        """Where a browser goes to sign in. Raises `IdentityProviderAway`."""
        ...

    async def person(self, challenge: Challenge, answer: Mapping[str, str]) -> Person:
        """Whom the answer to this challenge is about; parameters by name, as the browser brings them back. An answer
        is good once. Raises `SignInRefused` and `IdentityProviderAway`.
        """
        ...

    async def sign_out_address(self) -> str | None:
        """Where a browser goes to end what the provider remembers; None where it has no such address, or is away."""
        ...

    async def close(self) -> None: ...

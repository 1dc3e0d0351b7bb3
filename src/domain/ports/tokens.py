from typing import Protocol

from domain.model.access import Grant


class Tokens(Protocol):
    """Grants in a form that programs carry about and cannot change."""

    def issue(self, grant: Grant) -> str: ...

    def verify(self, token: str) -> Grant:
        """Raises `TokenRefused` for a token that is not ours, not yet valid or expired."""
        ...

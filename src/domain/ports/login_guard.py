from typing import Protocol


class LoginGuard(Protocol):
    """Bounds how often a program logs in from one address."""

    async def admit(self, program_sid: str, address: str) -> None:
        """Counts a login of the program from the address. Raises `TooManyLogins`.

        The same program from another address is not held up by it.
        """
        ...


class GuessGuard(LoginGuard, Protocol):
    """One that also holds up who guesses at many programs from one address."""

    async def ended(self, program_sid: str, address: str, *, good: bool) -> None:
        """Says how a login that was admitted came out. An address with too many bad ones is admitted no more for a
        while, but for programs that have logged in from there.
        """
        ...

from typing import Protocol


class LoginGuard(Protocol):
    async def admit(self, program_sid: str, address: str) -> None:
        """Counts a login of the program from the address. Raises `TooManyLogins`.

        The same program from another address is not held up by it.
        """
        ...

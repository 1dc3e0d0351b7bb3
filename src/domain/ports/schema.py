from typing import Protocol


class Schema(Protocol):
    """The form of the hub's database."""

    async def migrate(self) -> None:
        """Brings it to this version's, and leaves a newer one that this version runs on as it is.

        Several processes may do so at once: one works, the others wait. Raises `SchemaDiffers` where it is too new.
        """
        ...

    async def check(self) -> None:
        """Raises `SchemaDiffers` where this version does not run on it."""
        ...

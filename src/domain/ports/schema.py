from typing import Protocol


class Schema(Protocol):
    """The form of the hub's database."""

    async def migrate(self) -> None:
        """Brings it to this version's. Several processes may do so at once: one works, the others wait."""
        ...

    async def check(self) -> None:
        """Raises `SchemaDiffers` where it is not this version's."""
        ...

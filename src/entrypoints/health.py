from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from domain.errors import SchemaDiffers, StoreUnavailable
from domain.ports.schema import Schema


class Phase(Enum):
    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"


@dataclass
class Health:
    """Whether the process is to be given work."""

    schema: Schema
    phase: Phase = Phase.STARTING

    async def ready(self) -> tuple[bool, Mapping[str, str]]:
        """The verdict and what it rests on. A database that is away is no reason to be taken out of service."""
        database, fits = "ok", True
        try:
            await self.schema.check()
        except StoreUnavailable:
            database = "unavailable"
        except SchemaDiffers as error:
            database, fits = str(error), False
        return fits and self.phase is Phase.RUNNING, {"process": self.phase.value, "database": database}

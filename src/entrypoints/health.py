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
        checks = {"process": self.phase.value, "database": "ok"}
        fits = True
        try:
            await self.schema.check()
        except StoreUnavailable:
            checks["database"] = "unavailable"
        except SchemaDiffers as error:
            checks["database"] = str(error)
            fits = False
        return fits and self.phase is Phase.RUNNING, checks

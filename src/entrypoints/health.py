from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from domain.errors import SchemaDiffers, StoreUnavailable
from domain.model.pace import SECOND_US
from domain.ports.clock import Clock
from domain.ports.schema import Schema
from domain.ports.standstills import Standstill, Standstills
from entrypoints.telemetry.gauges import Gauges
from entrypoints.telemetry.metrics import Metrics


class Phase(Enum):
    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"


@dataclass
class Health:
    """Whether the process is to be given work, and what stands still in the hub."""

    schema: Schema
    standstills: Standstills
    clock: Clock
    metrics: Metrics
    gauges: Gauges
    phase: Phase = Phase.STARTING

    async def ready(self) -> tuple[bool, Mapping[str, object]]:
        """The verdict and what it rests on. Neither a database that is away nor a sender that stands still is a reason
        to be taken out of service.
        """
        details: dict[str, object] = {"database": "ok"}
        fits = True
        try:
            await self.schema.check()
            details |= await self._sending()
        except StoreUnavailable:
            details["database"] = "unavailable"
        except SchemaDiffers as error:
            details["database"], fits = str(error), False
        # Looked at last, as it may have changed while the database was asked.
        phase = self.phase
        return fits and phase is Phase.RUNNING, {"process": phase.value, **details}

    async def measure(self) -> None:
        """Brings the gauges up to date; they stay as they are where the database does not answer."""
        try:
            await self.schema.check()
            await self._sending()
            await self.gauges.measure(now_us=self.clock.now_us())
        except (StoreUnavailable, SchemaDiffers):
            return

    async def _sending(self) -> Mapping[str, object]:
        standstill = await self.standstills.now(now_us=self.clock.now_us())
        self._show(standstill)
        return {
            "sending": "paused" if standstill.hub_paused else "ok",
            "paused_programs": standstill.paused_programs,
            "paused_senders": standstill.paused_senders,
            "barred_senders": {str(sender_id): reason for sender_id, reason in standstill.barred.items()},
        }

    def _show(self, standstill: Standstill) -> None:
        self.metrics.paused.labels("hub").set(standstill.hub_paused)
        self.metrics.paused.labels("program").set(standstill.paused_programs)
        self.metrics.paused.labels("sender").set(standstill.paused_senders)
        self.metrics.barred_senders.set(len(standstill.barred))
        self.metrics.overdue_seconds.set(standstill.overdue_us / SECOND_US)

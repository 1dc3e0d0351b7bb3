from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import SenderNotFound
from domain.model.program import Program
from domain.model.sender import Sender
from domain.ports.clock import Clock
from domain.ports.programs import Programs
from domain.ports.senders import Senders
from domain.ports.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderInUse:
    """A sender with the programs that send from it. `queued_segments` wait at it, and the last of them leaves at
    `through_us`; None where that is not known, or where nothing waits.
    """

    sender: Sender
    programs: Sequence[Program]
    queued_segments: int | None
    through_us: int | None


@dataclass(frozen=True, kw_only=True)
class SurveySenders:
    """Senders as operators see them: who uses each, and what waits there."""

    senders: Senders
    programs: Programs
    workload: Workload
    clock: Clock

    async def __call__(self) -> Sequence[SenderInUse]:
        """All of them, by provider and address. What waits is that of some seconds ago."""
        now_us = self.clock.now_us()
        loads = {each.sender_id: each for each in (await self.workload.now(now_us=now_us)).senders}
        users: dict[int, list[Program]] = defaultdict(list)
        for program in await self.programs.all():
            for its in program.senders:
                users[its.id].append(program)
        found = []
        for sender in await self.senders.all():
            load = loads.get(sender.id)
            through_in_us = load.through_in_us if load is not None and load.segments else None
            found.append(
                SenderInUse(
                    sender=sender,
                    programs=users[sender.id],
                    queued_segments=None if load is None else load.segments,
                    through_us=None if through_in_us is None else now_us + through_in_us,
                )
            )
        return found

    async def one(self, sender_id: int) -> SenderInUse:
        """Raises `SenderNotFound`."""
        found = next((each for each in await self() if each.sender.id == sender_id), None)
        if found is None:
            raise SenderNotFound
        return found

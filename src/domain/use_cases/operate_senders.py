"""What operators do with senders: look at them, change how fast they send, stop them for a while."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.errors import InvalidValue, SenderAmbiguous, SenderNotFound
from domain.model.pace import SECOND_US, Pace
from domain.model.sender import OptOutReplies, Sender
from domain.ports.clock import Clock
from domain.ports.pauses import Pauses
from domain.ports.senders import Senders

_LONGEST_BACKLOG = timedelta(hours=10)  # After that providers drop what they queue.


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderName:
    """Which sender is meant; provider and account may be left out where there is one of the address."""

    address: str
    provider: str | None = None
    account: str | None = None


async def named_sender(senders: Senders, which: SenderName | int) -> Sender:
    """By its name or its id. Raises `SenderNotFound` and `SenderAmbiguous`."""
    found = [each for each in await senders.all() if _is_meant(each, which)]
    if not found:
        raise SenderNotFound
    if len(found) > 1:
        raise SenderAmbiguous
    return found[0]


def _is_meant(sender: Sender, which: SenderName | int) -> bool:
    if isinstance(which, int):
        return sender.id == which
    return (
        sender.address.value == which.address.strip()
        and which.provider in {None, sender.provider}
        and which.account in {None, sender.account}
    )


@dataclass(frozen=True, kw_only=True)
class ListSenders:
    senders: Senders

    async def __call__(self) -> Sequence[Sender]:
        """By provider and address."""
        return await self.senders.all()


@dataclass(frozen=True, kw_only=True)
class ChangeSender:
    """Changes who answers keywords, and a sender's pace while it sends.

    What has its slot already, some tenths of a second's texts, keeps it.
    """

    senders: Senders
    clock: Clock

    async def __call__(
        self,
        which: SenderName | int,
        *,
        pace: Pace | None = None,
        backlog: timedelta | None = None,
        opt_out_replies: OptOutReplies | None = None,
    ) -> Sender:
        """What is None stays as it is. `backlog` is how much of its texts' time the provider may have queued itself.

        Raises `SenderNotFound`, `SenderAmbiguous`, and `InvalidValue` for a backlog of more than ten hours.
        """
        sender = await named_sender(self.senders, which)
        if backlog is not None and not timedelta(0) <= backlog <= _LONGEST_BACKLOG:
            raise InvalidValue("A backlog is none to ten hours.")
        backlog_us = sender.backlog_us if backlog is None else int(backlog.total_seconds() * SECOND_US)
        await self.senders.change(
            sender.id,
            pace=pace or sender.pace,
            backlog_us=backlog_us,
            opt_out_replies=opt_out_replies,
            now_us=self.clock.now_us(),
        )
        return await named_sender(self.senders, sender.id)


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Lets a sender, a program or the whole hub send nothing for a while, and go on again.

    What was claimed goes out, which is what would have been sent within the next second. The queue is kept.
    """

    pauses: Pauses
    senders: Senders
    clock: Clock

    async def hub(self, *, paused: bool) -> None:
        await self.pauses.set_hub(paused=paused, now_us=self.clock.now_us())

    async def program(self, program_id: str, *, paused: bool) -> None:
        """Raises `ProgramNotFound`."""
        await self.pauses.set_program(program_id, paused=paused, now_us=self.clock.now_us())

    async def suspend(self, program_id: str, *, suspended: bool) -> None:
        """A suspended program sends nothing and cannot log in, and its tokens end within five seconds.

        Raises `ProgramNotFound`.
        """
        await self.pauses.suspend_program(program_id, suspended=suspended, now_us=self.clock.now_us())

    async def sender(self, which: SenderName | int, *, paused: bool) -> Sender:
        """Raises `SenderNotFound` and `SenderAmbiguous`."""
        sender = await named_sender(self.senders, which)
        await self.pauses.set_sender(sender.id, paused=paused, now_us=self.clock.now_us())
        return await named_sender(self.senders, sender.id)

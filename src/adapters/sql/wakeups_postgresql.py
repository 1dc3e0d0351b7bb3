import asyncio
from contextlib import suppress

import asyncpg

from adapters.sql.database import Database
from domain.errors import StoreUnavailable
from domain.ports.wakeups import Wakeups

_CHANNEL = "smshub_wakeups"
_NOTIFY = f"NOTIFY {_CHANNEL}"
_QUIET_S = 0.05  # After each: a commit with a notification holds up all others of its kind for a moment.
_AGAIN_AFTER_S = 1.0
_ALIVE_EVERY_S = 5.0


class PostgresqlWakeups(Wakeups):
    """Reaches the dispatchers of all processes by LISTEN and NOTIFY.

    Listening takes a connection of its own, which has to be a real one: behind a pooler that lends it to others in
    between it would hear nothing.
    """

    def __init__(self, database: Database, here: Wakeups) -> None:
        """`here` reaches the dispatcher of this process."""
        self._database = database
        self._here = here
        self._listening = False
        self._telling: asyncio.Task[None] | None = None
        self._told_too_little = False

    @property
    def heard_from_all(self) -> bool:
        return self._listening

    def notify(self) -> None:
        self._here.notify()
        if self._telling is not None and not self._telling.done():
            self._told_too_little = True
            return
        self._telling = asyncio.create_task(self._tell())

    async def wait(self, *, at_most_s: float) -> bool:
        return await self._here.wait(at_most_s=at_most_s)

    async def drained(self) -> None:
        if self._telling is not None:
            await self._telling

    async def listen(self) -> None:
        while True:
            with suppress(StoreUnavailable):
                async with self._database.listening() as connection:
                    await self._hear(connection)
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def _hear(self, connection: asyncpg.Connection) -> None:
        ended = asyncio.Event()
        connection.add_termination_listener(lambda *_: ended.set())
        await connection.add_listener(_CHANNEL, lambda *_: self._here.notify())
        self._listening = True
        try:
            # What came while nobody listened.
            self._here.notify()
            while not ended.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), _ALIVE_EVERY_S)
                if not ended.is_set():
                    await connection.execute("SELECT 1")
        finally:
            self._listening = False

    async def _tell(self) -> None:
        """Once for all that comes within a moment."""
        while True:
            self._told_too_little = False
            with suppress(StoreUnavailable):
                async with self._database.driver() as connection:
                    await connection.execute(_NOTIFY)
            await asyncio.sleep(_QUIET_S)
            if not self._told_too_little:
                return

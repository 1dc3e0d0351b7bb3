"""A real PgBouncer between a hub and its database."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from tests.e2e.running import eventually
from tests.ports import free_port

# Where Debian has it is not on everybody's path.
PGBOUNCER = shutil.which("pgbouncer", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))

_SETTINGS = """
[databases]
{database} = host={sockets} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
"""


class Pooler:
    """Lends few connections to the database to all who come, each for one transaction."""

    def __init__(self, database_url: str, folder: Path, *, connections: int) -> None:
        url = make_url(database_url)
        self._sockets = Path(str(url.query["host"]))
        self._settings = folder / "pgbouncer.ini"
        self._log = folder / "pgbouncer.log"
        port = free_port()
        self._settings.write_text(
            _SETTINGS.format(
                database=url.database, sockets=self._sockets, user=url.username, port=port, connections=connections
            )
        )
        self.url = f"postgresql://{url.username}@127.0.0.1:{port}/{url.database}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self._log.read_text()

    def start(self) -> None:
        """Returns when it lets through to the database."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen([*self._command(), self._settings], stdout=log, stderr=log)
        eventually(self._lets_through, what="the pooler is there")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _command(self) -> Sequence[str]:
        """It refuses to be root: then it is who the database is, who may go to its sockets."""
        assert PGBOUNCER is not None
        socket = self._sockets / ".s.PGSQL.5432"
        return [PGBOUNCER] if os.geteuid() else [PGBOUNCER, "--user", socket.owner()]

    def _lets_through(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        try:
            asyncio.run(self._ask())
        except OSError:
            return False
        return True

    async def _ask(self) -> None:
        connection = await asyncpg.connect(self.url)
        await connection.execute("SELECT")
        await connection.close()

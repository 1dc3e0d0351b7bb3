"""The hub in containers, held as tightly as Kubernetes' restricted policy holds them, on SQLite in a volume."""

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from tests.e2e.running import SENDER, Credentials, HubProcess, Site
from tests.image.building import IMAGE, Workshop
from tests.ports import free_port

USER = 10001
HOME = "/var/lib/smshub"
MEMORY_MIB = 256

# Nothing but the volume can be written to, not even /tmp. Without limits of our own podman would set some that not
# everybody may set.
RESTRICTED = (
    *("--read-only", "--read-only-tmpfs=false", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--user", f"{USER}:{USER}", "--memory", f"{MEMORY_MIB}m"),
    *("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=256:256"),
)


class ContainerSite(Site):
    """A hub whose processes are containers of the image, with one volume. They share the network of this machine."""

    def __init__(self, workshop: Workshop, folder: Path, **settings: str) -> None:
        super().__init__("", folder, host="127.0.0.1", **settings)
        # The image's own default, which is in the volume.
        del self.environment["SMSHUB_DATABASE_URL"]
        self.workshop = workshop
        self.volume = folder / "volume"
        self.volume.mkdir()
        os.chown(self.volume, USER, USER)

    def start(
        self,
        command: str,
        *,
        port: int | None = None,
        internal_port: int | None = None,
        program: Sequence[str | Path] = (),
        **environment: str,
    ) -> HubProcess:
        internal_port = internal_port or free_port()
        program = program or self.container(name_of(internal_port), {**self.environment, **environment})
        return super().start(command, port=port, internal_port=internal_port, program=program, **environment)

    def run(self, *arguments: str, **environment: str) -> HubProcess:
        """A command that serves nobody."""
        given = {**self.environment, **environment}
        port = free_port()
        program = self.container(name_of(port), given)
        process = HubProcess(
            arguments, environment=given, folder=self.folder, port=port, internal_port=port, program=program
        )
        self._at_end.callback(process.kill)
        return process

    def container(self, name: str, environment: Mapping[str, str]) -> Sequence[str]:
        """What to put before the image's arguments. The container is gone at the end of the site, if not before."""
        self._at_end.callback(self.workshop.podman, "rm", "--force", "--ignore", "--time", "0", name)
        return [
            *(*self.workshop.podman_command, "run", "--rm", "--name", name, "--pull", "never", "--network", "host"),
            *(*RESTRICTED, *(word for variable in environment for word in ("--env", variable))),
            *("--volume", f"{self.volume}:{HOME}", IMAGE),
        ]

    def inside(self, process: HubProcess, *command: str) -> str:
        """What a command says that is run in the process's container."""
        return self.workshop.podman("exec", name_of(process.internal_port), *command)

    def stop(self, process: HubProcess) -> None:
        """As an orchestrator does: tells the container's first process, whatever it is doing."""
        self.workshop.podman("kill", "--signal", "TERM", name_of(process.internal_port))

    def create_program(self, process: HubProcess, *, rate: str) -> Credentials:
        command = ["smshub", "programs", "create", "--name", "City Hall", "--sender", SENDER, "--provider", "sandbox"]
        created = json.loads(self.inside(process, *command, "--rate", rate, "--output", "json"))
        return Credentials(created["ProgramId"], created["ProgramSID"], created["ProgramKey"], created["SenderId"])

    def query(self, statement: str) -> Sequence[tuple[str, ...]]:
        """Asks the database itself, past the hub."""
        with closing(sqlite3.connect(self.volume / "smshub.db")) as connection:
            return connection.execute(statement).fetchall()


def name_of(internal_port: int) -> str:
    return f"smshub-{internal_port}"

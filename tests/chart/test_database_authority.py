"""The variables by which the chart names the database's authority are those that the hub's driver follows."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from entrypoints.stand_ins.certificates import Certificate
from tests.chart.rendering import main_container, rendered_case, variables
from tests.e2e.running import smshub
from tests.patience import PATIENCE_S

_LENGTH_OF_SSL_REQUEST = 8
_WITHIN_S = PATIENCE_S


@contextmanager
def a_database_at_the_door(certificate: Certificate) -> Iterator[tuple[int, list[str]]]:
    """Its port, and what callers made of its certificate. It shows that, as PostgreSQL does, and hangs up."""
    seen: list[str] = []

    def receive(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        connection.settimeout(_WITHIN_S)
        with connection:
            assert len(connection.recv(_LENGTH_OF_SSL_REQUEST)) == _LENGTH_OF_SSL_REQUEST
            connection.sendall(b"S")
            try:
                with certificate.server().wrap_socket(connection, server_side=True) as encrypted:
                    seen.append("trusted" if encrypted.recv(1) else "refused")
            except ssl.SSLError:
                seen.append("refused")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(_WITHIN_S)
        thread = threading.Thread(target=receive, args=(listening,))
        thread.start()
        yield listening.getsockname()[1], seen
        thread.join()


def test_the_driver_trusts_the_authority_that_was_mounted_and_no_other(tmp_path: Path) -> None:
    database, stranger = Certificate(tmp_path / "database"), Certificate(tmp_path / "stranger")
    given = variables(main_container(rendered_case("database's authority in a Secret").pod("-migration")))

    def seen_by(authority: Certificate) -> list[str]:
        with a_database_at_the_door(database) as (port, seen):
            environment = {
                "SMSHUB_DATABASE_URL": f"postgresql://hub:open-sesame@127.0.0.1:{port}/hub",
                "PGSSLMODE": given["PGSSLMODE"]["value"],
                "PGSSLROOTCERT": str(authority.file),
            }
            assert smshub("migrate", environment=environment).exit_code == 1
        return seen

    assert seen_by(database) == ["trusted"]
    assert seen_by(stranger) == ["refused"]

"""The commands of the documentation do what it says: every page's are run, in one sitting, on SQLite."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.conftest import PostgresServer
from tests.docs.markdown import PAGES, ROOT, SHELL, Block, blocks, name
from tests.docs.reader import POSTGRES, commands_at_hand, follow
from tests.e2e.running import eventually
from tests.import_path import import_path
from tests.programs import need

COMMANDS = {name(page): [each for each in blocks(page) if each.language == SHELL] for page in PAGES}
RUN = {page: [each for each in shell if each.not_run is None] for page, shell in COMMANDS.items()}
SHOWN = [each for shell in COMMANDS.values() for each in shell]


@pytest.fixture(scope="module")
def at_hand() -> Iterator[Path]:
    # Not pytest's own folder: the path of a socket must be short.
    with TemporaryDirectory(prefix="smshub-") as folder, commands_at_hand(Path(folder)) as address:
        yield address


@pytest.mark.parametrize("page", [page for page, shell in RUN.items() if shell])
def test_commands_of_a_page_run_from_its_beginning_to_its_end(
    page: str, tmp_path: Path, migrated_sqlite: Path, at_hand: Path, request: pytest.FixtureRequest
) -> None:
    text = "\n".join(each.text for each in RUN[page])
    need("bash", "curl", "jq", *(tool for tool in ("openssl", "promtool", "sqlite3") if tool in text))
    if not any(url in text for url in POSTGRES):
        sitting = follow(RUN[page], tmp_path, database=migrated_sqlite, at_hand=at_hand)
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.database() as url:
            sitting = follow(RUN[page], tmp_path, database=migrated_sqlite, at_hand=at_hand, postgres_url=url)
    assert sitting.status == 0, sitting.output


@pytest.mark.parametrize("block", SHOWN, ids=[each.place for each in SHOWN])
def test_commands_are_what_a_shell_understands(block: Block) -> None:
    need("bash")
    read = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert not read.stderr, read.stderr


def test_whatever_is_not_run_says_why() -> None:
    assert [each.place for each in SHOWN if each.not_run is not None and len(each.not_run) < len("it needs")] == []


def test_a_page_whose_command_fails_is_found_out(tmp_path: Path, migrated_sqlite: Path, at_hand: Path) -> None:
    need("bash", "curl", "jq")
    wrong = Block(PAGES[0], 7, SHELL, "smshub programs set --program nobodys --name Nobody\necho not reached")
    sitting = follow([wrong], tmp_path, database=migrated_sqlite, at_hand=at_hand)
    assert sitting.status != 0
    assert f"{wrong.place}, " in sitting.output
    assert "not reached" not in sitting.output


def test_whatever_runs_in_the_background_ends_with_the_tests_however_these_end(tmp_path: Path) -> None:
    need("bash")
    reading = """
import sys
from collections.abc import Iterator
from pathlib import Path
from tests.docs.markdown import PAGES, Block
from tests.docs.reader import follow
folder = Path(sys.argv[1])
page = [Block(PAGES[0], 1, "sh", "(echo $BASHPID >group; exec sleep 300) & wait")]
follow(page, folder, database=folder / "empty.db", at_hand=folder)
"""
    (tmp_path / "empty.db").touch()
    environment = {**os.environ, "PYTHONPATH": import_path()}
    with subprocess.Popen([sys.executable, "-c", reading, tmp_path], env=environment, cwd=ROOT) as tests:
        eventually(
            lambda: (tmp_path / "group").exists() and (tmp_path / "group").read_text().strip() != "", within_s=60
        )
        tests.kill()
    left = int((tmp_path / "group").read_text())
    eventually(lambda: not running(left), within_s=60)


def running(process: int) -> bool:
    """A process that has ended and that nobody has asked about counts as ended."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"

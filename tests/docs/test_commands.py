"""The commands of the documentation do what it says: every page's are run, in one sitting, on SQLite."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import PostgresServer
from tests.docs.markdown import PAGES, SHELL, Block, blocks, name
from tests.docs.reader import POSTGRES, follow
from tests.programs import need

COMMANDS = {name(page): [each for each in blocks(page) if each.language == SHELL] for page in PAGES}
RUN = {page: [each for each in shell if each.not_run is None] for page, shell in COMMANDS.items()}
SHOWN = [each for shell in COMMANDS.values() for each in shell]


@pytest.mark.parametrize("page", [page for page, shell in RUN.items() if shell])
def test_commands_of_a_page_run_from_its_beginning_to_its_end(
    page: str, tmp_path: Path, migrated_sqlite: Path, request: pytest.FixtureRequest
) -> None:
    text = "\n".join(each.text for each in RUN[page])
    need("bash", "curl", "jq", *(tool for tool in ("openssl", "promtool", "sqlite3") if tool in text))
    if not any(url in text for url in POSTGRES):
        sitting = follow(RUN[page], tmp_path, database=migrated_sqlite)
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.database() as url:
            sitting = follow(RUN[page], tmp_path, database=migrated_sqlite, postgres_url=url)
    assert sitting.status == 0, sitting.output


@pytest.mark.parametrize("block", SHOWN, ids=[each.place for each in SHOWN])
def test_commands_are_what_a_shell_understands(block: Block) -> None:
    need("bash")
    read = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert not read.stderr, read.stderr


def test_whatever_is_not_run_says_why() -> None:
    assert [each.place for each in SHOWN if each.not_run is not None and len(each.not_run) < len("it needs")] == []


def test_a_page_whose_command_fails_is_found_out(tmp_path: Path, migrated_sqlite: Path) -> None:
    need("bash", "curl", "jq")
    wrong = Block(PAGES[0], 7, SHELL, "smshub programs set --program nobodys --name Nobody\necho not reached")
    sitting = follow([wrong], tmp_path, database=migrated_sqlite)
    assert sitting.status != 0
    assert f"{wrong.place}, " in sitting.output
    assert "not reached" not in sitting.output

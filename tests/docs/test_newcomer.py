"""The README's two commands bring whoever has cloned the repository to a delivered text."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT
from tests.docs.newcomer import Stuck, commands, walk
from tests.programs import need

_PATIENCE_S = 280


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("bash", "curl", "git", "make")


def with_packages_at_hand(clone: Path) -> None:
    """A .venv that finds this one's packages, so that pip has nothing to fetch, and installs the clone.

    README and Makefile are as they stand here, committed or not.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", clone / ".venv"], check=True)
    (packages,) = (clone / ".venv" / "lib").glob("python*/site-packages")
    (packages / "at_hand.pth").write_text("\n".join(each for each in sys.path if each.endswith("site-packages")))
    for name in ("Makefile", "README.md"):
        shutil.copy(ROOT / name, clone)


def test_two_commands_bring_a_clone_to_a_delivered_text(tmp_path: Path) -> None:
    steps = walk(tmp_path, within_s=_PATIENCE_S, prepare=with_packages_at_hand)
    assert [each.name for each in steps] == ["clone", "install", "start", "log in and send", "delivered"]
    assert all(each.seconds > 0 for each in steps)
    assert (tmp_path / "sms-hub" / "var" / "demo-program.json").exists()


def test_whoever_gets_stuck_is_told_of_with_what_was_on_the_screen(tmp_path: Path) -> None:
    def without_make(clone: Path) -> None:
        (clone / "Makefile").write_text("run:\n\t@echo It is broken; exit 1\n")

    with pytest.raises(Stuck, match="It is broken"):
        walk(tmp_path, within_s=_PATIENCE_S, prepare=without_make)


def test_the_readme_has_two_commands() -> None:
    make, curl = commands()
    assert make.startswith("make run ")
    assert curl.startswith("curl ")
    assert curl.count("curl ") == 2

"""The site is made of the pages without a warning, and not at all where something is wrong with them."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import copy

import pytest

from tests.docs.markdown import PAGES, ROOT, name

pytestmark = pytest.mark.skipif(
    not (find_spec("sphinx") and find_spec("myst_parser") and find_spec("furo")),
    reason="needs requirements/docs.txt, which `make test-all` installs",
)


def made(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """As `make docs` does."""
    options = ["--quiet", "--fail-on-warning", "--keep-going", "-c", str(ROOT / "docs")]
    command = [sys.executable, "-m", "sphinx", *options, str(source), str(target)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_page_is_on_the_site(tmp_path: Path) -> None:
    done = made(ROOT, tmp_path)
    assert done.returncode == 0, done.stderr
    assert [name(page) for page in PAGES if not (tmp_path / name(page)).with_suffix(".html").exists()] == []
    first = (tmp_path / "docs" / "README.html").read_text(encoding="utf-8")
    headings = ["Tutorials", "How-to guides", "Reference", "Explanation"]
    assert [first.count(f'<span class="caption-text">{heading}</span>') for heading in headings] == [1, 1, 1, 1]
    assert "docs/README.html" in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("index", "complaint"),
    [
        ("# First\n\n## Tutorials\n\n- [A](a.md)\n- [B](gone.md)\n", "gone"),
        ("# First\n\n## Tutorials\n\n- [A](a.md#gone)\n", "gone"),
        ("# First\n\n## Tutorials\n\nNothing.\n", "isn't included in any toctree"),
    ],
)
def test_there_is_none_with_a_dead_link_or_a_page_that_no_index_names(
    index: str, complaint: str, tmp_path: Path
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "README.md").write_text(index)
    (docs / "a.md").write_text("# A\n\nSomething.\n")
    copy(ROOT / "docs" / "conf.py", docs)
    done = made(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert complaint in done.stderr

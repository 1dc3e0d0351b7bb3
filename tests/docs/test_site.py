"""The site is made of the pages without a warning, and not at all where something is wrong with them."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import copy

import pytest

from tests.docs.markdown import PAGES, ROOT, blocks, name

MERMAID = ROOT / "requirements" / "npm" / "node_modules" / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"

pytestmark = pytest.mark.skipif(
    not (find_spec("sphinx") and find_spec("myst_parser") and find_spec("furo")),
    reason="needs requirements/docs.txt, which `make test-all` installs",
)

# What a browser fetches by itself: links are what a reader follows.
_FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|audio|video|embed|object)\b[^>]*?\b(?:src|srcset|data)="([^"]+)"
    |<link\b(?=[^>]*\brel="(?:stylesheet|icon|preload|preconnect|dns-prefetch|modulepreload)")[^>]*?\bhref="([^"]+)"
    |url\(["']?([^)"']+) | @import\s+["']([^"']+) | \b(?:import|from)\s*\(?\s*["']([^"']+\.m?js[^"']*)["']
    |\b(?:fetch|importScripts)\(\s*["']([^"']+)""",
    re.VERBOSE,
)


def made(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """As `make docs` does."""
    options = ["--quiet", "--fail-on-warning", "--keep-going", "-c", str(ROOT / "docs")]
    command = [sys.executable, "-m", "sphinx", *options, str(source), str(target)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def foreign(text: str) -> list[str]:
    """Addresses of other hosts that a browser asks without being told to."""
    found = ("".join(each) for each in _FETCHED.findall(text))
    return [each for each in found if re.match(r"\s*(?:https?:)?//", each)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    done = made(ROOT, target)
    assert done.returncode == 0, done.stderr
    return target


def test_every_page_is_on_the_site(site: Path) -> None:
    assert [name(page) for page in PAGES if not (site / name(page)).with_suffix(".html").exists()] == []
    first = (site / "docs" / "README.html").read_text(encoding="utf-8")
    headings = ["Tutorials", "How-to guides", "Reference", "Explanation"]
    assert [first.count(f'<span class="caption-text">{heading}</span>') for heading in headings] == [1, 1, 1, 1]
    assert "docs/README.html" in (site / "index.html").read_text(encoding="utf-8")


def test_the_site_asks_no_other_host_for_anything(site: Path) -> None:
    files = [each for each in site.rglob("*") if each.suffix in {".html", ".css", ".js", ".mjs", ".svg"}]
    assert len(files) > len(PAGES)
    asked = {str(each.relative_to(site)): foreign(each.read_text(encoding="utf-8")) for each in files}
    assert {file: addresses for file, addresses in asked.items() if addresses} == {}


@pytest.mark.parametrize(
    "wrong",
    [
        '<script defer src="https://cdn.example/a.js"></script>',
        '<link href="//fonts.example/a.css" rel="stylesheet">',
        "@import 'https://fonts.example/a.css';",
        "src: url(https://fonts.example/a.woff2)",
        'import a from "https://cdn.example/a.mjs";',
    ],
)
def test_what_another_host_is_asked_for_is_found(wrong: str) -> None:
    assert len(foreign(f'<a href="https://elsewhere.example/a.js">a link</a>\n{wrong}')) == 1


def test_diagrams_are_drawn_by_the_site_itself(site: Path) -> None:
    if not find_spec("playwright"):
        pytest.skip("needs requirements/browser.txt, which `make test-all` installs")
    from tests.browser.visiting import CHROMIUM, a_browser  # noqa: PLC0415 - it needs Playwright

    for needed in (CHROMIUM, MERMAID):
        if not needed.exists():
            pytest.skip(f"There is no {needed}: `make test-all` installs it.")
    drawn = {each: sum(block.language == "mermaid" for block in blocks(each)) for each in PAGES}
    with a_browser() as browser:
        page = browser.new_page()
        asked: list[str] = []
        page.set_default_timeout(120_000)
        page.on("request", lambda request: asked.append(request.url))
        for source, diagrams in drawn.items():
            if diagrams:
                page.goto((site / name(source)).with_suffix(".html").as_uri())
                page.wait_for_function(
                    "count => document.querySelectorAll('.mermaid > svg').length === count", arg=diagrams
                )
                assert page.locator(".mermaid .error-icon").count() == 0
    assert any(MERMAID.name in url for url in asked)
    assert [url for url in asked if not url.startswith(site.as_uri())] == []


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

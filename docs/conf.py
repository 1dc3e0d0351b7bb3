"""How Sphinx makes the documentation site of the project's Markdown: `make docs`.

Pages stay plain Markdown, to be read as files as well. What there is, and in which order, is what the index pages link
to: those in INDEXES have no other table of contents.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer

project = "SMS Hub"
author = copyright = "the authors of SMS Hub"  # noqa: A001 - what Sphinx calls it
extensions = ["myst_parser"]

root_doc = "docs/README"
INDEXES = (root_doc, "docs/operations/README", "docs/operations/runbooks/README", "docs/adr/README")
include_patterns = [
    *("docs/*.md", "docs/**/*.md", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("clients/README.md", "helm/sms-hub/README.md"),
]
exclude_patterns = [".*", "dist", "requirements", "src", "tests", "var"]

myst_heading_anchors = 4
# Keep a Changelog repeats its headings in each version.
suppress_warnings = ["myst.header"]

html_theme = "furo"
html_title = "SMS Hub"
html_show_sphinx = False
html_copy_source = False

# Diagrams stand in the Markdown as GitHub and others draw them. Their script is the site's own, since a page asks no
# other host for anything; where npm has not brought it, they stay words.
_MERMAID = Path(__file__).parents[1] / "requirements/npm/node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"
_SCRIPTS = [_MERMAID, Path(__file__).parent / "site" / "diagrams.js"] if _MERMAID.exists() else []
html_static_path = [str(script) for script in _SCRIPTS]

_LINK = re.compile(r"\]\(([^():#]+\.md)(?:#[^)]*)?\)")


def _add_contents(_app: Any, page: str, source: list[str]) -> None:
    """Gives an index page a table of contents for each of its sections."""
    if page not in INDEXES:
        return
    here = posixpath.dirname(page)
    for section in re.split(r"^## ", source[0], flags=re.MULTILINE):
        title, _, text = section.partition("\n")
        links = [link for link in _LINK.findall(text) if page == root_doc or not link.startswith("..")]
        pages = dict.fromkeys("/" + posixpath.normpath(posixpath.join(here, link)) for link in links)
        if pages:
            caption = [f":caption: {title}"] if page == root_doc else []
            source[0] += "\n".join(["\n```{toctree}", ":hidden:", *caption, "", *pages, "```\n"])


def _lead_to_the_first_page(app: Any, failure: Exception | None) -> None:
    if failure is None:
        first = f'<!doctype html><meta http-equiv="refresh" content="0; url={root_doc}.html"><title>SMS Hub</title>\n'
        Path(app.outdir, "index.html").write_text(first, encoding="utf-8")


def _draw_diagrams(app: Any, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    if "highlight-mermaid" in context.get("body", ""):
        for script in _SCRIPTS:
            app.add_js_file(script.name, loading_method="defer")


def setup(app: Any) -> None:
    for words in ("csv", "mermaid"):
        app.add_lexer(words, TextLexer)
    app.connect("source-read", _add_contents)
    app.connect("build-finished", _lead_to_the_first_page)
    app.connect("html-page-context", _draw_diagrams)

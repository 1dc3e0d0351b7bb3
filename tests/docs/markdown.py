"""What the documentation has in it beside its prose.

Two comments, which no reader of a page sees, tell the tests of it (within a sentence they are but words):

- `<!-- not run: why -->` before a block of commands: it is parsed only.
- `<!-- run: commands -->` on lines of its own: what is there before a page's commands, or holds what came of them
  against what the page says.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
        *(ROOT / "clients" / "README.md", ROOT / "helm" / "sms-hub" / "README.md"),
    ]
)

SHELL = "sh"
_COMMENT = re.compile(r"<!-- (run|not run):\s*(.*?)\s*-->", re.DOTALL)
_PART = re.compile(
    r"^(?P<indent> *)```(?P<language>[a-z]*)\n(?P<text>.*?)^(?P=indent)```$|^ *(?P<comment><!-- (?:not )?run:.*?-->)$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Block:
    """`hidden`: readers do not see it. `not_run` is why it cannot be run; None where it can."""

    page: Path
    line: int
    language: str
    text: str
    hidden: bool = False
    not_run: str | None = None

    @property
    def place(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Sequence[Block]:
    return list(_blocks(page, page.read_text(encoding="utf-8")))


def _blocks(page: Path, text: str) -> Iterator[Block]:
    not_run: str | None = None
    for part in _PART.finditer(text):
        line = text.count("\n", 0, part.start()) + 1
        if comment := _COMMENT.fullmatch(part["comment"] or ""):
            kind, words = comment.groups()
            if kind == "run":
                yield Block(page, line, SHELL, words, hidden=True)
            else:
                not_run = words
            continue
        indent = len(part["indent"])
        code = "".join(each[indent:] if each.strip() else each for each in part["text"].splitlines(keepends=True))
        yield Block(page, line, part["language"], code, not_run=not_run)
        not_run = None

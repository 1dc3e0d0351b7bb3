"""Links within the documentation lead somewhere, also where it is read as plain files."""

import re
from pathlib import Path

import pytest

from tests.docs.markdown import PAGES, ROOT, name

_FENCE = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Of the headings, as GitHub makes them; the second of a name has `-1` behind it."""
    found: set[str] = set()
    for heading in _HEADING.findall(prose(page)):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        anchor = slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = 0
        while anchor in found:
            number += 1
            anchor = f"{slug}-{number}"
        found.add(anchor)
    return found


def dead_links(page: Path, text: str) -> list[str]:
    dead = []
    for link in _LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    return dead


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_link_is_dead(page: Path) -> None:
    assert dead_links(page, prose(page)) == []


def test_a_dead_link_is_found() -> None:
    index = ROOT / "docs" / "README.md"
    assert dead_links(index, "[a](programs.md) [b](gone.md) [c](programs.md#gone) [d](https://hub.example/gone)") == [
        "gone.md",
        "programs.md#gone",
    ]


def test_every_page_can_be_reached_from_the_first() -> None:
    first = ROOT / "docs" / "README.md"
    reached, ahead = {first}, [first]
    while ahead:
        page = ahead.pop()
        links = {(page.parent / link.partition("#")[0]).resolve() for link in _LINK.findall(prose(page))}
        new = {each for each in links if each in PAGES} - reached
        reached |= new
        ahead += new
    assert [name(page) for page in PAGES if page not in reached] == []

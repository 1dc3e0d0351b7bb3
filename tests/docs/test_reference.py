"""Pages that are written from the code are as the code is; `make reference` writes them anew."""

import pytest

from domain.model.delivery import DeliveryState
from upkeep.reference import _MEANINGS, DOCS, PAGES, RENEWED


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name]()


@pytest.mark.parametrize("name", RENEWED)
def test_what_the_code_tells_in_the_page_is_so(name: str) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")
    assert RENEWED[name](page) == page


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("metrics.md", "| `smshub_paused` | gauge | `what` |"),
        ("problems.md", "| `token-refused` | 401 |"),
        ("settings.md", "| `SMSHUB_LOG_LEVEL` | `info` |"),
    ],
)
def test_what_is_stale_or_gone_is_mended_and_what_people_wrote_is_kept(name: str, row: str) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")
    assert page.count(row) == 1
    stale = page.replace(row, row.replace("gauge", "counter").replace("401", "400").replace("info", "loud"))
    assert stale != page
    assert RENEWED[name](stale) == page
    first = row.rpartition(" | ")[0] if name == "settings.md" else row.partition(" | ")[0]
    more = page.replace(first, f"| `gone` | gone | gone |\n{first}", 1)
    assert RENEWED[name](more) == page


def test_what_is_new_has_a_row_without_words_which_another_test_refuses() -> None:
    page = (DOCS / "problems.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines(keepends=True) if line.startswith("| `hub-busy` |")]
    assert "| `hub-busy` | 503 |  |\n" in RENEWED["problems.md"](page.replace(row, ""))


def test_every_state_is_explained() -> None:
    assert _MEANINGS.keys() == set(DeliveryState)

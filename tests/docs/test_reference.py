"""Pages that are written from the code are as the code is; `make reference` writes them anew."""

import pytest

from domain.model.delivery import DeliveryState
from upkeep.reference import _MEANINGS, DOCS, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name]()


def test_every_state_is_explained() -> None:
    assert _MEANINGS.keys() == set(DeliveryState)

"""The samples are easy to read, and to make one's own."""

import pytest

from entrypoints.http.pages.samples import sample
from tests.samples.shown import FILES

HUB = "https://hub.example/cwis463"
WIDTH = 76


@pytest.mark.parametrize("name", FILES)
def test_it_has_the_hubs_address_in_one_place(name: str) -> None:
    shown = sample(FILES[name], HUB)

    assert shown.count(HUB) == 1
    assert "sms-hub.example" not in shown


@pytest.mark.parametrize("name", FILES)
def test_its_lines_are_short(name: str) -> None:
    lines = sample(FILES[name], "https://sms-hub.example").splitlines()

    assert [line for line in lines if len(line) > WIDTH or "\t" in line] == []

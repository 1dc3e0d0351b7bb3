"""The samples as the hub's page shows them."""

from html.parser import HTMLParser

from entrypoints.http.pages.samples import SAMPLES
from tests.http import RunningHub

# Each sample by what the page calls it, and the file in which whoever copies it would keep it.
FILES = {each.name: each.file for each in SAMPLES}


def shown(hub: RunningHub, name: str) -> str:
    """To the letter what somebody copies from the page."""
    return text_of(_page(hub), f"sample-{name}")


def step(hub: RunningHub, name: str) -> str:
    """One of the calls that are explained before the samples."""
    return text_of(_page(hub), f"step-{name}")


def _page(hub: RunningHub) -> str:
    return hub.client.get("/").text


def text_of(page: str, identifier: str) -> str:
    """The text of the one element with the identifier."""
    reader = _Reader(identifier)
    reader.feed(page)
    reader.close()
    assert reader.found == 1, f"{reader.found} elements are called {identifier}"
    return "".join(reader.text)


class _Reader(HTMLParser):
    def __init__(self, identifier: str) -> None:
        super().__init__()
        self._identifier = identifier
        self._depth = 0
        self.found = 0
        self.text: list[str] = []

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._depth:
            self._depth += 1
        elif ("id", self._identifier) in attrs:
            self._depth = 1
            self.found += 1

    def handle_endtag(self, _tag: str) -> None:
        if self._depth:
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.text.append(data)
